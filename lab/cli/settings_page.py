"""The page on settings: the canonical names, what each may be, and which families' phones are told of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from provisioning_server.coverage import NAMES, Mark, reaches
from provisioning_server.manifest import Family
from provisioning_server.vocabulary import KEYS, VOCABULARY, Kind, Scalar

_MARKS: Mapping[Mark, str] = {"written": "✓", "doubted": "~", "unsupported": "–", "unknown": ""}


def settings_page(families: Iterable[Family], defaults: Mapping[str, Scalar]) -> str:
    """Return it in Markdown; families that are told the same stand in one column."""
    known = sorted(families, key=lambda one: one.id)
    columns = _columns(known)
    rows = [
        f"| `{name}` | {_kind(name).about} | {_kind(name).form} | {_default(defaults, name)} | "
        + " | ".join(_MARKS[marks[name]] for marks, _ in columns)
        + " |"
        for name in NAMES
    ]
    heads = ["<br>".join(f"{one.vendor} {one.family}" for one in alike) for _, alike in columns]
    return "\n".join([
        "# Settings of phones", "",
        "A setting has one name for all makers ([layers](provisioning.md): vendor, family, model, firmware, domain,",
        "site, group, user, device). ✓: the phones are told; ~: by parameters nobody has seen on a device, in a manual",
        "or in a public source; –: they can be told nothing of it, why stands below; empty: no parameter is known,",
        "`vendor.raw.<parameter>` writes one. What is set in vain is listed with its reason by",
        "`switchroom provision show MAC`, where a value came from by `switchroom provision why MAC`. Written by",
        "`tools/reference.py` (`switchroom templates docs`).", "",
        "| Setting | What it is | May be | Unless said otherwise | " + " | ".join(heads) + " |",
        "|---|---|---|---|" + "---|" * len(heads), *rows, "",
        "## What cannot be told", "", "| Family | Settings | Why |", "|---|---|---|", *_reasons(known), "",
    ])  # fmt: skip


def _columns(families: list[Family]) -> list[tuple[Mapping[str, Mark], list[Family]]]:
    found: list[tuple[Mapping[str, Mark], list[Family]]] = []
    for family in families:
        marks = reaches(family)
        alike = next((those for told, those in found if told == marks and those[0].vendor == family.vendor), None)
        if alike is None:
            found.append((marks, [family]))
        else:
            alike.append(family)
    return found


def _kind(name: str) -> Kind:
    return VOCABULARY[name] if name in VOCABULARY else KEYS[name.rpartition(".")[2]]


def _default(defaults: Mapping[str, Scalar], name: str) -> str:
    value = defaults.get(name, "")
    said = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{said}`".replace("|", "\\|") if said else ""


def _reasons(families: list[Family]) -> Iterator[str]:
    for family in families:
        by_reason: dict[str, list[str]] = {}
        for pattern, reason in family.unsupported.items():
            by_reason.setdefault(reason, []).append(f"`{pattern}`")
        yield from (f"| `{family.id}` | {', '.join(names)} | {reason} |" for reason, names in by_reason.items())
