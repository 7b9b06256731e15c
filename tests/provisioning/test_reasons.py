"""For every parameter a layer is named, and without what that layer says the output is another."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
import yaml

from pbx.clock import Moment
from pbx.domain.directory import Directory
from provisioning_server import golden
from provisioning_server.coverage import canonical, reaches
from provisioning_server.families import shipped_families
from provisioning_server.identify import Claim
from provisioning_server.ledger import Ledger
from provisioning_server.overlay import Value
from provisioning_server.reasons import HIDDEN, reasons, sources_of
from provisioning_server.respond import Office, sheet_of
from provisioning_server.rows import Written, written
from provisioning_server.sheet import CannotRender, Settings, Sheet
from tests.provisioning.provisioned import YEALINK, Counter, small_domain, with_device

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time

FAMILIES = shipped_families()
CASES = [(family, case) for family, case in golden.cases(FAMILIES) if family.tables]


WIDE = [(family, case) for family, case in CASES if "lines.*.backup.host" in case.read_text(encoding="utf-8")]
ALIKE = {
    "provisioning.resync.mode", "provisioning.resync.interval", "provisioning.resync.random", "time.date_format",
    "phonebook.ldap.port", "phonebook.ldap.name_filter", "phonebook.ldap.number_filter", "lines.*.registrar.host",
    "lines.*.registrar.port", "lines.*.outbound_proxy.host",
}  # fmt: skip
"""May be alike for two values, or not count beside a second switch (Poly): test_convert has both."""


def sheets(family, case) -> list[tuple[Sheet, tuple]]:
    data = yaml.safe_load(case.read_text(encoding="utf-8"))
    now = Moment(0.0, golden.january(data.pop("year")))
    directory = Directory.model_validate(data)
    office = Office(FAMILIES, Ledger(b"golden"), golden.AT)
    device = directory.devices[0]
    found = []
    for rule in family.files:
        if rule.template in family.tables:
            box = directory.devices_by_mac[device.mac] if rule.is_of_one_device else ()
            claim = Claim("", "", device.mac, family, rule, box, device.model)
            found.append((sheet_of(office, directory, claim, now), box))
    return found


def text(sheet: Sheet) -> list[str] | str:
    try:
        return [one.text for one in written(sheet)]
    except (CannotRender, ValueError, KeyError, TypeError):
        return "refused"


def without(values: dict[str, Value], name: str) -> dict[str, Value]:
    """The values as they are when the layer that decides says nothing: those of the layer below, or none."""
    gone = values[name]
    left = {key: value for key, value in values.items() if key != name}
    if len(gone.stack) == 1:
        return left
    layer, value = gone.stack[-2]
    return left | {name: Value(name, value, layer, gone.stack[:-1])}


def less(settings: Settings, name: str) -> Settings:
    told = without(settings.origins, name)
    return Settings({n.removeprefix(settings.prefix): v.value for n, v in told.items()}, settings.prefix, lambda: told)


def with_less(sheet: Sheet, name: str) -> Sheet:
    if name in sheet.settings.origins:
        return replace(sheet, settings=less(sheet.settings, name))
    lines = []
    for line in sheet.lines:
        if name not in line.get.origins:
            lines.append(line)
            continue
        get = less(line.get, name)
        lines.append(replace(line, enabled=bool(get.get("enabled")), get=get))
    return replace(sheet, lines=tuple(lines))


@pytest.mark.parametrize(("family", "case"), CASES, ids=[f"{family.id} {case.stem}" for family, case in CASES])
def test_without_what_the_named_layer_says_the_output_is_another(family, case):
    for sheet, box in sheets(family, case):
        whole = text(sheet)
        matters = cache(lambda name, sheet=sheet, whole=whole: text(with_less(sheet, name)) != whole)
        for one in written(sheet):
            if not isinstance(one, Written) or not (one.row and one.row.formula and one.row.formula.names):
                continue
            sources = sources_of(sheet, box, one)
            assert sources, f"no layer is named for {one.name}"
            assert all(source.layer for source in sources), one.name
            settings = [source for source in sources if source.stack]
            if settings and len(settings) == len(sources):
                changing = any(matters(source.name) for source in settings)
                says_the_same = all(len({value for _, value in source.stack[-2:]}) == 1 for source in settings)
                assert changing or says_the_same or _one_of_two(one.row.formula.text), (one.name, settings)


@pytest.mark.parametrize(("family", "case"), WIDE, ids=[family.id for family, _ in WIDE])
def test_what_a_family_is_said_to_be_told_changes_what_is_written(family, case):
    reached = {name for name, mark in reaches(family).items() if mark in ("written", "doubted")}
    own = [sheet for sheet, box in sheets(family, case) if box]
    whole = [text(sheet) for sheet in own]
    said = yaml.safe_load(case.read_text(encoding="utf-8"))["settings"]["domain"]
    plain = {canonical(name): name for name in said}
    alike = [
        name
        for name in reached & plain.keys()
        if all(
            text(with_less(sheet, plain[name].replace("*", "1"))) == written
            for sheet, written in zip(own, whole, strict=True)
        )
    ]
    assert {*alike} <= ALIKE


def _one_of_two(formula: str) -> bool:
    """`a or b`: while both hold, either may go."""
    return " or " in formula or " and " in formula


def test_each_parameter_names_its_file_its_formula_and_its_layers_and_no_password():
    domain = with_device(small_domain(), "101", settings={"network.vlan.id": 7})
    desk = Counter(domain)
    told = {one.name: one for one in reasons(desk.office, desk.directory, domain.devices_by_id["101"], desk.now)}
    vlan = told["static.network.vlan.internet_port_vid"]
    assert (vlan.file, vlan.layer, vlan.formula) == (f"{YEALINK}.cfg", "device 101", "network.vlan.id or clear")
    assert vlan.written == "static.network.vlan.internet_port_vid = 7"
    assert vlan.sources[0].stack == (("defaults", 0), ("device 101", 7))
    assert told["account.1.password"].layer == "device 101"
    assert HIDDEN in told["account.1.password"].written
    assert told["static.auto_provision.server.url"].layer == "service"
    assert told["account.2.enable"].layer == "family yealink/t4x_t5x"
    assert told["sip.notify_reboot_enable"].file == "y000000000066.cfg"
    assert "secret-of-101" not in str(told)
