from __future__ import annotations

import pytest

from provisioning_server.families import Families
from provisioning_server.overlay import UNSET, Layer, box_values, layers, line_values
from provisioning_server.respond import explain, unused
from provisioning_server.sheet import CannotRender
from tests.provisioning.provisioned import AT, ATA, FAMILIES, LINPHONE, YEALINK, Counter, small_domain, with_device

SETTINGS = {
    "domain": {"network.vlan.id": 1, "lines.*.expires": 100},
    "site:Toronto": {"network.vlan.id": 2, "lines.*.expires": 200},
    "user:101": {"network.vlan.id": 3, "lines.1.expires": 300},
}


def counter(**changes: object) -> Counter:
    return Counter(small_domain(**changes))


def value(desk: Counter, name: str, device: str = "101"):
    found = {
        one.name: one for one in explain(desk.office, desk.directory, desk.directory.devices_by_id[device], desk.now)
    }
    return found[name]


def test_later_layers_win_and_each_value_knows_its_layer():
    domain = with_device(small_domain(settings=SETTINGS), "101", settings={"network.vlan.id": 4})
    told = value(Counter(domain), "network.vlan.id")
    assert (told.value, told.layer) == (4, "device 101")
    assert told.stack == (
        ("defaults", 0), ("domain", 1), ("site Toronto", 2), ("user 101", 3), ("device 101", 4),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("gone", "left", "layer"),
    [
        ((), 300, "user 101"),
        (("user:101",), 200, "site Toronto"),
        (("user:101", "site:Toronto"), 100, "domain"),
        (("user:101", "site:Toronto", "domain"), 120, "defaults"),
    ],
)
def test_without_its_layer_a_value_is_that_of_the_layer_below(gone, left, layer):
    desk = counter(settings={owner: said for owner, said in SETTINGS.items() if owner not in gone})
    told = value(desk, "lines.1.expires")
    assert (told.value, told.layer) == (left, layer)
    assert f"account.1.sip_server.1.expires = {left}\n".encode() in desk.own(YEALINK).body


def test_keys_of_a_site_are_on_all_its_phones_and_a_phone_may_have_one_otherwise():
    site = {
        "keys.3.type": "blf",
        "keys.3.value": "102",
        "keys.3.label": "Desk",
        "keys.4.type": "park",
        "keys.4.value": "700",
    }
    own = {"keys.4.type": "speed", "keys.4.value": "14165550100"}
    told = small_domain(settings={"site:Toronto": site})
    first = Counter(told).own(YEALINK).body.decode()
    second = Counter(with_device(told, "101", settings=own)).own(YEALINK).body.decode()
    assert "linekey.3.type = 16\nlinekey.3.line = 1\nlinekey.3.value = 102\nlinekey.3.label = Desk\n" in first
    assert "linekey.4.type = 10\n" in first
    assert "linekey.3.value = 102\n" in second
    assert "linekey.4.type = 13\nlinekey.4.line = 1\nlinekey.4.value = 14165550100\n" in second


def test_within_a_layer_the_numbered_line_wins_over_every_line():
    stack = [Layer("low", {"lines.2.expires": 60}), Layer("high", {"lines.*.expires": 90, "lines.1.expires": 30})]
    assert line_values(stack, 1)["lines.1.expires"].value == 30
    # the higher layer speaks of every line, so also of the second
    assert line_values(stack, 2)["lines.2.expires"].value == 90
    assert "lines.2.expires" not in line_values(stack, 1)


def test_unset_removes_a_value_and_what_lies_below():
    stack = [Layer("low", {"a": 1, "b": 2}), Layer("high", {"a": UNSET})]
    assert set(box_values(stack)) == {"b"}


def test_what_is_unset_but_needed_is_named_to_the_operator_and_to_nobody_else():
    desk = counter(settings={"domain": {"network.ntp": UNSET}})
    answer = desk.own(YEALINK)
    assert (answer.status, answer.why) == (404, "no layer sets 'network.ntp'")


