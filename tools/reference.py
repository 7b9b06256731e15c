"""Write the reference pages that are made from the code: metrics, tolerances, plug-ins, families, presets, roles.

A test compares them with what this would write: run it after changing a metric, a tolerance or a plug-in.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from lab.cli.settings_page import settings_page
from lab.cli.templates import families_page
from lab.metrics import Metrics
from lab.seeds.load import load_seed
from lab.service import Lab
from pbx.access import REACHES, ROLES, SCOPES, appointable, table
from pbx.callflow.feature_codes import FEATURES
from pbx.catalogue import plug_ins
from pbx.domain.platform import PRESETS, facts
from pbx.domain.tenancy import Scope
from pbx.sip.tolerances import Tolerance
from provisioning_server.families import shipped_families

DOCS = Path(__file__).parents[1] / "docs"
README = DOCS.with_name("README.md")


_BEGIN, _END = "<!-- families: written by tools/reference.py -->\n", "<!-- /families -->\n"


def with_families(readme: str) -> str:
    """Return the README with the table of families as it is now."""
    before, _, rest = readme.partition(_BEGIN)
    rows = [
        f"| {family.title} | `{family.id}` | {family.verified_facts} of {sum(family.facts.values())} |"
        for family in sorted(shipped_families().by_id.values(), key=lambda family: family.title.casefold())
    ]
    head = ["| Phones | Family | Facts verified |", "|---|---|---|"]
    return before + _BEGIN + "\n".join([*head, *rows, ""]) + _END + rest.partition(_END)[2]


def pages() -> dict[str, str]:
    """Return the text of every page by file name."""
    return {
        "metrics.md": metrics_page(),
        "tolerances.md": tolerances_page(),
        "strategies.md": strategies_page(),
        "features.md": features_page(),
        "families.md": families_page(shipped_families().by_id.values()),
        "presets.md": presets_page(),
        "settings.md": settings_page(shipped_families().by_id.values(), shipped_families().defaults),
        "roles.md": roles_page(),
    }


def roles_page() -> str:
    lines = [
        "# Roles", "",
        "Who may do what in portal and API, by scope; made of `pbx/access.py` by `tools/reference.py`. *Why may I?*",
        "in the portal tells it for one person and one thing. A letter says how far: **o** own, **q** of assigned",
        "queues, **s** of the own site, **d** of the domain, **r** of the reseller's domains, **a** everywhere; – is",
        "refused. A Super User (and the lab engineer) reaches everything, No Portal nothing. What is outside of one's",
        "reach is answered 404, what one sees and may not change 403. A preset (`platform: {roles: b1}`; `preset: n2p`",
        "brings its own) differs where it is named.", "",
        "Evidence: V verified page, seed onboarding document, C conflicting, I inferred, console: our specification.",
        "",
        "| What | Done | Roles | " + " | ".join(_SHORT.values()) + " | Evidence |",
        "|---|---|---|" + "---|" * (len(_SHORT) + 1),
    ]  # fmt: skip
    generic = {(right.kind, right.action): right for right in table("generic")}
    for roles in ROLES:
        for right in table(roles):
            if roles == "generic" or right != generic.get((right.kind, right.action)):
                cells = " | ".join("".join(one for one in REACHES if one in right.of(scope)) or "–" for scope in _SHORT)
                lines.append(f"| {right.kind} | {right.action} | {roles} | {cells} | {right.evidence} |")
    lines += ["", "## Appointing", "", "Which scopes a scope gives and takes away.", "", "| Scope | Roles | Appoints |"]
    lines.append("|---|---|---|")
    lines += [
        f"| {scope} | {roles} | {', '.join(appointable(roles, scope))} |"
        for roles in ROLES
        for scope in SCOPES
        if appointable(roles, scope)
    ]
    return "\n".join([*lines, ""])


_SHORT: dict[Scope, str] = {
    "Reseller": "Reseller", "Office Manager": "Office", "Call Center Supervisor": "Superv.", "Site Manager": "Site",
    "Call Center Agent": "Agent", "Advanced User": "Adv.", "Basic User": "Basic", "Simple User": "Simple", "NDP": "NDP",
}  # fmt: skip


def metrics_page() -> str:
    rows = [
        f"| `{metric.name}` | {metric.kind} | {', '.join(f'`{label}`' for label in metric.labels)} | {metric.told} |"
        for metric in Metrics(Lab(load_seed())).all()
    ]
    return "\n".join([
        "# Metrics", "",
        "`GET /metrics` on the console's port, in Prometheus' text format. Written by `tools/reference.py`.", "",
        "| Name | Kind | Labels | What it tells |", "|---|---|---|---|", *rows, "",
    ])  # fmt: skip


def tolerances_page() -> str:
    rows = [f"| `{one.name.lower()}` | {one.value} | {one.law} | {one.instead} |" for one in Tolerance]
    return "\n".join([
        "# Tolerances", "",
        "What handsets do wrong and Switchroom forgives. Each is on by default and counted in the metric",
        "`switchroom_handset_faults_tolerated_total` under its fault; `sip.strict` names those that are not to be",
        "forgiven, e.g. `--set sip.strict=ack_to_tag,date_zone`. Written by `tools/reference.py`.", "",
        "| Name | Fault | What the law says | When it is not forgiven |", "|---|---|---|---|", *rows, "",
    ])  # fmt: skip


def strategies_page() -> str:
    rows = plug_in_rows(plug_ins("pbx.callflow.strategies", needs="choose"))
    return "\n".join([
        "# Queue strategies", "",
        "Whom a queue (`strategy:`) offers to a waiting caller; one file each in `pbx/callflow/strategies/`,",
        "the settings are in [queues](queues.md). Written by `tools/reference.py`.", "",
        "| Name | Strategy | What it does |", "|---|---|---|", *rows, "",
    ])  # fmt: skip


def features_page() -> str:
    rows = plug_in_rows(FEATURES)
    return "\n".join([
        "# Feature codes", "",
        "Dialled from any telephone of the domain, never from outside; one file each in `pbx/callflow/features/`.",
        "Written by `tools/reference.py`.", "",
        "| Code | Feature | What it does |", "|---|---|---|", *rows, "",
        "## Read by the dial plan", "",
        "| Code | What it does |", "|---|---|",
        "| `***` | Parks in the first free slot, and says which (transfer to it, or dial it). |",
        "| `*` and a slot | Parks there; nobody is fetched. |",
        "| `*67` | The number follows; the caller is shown to nobody. |", "",
        "That there are these codes is documented (docs.threepbx.com/52103 and 52104, stratelegy); whose PIN `*48`",
        "and 5003 ask for, and that `*49` asks for one, is our reading. With one reseller `*44` logs in at a hot desk,",
        "with others it pulls a call: here it pulls.", "",
    ])  # fmt: skip


def presets_page() -> str:
    rows = []
    for name in facts("generic"):
        for preset in PRESETS:
            fact = facts(preset)[name]
            if preset == "generic" or fact != facts("generic")[name]:
                value = str(fact.value).lower() if isinstance(fact.value, bool) else str(fact.value)
                rows.append(f"| `{name}` | {preset} | `{value}` | {fact.tag} | {fact.because} |")
    return "\n".join([
        "# Presets", "",
        "How the platform behaves that a domain stands for: `preset: n2p` in `domain:`, and under `platform:` whatever",
        "this domain does otherwise. Made of the files in `pbx/domain/presets/` by `tools/reference.py`.", "",
        "Evidence: V verified page, API published specification, seed onboarding document, C conflicting, I inferred.",
        "", "| Setting | Preset | Value | Evidence | Why |", "|---|---|---|---|---|", *rows, "",
    ])  # fmt: skip


def plug_in_rows(modules: Mapping[str, ModuleType]) -> list[str]:
    """Each row is the first line of a plug-in's docstring, `Name: what it does.`"""
    rows = []
    for name, module in sorted(modules.items()):
        title, _, what = (module.__doc__ or "").strip().partition("\n")[0].partition(": ")
        rows.append(f"| `{name}` | {title} | {what[:1].upper()}{what[1:]} |")
    return rows


def main() -> int:
    for name, page in pages().items():
        (DOCS / name).write_text(page)
    README.write_text(with_families(README.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
