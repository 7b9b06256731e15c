"""New credentials while phones hold the old ones."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from pbx.domain.directory import Directory
from provisioning_server.rotation import rotated
from tests.provisioning.provisioned import (
    ATA,
    FAMILIES,
    POLY,
    YEALINK,
    Counter,
    first,
    reason,
    served,
    small_domain,
    with_device,
)

DAY_S = 86_400.0


def rotate(desk: Counter, mac: str, overlap_s: float = DAY_S) -> Directory:
    numbers = itertools.count(1)
    until = desk.now.wall + timedelta(seconds=overlap_s)
    desk.directory = rotated(desk.directory, FAMILIES, mac, lambda count: f"{next(numbers):0{count}x}", until)
    return desk.directory


@pytest.mark.parametrize("mac", [YEALINK, POLY])
def test_a_phone_fetches_its_new_password_by_the_url_it_holds(mac):
    desk = Counter()
    held = desk.steady(mac)
    new = rotate(desk, mac).devices_by_mac[mac][0]
    answer = desk.own(mac, held)
    assert "opened by the steady token before the rotation" in served(answer).reason
    assert new.password.get_secret_value().encode() in answer.body
    steady = desk.office.ledger.steady_token(mac, new.token.get_secret_value())
    assert steady.encode() in answer.body
    assert steady != held
    desk.passes(DAY_S)
    assert reason(desk.own(mac, held)) == "wrong token"
    assert desk.own(mac, steady).status == 200


def test_the_old_url_opens_common_files_as_well_for_as_long():
    desk = Counter()
    held = desk.steady(POLY)
    rotate(desk, POLY)
    assert desk.ask("site.cfg", held).status == 200
    desk.passes(DAY_S)
    assert reason(desk.ask("site.cfg", held)) == "wrong token"


def test_all_lines_of_a_box_get_passwords_of_their_own_and_one_token():
    one, two = rotate(Counter(), ATA).devices_by_mac[ATA]
    assert len({one.password, two.password, one.former.password, two.former.password}) == 4
    assert one.token == two.token != one.former.token
    assert all(len(device.password.get_secret_value()) >= 20 for device in (one, two))


def test_a_phone_that_cannot_be_told_another_url_keeps_it():
    desk = Counter(with_device(small_domain(), "101", family="snom/d", model="D335"))
    held = desk.steady(YEALINK)
    new = rotate(desk, YEALINK).devices_by_mac[YEALINK][0]
    desk.passes(2 * DAY_S)
    answer = desk.ask(f"snomD335-{YEALINK.upper()}.htm", held)
    assert new.password.get_secret_value().encode() in answer.body


def test_a_second_rotation_leaves_only_the_last_credentials_beside_the_new():
    desk = Counter()
    oldest = desk.steady(YEALINK)
    rotate(desk, YEALINK)
    rotate(desk, YEALINK)
    assert reason(desk.own(YEALINK, oldest)) == "wrong token"


def test_a_box_nobody_has_is_not_rotated():
    with pytest.raises(KeyError):
        rotated(small_domain(), FAMILIES, "805ec0ffffff", lambda count: "", Counter().now.wall)


def test_no_credentials_old_or_new_stand_in_what_is_shown():
    desk = Counter()
    device = rotate(desk, YEALINK).devices_by_mac[YEALINK][0]
    shown = device.model_dump_json() + repr(device)
    assert first(YEALINK) not in shown
    assert "secret-of" not in shown
