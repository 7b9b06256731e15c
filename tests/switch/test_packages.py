"""Who watches what: the event packages, their documents, how often they are told, and what outlives a restart."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from pbx.events import BusyLampSent, SubscriptionChanged
from pbx.sip.message import Request
from pbx.sip.uri import NameAddr
from pbx.switch.settings import SwitchSettings
from pbx.switch.watchers import MOST_AT_ONCE
from tests.switch.test_switch_calls import up
from tests.switch.town import Phone, Town, assert_at_rest, directory

DIALOG = "{urn:ietf:params:xml:ns:dialog-info}"
PIDF = "{urn:ietf:params:xml:ns:pidf}"
REG = "{urn:ietf:params:xml:ns:reginfo}"
ACTIVITY = ".//{urn:ietf:params:xml:ns:pidf:rpid}activities/*"


def document(notice: Request) -> ElementTree.Element:
    return ElementTree.fromstring(notice.body)


def states(notice: Request) -> list[tuple[str, str]]:
    """(direction, state) of each dialog."""
    found = document(notice).findall(f"{DIALOG}dialog")
    return [(one.get("direction", ""), one.findtext(f"{DIALOG}state", "")) for one in found]


@pytest.fixture
def cleo(town: Town) -> Phone:
    return town.phone("103")


# --- dialog -------------------------------------------------------------------------------------------


def test_a_busy_lamp_follows_a_call_in_order(town, cleo):
    assert cleo.watch("dialog", "102").status == 200
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("102")
    town.run(1.5)
    ben.answer()
    town.run(1.5)
    ana.hang_up()
    town.run(1.5)

    told = cleo.told("dialog")
    assert [states(notice) for notice in told] == [
        [],
        [("recipient", "early")],
        [("recipient", "confirmed")],
        [("recipient", "terminated")],
    ]
    assert [document(notice).get("version") for notice in told] == ["0", "1", "2", "3"]
    assert {document(notice).get("state") for notice in told} == {"full"}
    assert [event.state for event in town.seen(BusyLampSent)] == ["idle", "ringing", "in-use", "idle"]


def test_a_dialog_says_who_the_other_party_is_as_its_phone_is_shown(town, cleo):
    cleo.watch("dialog", "102")
    ana = town.phone("101")
    town.phone("102")
    ana.dial("102")
    town.run(1.0)
    (dialog,) = document(cleo.told("dialog")[-1]).findall(f"{DIALOG}dialog")
    identity = dialog.find(f"{DIALOG}remote/{DIALOG}identity")
    assert identity is not None
    assert (identity.text, identity.get("display")) == ("sip:101@acme.lab", "Ana Silva")
    assert dialog.findtext(f"{DIALOG}local/{DIALOG}identity") == "sip:102@acme.lab"
    ana.hang_up()


def test_what_a_lamp_shows_picks_the_ringing_call_up(town, cleo):
    cleo.watch("dialog", "102")
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("102")
    town.run(1.0)
    (dialog,) = document(cleo.told("dialog")[-1]).findall(f"{DIALOG}dialog")
    # RFC 3891 §7.1, with the tags as the notifier of the dialog has them
    value = f"{dialog.get('call-id')};to-tag={dialog.get('remote-tag')};from-tag={dialog.get('local-tag')}"
    cleo.dial("102", headers=[("Replaces", f"{value};early-only")])
    town.run(2.0)
    assert (cleo.talk.state, ana.talk.state, ben.talk.state) == ("up", "up", "over")
    assert cleo.heard[-1] == "signature:101"
    cleo.hang_up()


def test_the_caller_is_watched_too_and_hold_is_told(town, cleo):
    cleo.watch("dialog", "101")
    ana, _ = up(town)
    town.run(1.0)
    assert states(cleo.told("dialog")[-1]) == [("initiator", "confirmed")]
    ana.reoffer("sendonly")
    town.run(1.5)
    param = document(cleo.told("dialog")[-1]).find(f".//{DIALOG}param")
    assert param is not None
    assert (param.get("pname"), param.get("pvalue")) == ("+sip.rendering", "no")
    ana.hang_up()


def test_a_burst_of_changes_is_told_once(town, cleo):
    cleo.watch("dialog", "102")
    ana, ben = town.phone("101"), town.phone("102")
    before = len(cleo.told("dialog"))
    for _ in range(5):  # rings, is given up, rings again: all within a second
        ana.dial("102")
        town.run(0.08)
        ana.hang_up()
        town.run(0.08)
    town.run(3.0)
    told = cleo.told("dialog")[before:]
    assert len(told) <= 3
    assert all(state == "terminated" for _, state in states(told[-1]))
    assert ben.talk.state == "over"


def test_what_xml_cannot_hold_disturbs_nobody(town, cleo):
    cleo.watch("dialog", "102")
    town.phone("102")
    town.carrier.dial("14165550102", who=NameAddr("sip:+14165550142@x", 'A<&>"\x01\udcff'))
    town.run(1.0)
    assert all(document(notice) is not None for notice in cleo.told("dialog"))
    town.carrier.hang_up()


def test_only_devices_of_the_domain_watch_and_only_what_is_there(town, cleo):
    assert cleo.watch("dialog", "999").status == 404
    stranger = town.phone("199", registered=False)
    assert stranger.watch("dialog", "102").status == 403
    assert cleo.watch("dialog", "102", accept="application/pidf+xml").status == 406
    assert town.seen(SubscriptionChanged) == []


# --- presence -----------------------------------------------------------------------------------------


def seen(notice: Request) -> tuple[str, list[str]]:
    it = document(notice)
    return it.findtext(f".//{PIDF}basic", ""), [one.tag.rpartition("}")[2] for one in it.findall(ACTIVITY)]


def test_presence_tells_who_can_be_reached_and_who_is_talking(town, cleo):
    cleo.watch("presence", "102")
    ana, ben = town.phone("101"), town.phone("102")
    town.run(1.5)
    ana.dial("102")
    town.run(1.0)
    ben.answer()
    town.run(1.5)
    ana.hang_up()
    town.run(1.5)
    town.switch.set_do_not_disturb("102", True, town.now)
    town.run(1.5)
    town.switch.set_do_not_disturb("102", False, town.now)
    town.run(1.5)
    ben.register(0)
    town.run(1.5)
    assert [seen(notice) for notice in cleo.told("presence")] == [
        ("closed", []),
        ("open", []),
        ("open", ["on-the-phone"]),
        ("open", []),
        ("open", ["busy"]),
        ("open", []),
        ("closed", []),
    ]


def test_a_telephone_that_does_not_count_makes_nobody_present(town, cleo):
    devices = town.switch.configured.devices
    town.switch.apply(
        town.switch.configured.replaced(
            devices=tuple(d.model_copy(update={"ignored_for_presence": d.id == "102"}) for d in devices)
        ),
        town.now,
    )
    cleo.watch("presence", "102")
    town.phone("102")
    town.run(1.5)
    assert [seen(notice) for notice in cleo.told("presence")] == [("closed", [])]


# --- reg ----------------------------------------------------------------------------------------------


def test_a_device_watches_its_own_registrations_alone(town, cleo):
    assert cleo.watch("reg", "102").status == 403
    assert cleo.watch("reg", "103").status == 200
    cleo.register(0)
    first, last = (document(notice) for notice in cleo.told("reg"))
    registration = first.find(f"{REG}registration")
    assert registration is not None
    assert (registration.get("aor"), registration.get("state")) == ("sip:103@acme.lab", "active")
    assert first.findtext(f".//{REG}uri") == f"sip:103@{cleo.host}:5060"
    contact = last.find(f".//{REG}contact")
    assert contact is not None
    assert (contact.get("state"), contact.get("event")) == ("terminated", "unregistered")


def test_a_refresh_is_no_news(town, cleo):
    cleo.watch("reg", "103")
    cleo.register()
    town.run(2.0)
    assert len(cleo.told("reg")) == 1


# --- ua-profile and check-sync ------------------------------------------------------------------------


@pytest.fixture
def provisioned() -> Iterator[Town]:
    settings = SwitchSettings(config_url=lambda device: f"http://10.0.0.2/p/{device}.cfg")
    made = Town(directory(), settings=settings)
    yield made
    assert_at_rest(made)


def test_a_phone_is_told_where_its_configuration_is(provisioned):
    ben = provisioned.phone("102")
    profile = 'ua-profile;profile-type="device";vendor="x";model="y";version="1"'
    assert ben.watch(profile, "103").status == 403
    assert ben.watch(profile, "102", accept="application/url").status == 200
    assert ben.told("ua-profile")[-1].body == b"http://10.0.0.2/p/102.cfg"
    assert ben.watch(profile, "102").status == 200
    kind = ben.told("ua-profile")[-1].get("Content-Type")
    assert kind == 'message/external-body;access-type="URL";URL="http://10.0.0.2/p/102.cfg"'


def test_without_provisioning_there_is_no_profile(town, cleo):
    assert cleo.watch("ua-profile", "103").status == 404


def test_who_subscribed_to_check_sync_is_told_there_and_once(town, cleo):
    assert cleo.watch("check-sync;id=7", "103").status == 200
    town.switch.resync("103", town.now, event="check-sync;reboot=true")
    town.run(1.0)
    first, asked = cleo.told("check-sync")
    assert (first.get("Event"), asked.get("Event")) == ("check-sync;id=7", "check-sync;reboot=true;id=7")
    assert asked.call_id == first.call_id


def test_many_who_watch_are_looked_at_in_portions_that_let_others_in_between(town, cleo):
    watched = ("101", "102", "104", *(str(slot) for slot in range(700, 710)))
    for whom in watched * 8:
        assert cleo.watch("dialog", whom, expires_s=3600).status == 200
    assert len(town.switch.watchers.notifier) > MOST_AT_ONCE
    town.run(1.5)
    town.switch.apply(town.switch.directory, town.now)
    assert town.switch.next_deadline() <= town.mono
    town.switch.tick(town.now)
    assert town.switch.next_deadline() > town.mono


# --- what outlives a restart, and what does not -------------------------------------------------------


def test_a_restart_keeps_subscriptions_and_tells_the_present_state(town, cleo):
    cleo.watch("dialog", "102")
    ana, _ = up(town)
    town.run(1.5)
    assert states(cleo.told("dialog")[-1]) == [("recipient", "confirmed")]
    town.restart()
    town.run(2.0)
    notice = cleo.told("dialog")[-1]
    assert states(notice) == []
    before = cleo.told("dialog")[-2]
    assert notice.cseq.number > before.cseq.number
    assert int(document(notice).get("version", "")) > int(document(before).get("version", ""))
    assert (notice.get("Subscription-State") or "").startswith("active")

    ana.talk.state = "over"
    ana.dial("102")
    town.run(1.5)
    assert states(cleo.told("dialog")[-1]) == [("recipient", "early")]
    ana.hang_up()


def test_a_subscription_that_ended_is_not_there_after_a_restart(town, cleo):
    cleo.watch("dialog", "102", expires_s=10)
    town.run(12.0)
    assert list(town.history.subscriptions()) == []
    assert (cleo.told("dialog")[-1].get("Subscription-State") or "") == "terminated;reason=timeout"


def test_whose_state_is_gone_is_told_and_forgotten(town, cleo):
    cleo.watch("dialog", "104")
    smaller = town.switch.directory
    users = tuple(user for user in smaller.users if user.extension != "104")
    devices = tuple(device for device in smaller.devices if device.extension != "104")
    queues = tuple(queue for queue in smaller.queues if queue.extension != "502")
    town.switch.apply(smaller.replaced(users=users, devices=devices, queues=queues), town.now)
    town.run(1.5)
    assert cleo.told("dialog")[-1].get("Subscription-State") == "terminated;reason=noresource"
    assert len(town.switch.watchers.notifier) == 0


def test_nobody_is_on_the_wire_for_a_phone_that_is_gone(town, cleo):
    cleo.watch("dialog", "102")
    ana = town.phone("101")
    town.phone("102")
    town.unplug(cleo)
    ana.dial("102")
    town.run(1.0)
    ana.hang_up()
    town.run(40.0)
    assert len(town.switch.watchers.notifier) == 0
    assert list(town.history.subscriptions()) == []
