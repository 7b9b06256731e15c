"""`templates check` and `templates docs`: what is wrong with the phone families, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from lab.cli.settings_page import settings_page
from lab.errors import BAD_INPUT, UserError
from provisioning_server import golden
from provisioning_server.families import TEMPLATES, BrokenFamily, Families, load_sound
from provisioning_server.lint import problems
from provisioning_server.manifest import Family


def check(folder: Path | None) -> tuple[str, bool]:
    """Return what was found in words, and whether all is well: each family loads, and writes what its lint accepts."""
    families = _loaded(folder)
    found = [*families.broken, *_lint(families)]
    lines = [f"✗ {problem}" for problem in found]
    return "\n".join([*lines, f"{len(families.by_id)} families, {len(found)} problems"]), not found


def docs(folder: Path | None) -> str:
    """Return the pages on the families and on the settings, in Markdown."""
    families = _loaded(folder)
    return f"{families_page(families.by_id.values())}\n{settings_page(families.by_id.values(), families.defaults)}"


def families_page(families: Iterable[Family]) -> str:
    rows = [
        f"| `{one.id}` | {one.title} | {one.type} | {len(one.models) or ''} | {', '.join(map(str, one.dhcp))} | "
        f"`{one.resync}` | {one.verified_facts} of {sum(one.facts.values())} | {_doubts(one)} |"
        for one in sorted(families, key=lambda one: one.id)
    ]
    return "\n".join([
        "# Phone families", "",
        "Each is a folder of data in `device_templates/` ([how to write one](../device_templates/README.md)). A fact",
        "is verified when it was seen on a device, in its manual or in a public source; those that are not are",
        "implemented all the same, and golden files state none of them. Written by `tools/reference.py`",
        "(`switchroom templates docs`).", "",
        "| Family | What it is | Kind | Models | DHCP options in order | Resync (NOTIFY) | Facts verified | Doubted |",
        "|---|---|---|---|---|---|---|---|", *rows, "",
    ])  # fmt: skip


def _doubts(family: Family) -> str:
    doubts = [f"{part}: {why}" for part, why in family.doubted.items()]
    models = sum(not model.verified for model in family.models.values())
    doubts += [f"lines of {models} models"] if models else []
    names = [f"`{name}`" for name in family.unverified if name not in family.unverified_values]
    values = [f"values of `{name}`" for name in family.unverified_values]
    doubts += [", ".join([*names, *values]).replace("|", "\\|")] if names or values else []
    return "; ".join(doubts)


def _loaded(folder: Path | None) -> Families:
    try:
        return load_sound(folder or TEMPLATES)
    except BrokenFamily as fault:
        raise UserError(
            f"{folder or TEMPLATES} holds no phone families", str(fault),
            "name a folder laid out like device_templates/", "device_templates/README.md", BAD_INPUT,
        ) from None  # fmt: skip


def _lint(families: Families) -> Iterator[str]:
    for family, case in golden.cases(families):
        try:
            files = golden.rendered(families, family, case)
        except (RuntimeError, ValueError) as fault:
            yield f"{case}: {fault}"
            continue
        for name, body in files.items():
            rule = next(rule for rule in family.files if rule.pattern.match(name))
            yield from (f"{case}: {name}: {problem}" for problem in problems(family, rule, body))
