"""Which canonical names reach the phones of a family, and why the others do not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from provisioning_server.manifest import Family
from provisioning_server.table import Row
from provisioning_server.vocabulary import KEYS, VOCABULARY

Mark = Literal["written", "doubted", "unsupported", "unknown"]
NAMES = (
    *VOCABULARY, *(f"keys.K.{leaf}" for leaf in KEYS), *(f"expansion.M.keys.K.{leaf}" for leaf in KEYS),
)  # fmt: skip
"""Every canonical name, keys with their numbers as letters."""
_ASKED = re.compile(r'get\("([^"]+)"\)|\bline\.(codecs|enabled)\b|\bfirst\.(codecs)\b')


_PEOPLE = re.compile(r"\bin people\b")


def reaches(family: Family) -> Mapping[str, Mark]:
    """Return how each canonical name stands: written, or by parameters alone that nobody has seen, or not."""
    told = written(family)
    return {name: told.get(name) or ("unsupported" if _reason(family, name) else "unknown") for name in NAMES}


def written(family: Family) -> dict[str, Mark]:
    """Return the canonical names that the family writes, with how sure that is."""
    found: dict[str, Mark] = {}
    doubted = doubts(family)
    for table in family.tables.values():
        for kind, row in table.rows():
            sure = not any(doubt.search(_sample(row)) for doubt in doubted)
            for name in _names(kind, row):
                found[name] = "written" if sure else found.get(name, "doubted")
            if kind == "xkey":
                found["expansion.modules"] = "written"
    for template in {rule.template for rule in family.files if rule.template not in family.tables}:
        found.update(dict.fromkeys(_asked(family, template), "written"))
    if "firmware.url" in found:
        found["firmware.target"] = found["firmware.share"] = found["firmware.url"]
    return {name: mark for name, mark in found.items() if name in NAMES}


def why_not(family: Family, name: str) -> str:
    """Return why a setting that somebody made for a phone of the family is written nowhere."""
    plain = canonical(name)
    if name.startswith("vendor.raw."):
        return "it is written into the file of a device alone"
    if plain not in NAMES:
        near = get_close_matches(plain, NAMES, 1, 0.8)
        return "there is no setting of that name" + (f"; {near[0]} is one" if near else "")
    if reason := _reason(family, plain):
        return reason
    if plain in written(family):
        kinds = ", ".join(family.capabilities.key_types)
        return (
            f"its keys are {kinds}" if plain.startswith(("keys.", "expansion.")) else "another setting goes before it"
        )
    return "no parameter for it is known here; vendor.raw.<parameter> writes one"


def canonical(name: str) -> str:
    """Return the name with letters for its numbers: `lines.2.stun` → `lines.*.stun`, `keys.3.type` → `keys.K.type`."""
    name = re.sub(r"^lines\.\d+\.", "lines.*.", name)
    name = re.sub(r"^expansion\.\d+\.keys\.\d+\.", "expansion.M.keys.K.", name)
    return re.sub(r"^keys\.\d+\.", "keys.K.", name)


def doubts(family: Family) -> list[re.Pattern[bytes]]:
    """Return what finds the parameters of a line that nobody has seen, or whose values nobody has."""
    # of a path, and of an object, only its last part stands in the line
    names = [name.rpartition("/")[2] if family.lint.names == "paths" else name for name in family.unverified]
    names = [name.rpartition("\\.")[2] if family.lint.names == "objects" else name for name in names]
    return [re.compile(rf"(?<![\w.])(?:{name})(?![\w.])".encode()) for name in names]


def _reason(family: Family, name: str) -> str:
    for pattern, reason in family.unsupported.items():
        if name == pattern or (pattern.endswith("*") and name.startswith(pattern[:-1])):
            return reason
    return ""


def _names(kind: str, row: Row) -> Iterator[str]:
    for name in row.formula.names if row.formula else ():
        root, _, leaf = name.partition(".")
        if root in ("line", "first"):
            yield f"lines.*.{leaf}"
        elif root == "key":
            yield f"{'expansion.M.' if kind == 'xkey' else ''}keys.K.{leaf}"
        else:
            yield "time.zone" if root == "clock" else name


def _sample(row: Row) -> bytes:
    return re.sub(r"\{\w+\}", "1", row.names[0]).encode()


def _asked(family: Family, template: str) -> Iterator[str]:
    path = next((folder / template for folder in family.folders if (folder / template).exists()), Path())
    text = path.read_text(encoding="utf-8")
    if _PEOPLE.search(text):
        yield "phonebook.enabled"
    for match in _ASKED.finditer(text):
        name = next(filter(None, match.groups()))
        yield name if name in VOCABULARY else f"lines.*.{name}"
