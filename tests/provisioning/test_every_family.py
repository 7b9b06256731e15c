"""What holds for every family: names that smuggle nothing in, and every parameter with a layer that decides it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cache

import pytest
import yaml

from pbx.clock import Moment
from pbx.domain.directory import Directory
from provisioning_server import golden
from provisioning_server.coverage import reaches
from provisioning_server.families import shipped_families
from provisioning_server.ledger import Ledger
from provisioning_server.lint import Unreadable, names_in, problems
from provisioning_server.manifest import Family, FileRule
from provisioning_server.respond import Answer, ConfigRequest, Office, respond
from provisioning_server.vocabulary import SECRETS, VOCABULARY

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time

FAMILIES = shipped_families()
FULL = [
    (family, case)
    for family, case in golden.cases(FAMILIES)
    if case.stem in ("full", "two-lines", "two-ports", "plain")
]
IDS = [family.id for family, _ in FULL]
MARKS = 'A"B<C>&D'


@cache
def whole(case) -> dict:
    return yaml.safe_load(case.read_text(encoding="utf-8"))


def own_files(family: Family, case, **first_device: object) -> Iterator[tuple[FileRule, Answer]]:
    """Ask for each file of the case's first device that is its own, its settings changed."""
    data = dict(whole(case))
    year = data.pop("year")
    first, *others = data["devices"]
    changed = {**first, "settings": {**first.get("settings", {}), **first_device}}
    directory = Directory.model_validate(data | {"devices": [changed, *others]})
    office = Office(FAMILIES, Ledger(b"golden"), golden.AT)
    now = Moment(0.0, golden.january(year))
    for rule in family.files:
        if rule.is_of_one_device and rule.sensitive:
            name = family.name_of(rule, first["mac"], first["model"])
            path = f"/p/{first['token']}/{name}"
            yield rule, respond(ConfigRequest("http", path, "192.0.2.50:1"), office, directory, now)


SHAPED = {"lines.*.codecs", "time.zone", "lines.*.user", "lines.*.auth_user", "firmware.target", "firmware.url"}
"""Texts with a form of their own, or that whoever runs the service writes."""


def free_texts(family: Family) -> list[str]:
    """The settings that hold what people wrote, those that reach the family's phones."""
    texts = [name for name, kind in VOCABULARY.items() if kind.what in ("text", "secret") and name not in SHAPED]
    found = [name for name, mark in reaches(family).items() if mark in ("written", "doubted")]
    keys = ["keys.4.label", "keys.4.value"] if "keys.K.label" in found else []
    return [name.replace("lines.*", "lines.1") for name in texts if name in found] + keys


LIKE = {"features.paging.groups": "224.0.1.116:10000 {}"}
"""Where a free text stands in something."""


def settings(family: Family, text: str) -> dict[str, object]:
    found: dict[str, object] = {name: LIKE.get(name, "{}").format(text) for name in free_texts(family)}
    # a password with a quotation mark is refused where marks end it (test_templates)
    found |= {name: text.replace('"', "") for name in SECRETS & found.keys()}
    return found | ({"keys.4.type": "blf"} if "keys.4.label" in found else {})


@pytest.mark.parametrize(("family", "case"), FULL, ids=IDS)
def test_a_line_break_in_any_free_text_gives_no_parameter(family, case):
    for name in free_texts(family):
        smuggled = {**settings(family, "x"), name: LIKE.get(name, "{}").format("x\naccount.1.password = stolen")}
        for _, answer in own_files(family, case, **smuggled):
            if answer.status == 200:  # JSON escapes it, or this file does not hold it
                assert b"\naccount.1.password = stolen" not in answer.body
            else:
                assert any(word in answer.why for word in ("line break", "control character", "no place for")), name


@pytest.mark.parametrize(("family", "case"), FULL, ids=IDS)
def test_marks_of_the_format_in_any_free_text_stay_text(family, case):
    plain, marked = own_files(family, case, **settings(family, "x")), own_files(family, case, **settings(family, MARKS))
    for (rule, one), (_, other) in zip(plain, marked, strict=True):
        assert names_in(family, rule, one.body) == names_in(family, rule, other.body)
        assert problems(family, rule, other.body) == []


@pytest.mark.parametrize(("family", "case"), FULL, ids=IDS)
def test_names_are_found_in_any_case_with_any_slashes(family, case):
    data = whole(case)
    first = data["devices"][0]
    office = Office(FAMILIES, Ledger(b"golden"), golden.AT)
    directory = Directory.model_validate({key: value for key, value in data.items() if key != "year"})
    for rule in family.files:
        name = family.name_of(rule, first["mac"], first["model"])
        for spelt in (name.upper(), name.lower(), f"./{name}", name.replace("/", "\\")):
            path = f"/p/{first['token']}//{spelt}"
            answer = respond(
                ConfigRequest("http", path, "192.0.2.50:1"), office, directory, Moment(0.0, golden.january(2026))
            )
            assert answer.status == 200, spelt


def test_lint_reads_a_file_that_is_none():
    family = FAMILIES.by_id["snom/d"]
    with pytest.raises(Unreadable):
        names_in(family, family.files[0], b"<settings")


def test_a_companion_digest_is_that_of_the_file_beside_it():
    family, case = next(pair for pair in FULL if pair[0].id == "algo/ip")
    files = golden.rendered(FAMILIES, family, case)
    (conf,) = [name for name in files if name.startswith("algom") and name.endswith(".conf")]
    assert re.fullmatch(rb"[0-9a-f]{32}\n", files[f"{conf}.md5"])
    assert hashlib.md5(files[conf]).hexdigest() == files[f"{conf}.md5"].decode().strip()