def test_vendor_family_and_model_have_layers_between_defaults_and_domain():
    family = FAMILIES.by_id["yealink/t4x_t5x"]
    model = family.models["T46S"].model_copy(update={"settings": {"network.vlan.id": 7}})
    family = family.model_copy(
        update={
            "vendor_settings": {"network.vlan.id": 5},
            "settings": {"network.vlan.id": 6},
            "models": family.models | {"T46S": model},
        }
    )
    families = Families({family.id: family}, {"network.vlan.id": 4})
    domain = small_domain()
    stack = layers(families, family, domain, AT, device=domain.devices_by_id["101"])
    told = box_values(stack)["network.vlan.id"]
    assert told.stack == (
        ("defaults", 4), ("vendor yealink", 5), ("family yealink/t4x_t5x", 6), ("model T46S", 7),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "zone", "layer"),
    [
        ({}, "America/Toronto", "domain"),
        ({"sites": [{"name": "Toronto", "time_zone": "America/Regina"}]}, "America/Regina", "site Toronto"),
    ],
)
def test_the_time_zone_is_the_sites_or_the_domains(changes, zone, layer):
    told = value(counter(**changes), "time.zone")
    assert (told.value, told.layer) == (zone, layer)


def test_a_users_own_time_zone_reaches_the_phone():
    domain = small_domain()
    users = tuple(
        u.model_copy(update={"time_zone": "Asia/Kolkata"}) if u.extension == "101" else u for u in domain.users
    )
    desk = Counter(domain.replaced(users=users))
    assert b"local_time.time_zone = +5:30\n" in desk.own(YEALINK).body


def test_label_and_name_are_the_users_unless_the_device_has_a_label():
    assert (value(counter(), "lines.1.label").value, value(counter(), "lines.1.label").layer) == (
        "101 User101 Roy",
        "user 101",
    )
    told = value(Counter(with_device(small_domain(), "101", label="Front desk")), "lines.1.label")
    assert (told.value, told.layer) == ("Front desk", "device 101")


def test_each_port_of_an_adapter_has_settings_of_its_own():
    domain = with_device(small_domain(), "112", settings={"lines.*.expires": 600})
    body = Counter(domain).own(ATA).body
    assert b"<P32>2</P32>" in body
    assert b"<P732>10</P732>" in body


def test_explaining_tells_no_password():
    desk = counter()
    told = explain(desk.office, desk.directory, desk.directory.devices_by_id["101"], desk.now)
    assert [one.name for one in told] == sorted(one.name for one in told)
    assert "secret-of-101" not in str(told)


def test_what_is_set_and_written_nowhere_is_reported():
    settings = {"time.zonee": "x", "keys.1.type": "blf", "keys.1.value": "102", "provisioning.open": True}
    domain = with_device(small_domain(settings={"domain": {"lines.*.colour": "red", "lines.*.expires": 90}}), "101",
                         settings=settings)  # fmt: skip
    desk = Counter(domain)
    found = unused(desk.office, desk.directory, desk.directory.devices_by_id["101"], desk.now)
    assert found == ["lines.*.colour", "time.zonee"]


def test_a_setting_of_another_family_is_reported_too():
    desk = Counter(with_device(small_domain(), "107", settings={"network.lldp": False}))
    device = desk.directory.devices_by_mac[LINPHONE][0]
    assert unused(desk.office, desk.directory, device, desk.now) == ["network.lldp"]


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("network.vlan.id", 4095),
        ("network.dscp.sip", 64),
        ("network.dscp.rtp", "46"),
        ("lines.1.server.port", 0),
        ("lines.1.expires", True),
        ("lines.1.codecs", "PCMU,OPUS"),
        ("lines.1.dtmf", "morse"),
        ("lines.1.transport", "sctp"),
        ("keys.1.type", "rocket"),
        ("time.zone", "Mars/Olympus"),
        ("time.zone", "America"),
    ],
)
def test_a_value_out_of_its_range_is_refused_and_reported(name, bad):
    desk = Counter(with_device(small_domain(), "101", settings={name: bad}))
    answer = desk.own(YEALINK)
    assert answer.status == 404
    assert [event.kind for event in answer.events][-1] == "server.error"
    with pytest.raises(CannotRender):
        unused(desk.office, desk.directory, desk.directory.devices_by_id["101"], desk.now)


def test_a_value_that_no_conversion_takes_is_told_with_the_line_of_the_table():
    desk = Counter(with_device(small_domain(), "101", settings={"features.paging.groups": "224.0.1.116 All"}))
    lines = (FAMILIES.by_id["yealink/t4x_t5x"].folder / "mac.cfg.table").read_text().splitlines()
    at = next(number for number, line in enumerate(lines, start=1) if "group_address" in line)
    told = "ValueError: '224.0.1.116' is no multicast group: 224.0.1.116:10000 Everybody"
    assert desk.own(YEALINK).why == f"yealink/t4x_t5x mac.cfg.table:{at}: {told}"
