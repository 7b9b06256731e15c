"""Registration, who may call, durable answers and restarts: through the switch in virtual time."""

from datetime import timedelta

import pytest

from pbx.callflow.ports import CallRecord, Change
from pbx.clock import moment_at
from pbx.domain.registrations import Binding, Peer
from pbx.events import (
    CallInvited,
    DeviceRefreshed,
    DeviceRegistered,
    DeviceUnregistered,
    DirectoryChanged,
    RegistrationExpired,
    RegistrationRefused,
    ResyncRequested,
    SipRequest,
    SipResponse,
)
from pbx.sip.message import Request, parse
from pbx.sip.uri import NameAddr
from pbx.store.memory import MemoryStore
from pbx.switch.settings import SwitchSettings
from tests.switch.town import CARRIER_HOST, DOMAIN, EPOCH, SWITCH, Town, assert_at_rest, directory


class SlowStore(MemoryStore):
    """Durable only when it is told so."""

    def __init__(self) -> None:
        super().__init__()
        self.ticket = 0

    def submit(self, change: Change) -> int:
        super().submit(change)
        self.ticket += 1
        return self.ticket


def statuses(town, method="REGISTER", direction="out"):
    return [e.status for e in town.seen(SipResponse) if (e.method, e.direction) == (method, direction)]


def test_a_phone_is_challenged_and_registered(town):
    phone = town.phone("101")
    assert statuses(town) == [407, 200]
    event = town.last(DeviceRegistered)
    assert (event.device, event.extension, event.expires_s, event.user_agent) == ("101", "101", 300, "town phone")
    assert event.address == f"udp:{phone.host}:5060"
    assert town.switch.registered() == {"101"}
    phone.register()
    assert len(town.seen(DeviceRefreshed)) == 1


def test_the_challenge_may_be_401():
    town = Town(directory(), settings=SwitchSettings(challenge=401))
    town.phone("101")
    assert statuses(town) == [401, 200]


def test_a_wrong_password_an_unknown_user_and_another_ones_name_look_alike(town):
    ana, stranger = town.phone("101", registered=False), town.phone("199", registered=False)
    liar = town.phone("102", registered=False)
    liar.who = NameAddr(f"sip:101@{DOMAIN}")

    answers = [ana.register(password="wrong"), stranger.register(), liar.register()]

    assert [(answer.status, answer.reason) for answer in answers] == [(403, answers[0].reason)] * 3
    assert [e.device for e in town.seen(RegistrationRefused)] == ["101", "199", "102"]
    assert town.switch.registered() == frozenset()


def test_a_registration_ends_by_itself_or_on_request(town):
    town.phone("101").register(30)
    town.phone("102").register(0)
    assert [e.device for e in town.seen(DeviceUnregistered)] == ["102"]

    town.run(29.5)

    assert [e.device for e in town.seen(RegistrationExpired)] == ["101"]
    assert town.switch.registered() == frozenset()
    assert town.history.bindings() == []


def test_nobody_calls_without_a_password_or_in_anothers_name(town):
    town.phone("102")
    liar = town.phone("101")
    liar.dial("102", who=NameAddr(f"sip:102@{DOMAIN}"))
    town.run(1.0)
    assert liar.talk.status == 403
    assert town.seen(CallInvited) == []


def test_a_user_with_no_registered_phone_has_voicemail_answer_at_once(town):
    ana = town.phone("101")
    ana.dial("102")
    town.run(1.0)
    assert ana.talk.state == "up"
    ana.hang_up()


def test_a_200_leaves_when_the_binding_is_durable_and_a_repeated_register_does_not_get_it_earlier():
    store = SlowStore()
    town = Town(directory(), history=store)
    phone = town.phone("101", registered=False)
    phone.register()
    town.run(3.0)  # the phone repeats itself
    assert sum(e.direction == "in" and e.method == "REGISTER" for e in town.seen(SipRequest)) > 2
    assert [response.status for response in phone.responses] == []
    assert town.switch.live()["held"] == 1

    town.switch.confirm(store.ticket, town.now)
    town.run(1.0)

    assert [response.status for response in phone.responses] == [200]
    assert_at_rest(town)


def test_a_record_is_announced_when_it_is_durable():
    from pbx.events import CallEnded, CallRecordWritten

    store = SlowStore()
    town = Town(directory(), history=store)
    phone = town.phone("101", registered=False)
    phone.dial("199")
    town.run(1.0)
    assert (len(town.seen(CallEnded)), len(town.seen(CallRecordWritten))) == (1, 0)
    town.switch.confirm(store.ticket, town.now)
    assert len(town.seen(CallRecordWritten)) == 1


def test_a_new_switch_knows_the_bindings_and_goes_on_counting_calls(town):
    ana = town.phone("101")
    ana.dial("199")
    town.run(1.0)

    again = Town(directory(), history=town.history)

    assert again.switch.registered() == {"101"}
    assert again.switch.next_call_id() == "c-0002"


def test_bindings_of_a_device_that_is_no_more_go_with_it(town):
    town.phone("101")
    town.phone("102")
    smaller = directory()
    smaller = smaller.replaced(devices=tuple(device for device in smaller.devices if device.id != "102"))

    town.switch.apply(smaller, town.now, "devices")

    assert town.switch.registered() == {"101"}
    assert (town.last(DirectoryChanged).what, town.last(DirectoryChanged).revision) == ("devices", 2)


def test_a_lost_connection_takes_its_registrations_along():
    store = MemoryStore()
    peer = Peer("tcp", "10.0.3.1", 40000)
    from pbx.callflow.ports import BindingSaved

    store.submit(
        BindingSaved(Binding("101", "101", "sip:101@10.0.3.1:5060", peer, EPOCH.timestamp() + 600, "c", 1, "", "x"))
    )
    town = Town(directory(), history=store)
    assert town.switch.registered() == {"101"}
    town.switch.closed(peer, town.now)
    assert town.switch.registered() == frozenset()
    assert store.bindings() == []


def test_a_phone_that_moved_is_known_at_its_new_address_only(town):
    phone = town.phone("101")
    old = Peer("udp", phone.host, 5060)
    assert list(town.switch.registration.devices_at(old)) == ["101"]
    town.unplug(phone)
    phone.host = "10.0.1.77"
    town._add(phone)
    phone.register()
    assert list(town.switch.registration.devices_at(Peer("udp", "10.0.1.77", 5060))) == ["101"]


def test_a_phone_is_told_to_fetch_its_configuration_again(town):
    town.phone("101")
    assert town.switch.resync("101", town.now)
    town.run(1.0)
    assert not town.switch.resync("102", town.now)
    assert [e.device for e in town.seen(ResyncRequested)] == ["101"]
    notify = next(e for e in town.seen(SipRequest) if e.method == "NOTIFY")
    assert "Event: check-sync;reboot=false" in notify.text


@pytest.mark.parametrize(("method", "status"), [("OPTIONS", 200), ("NOTIFY", 405), ("FROBNICATE", 501)])
def test_other_requests_get_what_they_are_owed(town, method, status):
    response = town.phone("101").request(method)
    assert response.status == status
    assert "INVITE" in (response.get("Allow") or "")


def test_messages_are_traced_with_their_device_and_without_secrets(town):
    town.phone("101").register()
    inside = [e for e in town.seen(SipRequest) if e.direction == "in"]
    assert inside[-1].device == "101"
    assert all('response="' not in e.text or 'response="***' in e.text or "***" in e.text for e in inside)


def test_why_before_a_call_is_the_record_of_the_call(town):
    from pbx.callflow.question import Asked
    from pbx.events import CallRouted

    ana = town.phone("101")
    town.phone("102")
    for dialled in ("102", "103", "104", "400", "500", "5001", "7102", "611", "911", "4165550190", "199", "101"):
        before = town.switch.why(Asked(dialled, "101", "101", "101"), town.now).to_json()
        ana.dial(dialled)
        town.run(0.5)
        first = [e for e in town.seen(CallRouted) if e.first][-1]
        assert (first.dialled, first.record) == (dialled, before)
        ana.hang_up()
        town.run(1.0)


def test_calls_of_an_address_that_is_not_the_carriers_are_challenged(town):
    stranger = town.phone("102", registered=False)
    stranger.credentials = None  # type: ignore[assignment]
    stranger.dial("+14165550101")
    town.run(1.0)
    assert stranger.talk.status == 407
    assert SWITCH.host != CARRIER_HOST


def test_rows_of_the_history_that_are_no_calls_of_ours_do_not_matter():
    class Strange(MemoryStore):
        def records(self):
            return [CallRecord("import-77", "", "", "", "", "", "", "", 0, 0, 0, 0, 0, "")]

    assert Town(directory(), history=Strange()).switch.next_call_id() == "c-0001"
    assert moment_at(0, EPOCH).wall == EPOCH


def test_a_device_that_the_operator_unregisters_is_gone_until_it_registers_again(town):
    phone = town.phone("101")
    assert town.switch.unregister("101", town.now)
    assert town.switch.registered() == frozenset()
    assert [e.device for e in town.seen(RegistrationExpired)] == ["101"]
    assert not town.switch.unregister("101", town.now)
    phone.register()
    assert town.switch.registered() == {"101"}


def test_a_phone_behind_a_proxy_is_called_through_it(town):
    ana, ben = town.phone("101"), town.phone("102", registered=False)
    path = ("Path", f"<sip:edge@{ben.host};lr>")
    headers = [("Contact", "<sip:102@192.168.7.7:5060>"), ("Expires", "300"), ("Supported", "path"), path]
    ben.stack.request(
        "REGISTER", f"sip:{DOMAIN}", SWITCH, from_=ben.who, to=ben.who, now=town.mono, headers=headers,
        credentials=ben.credentials,
    )  # fmt: skip
    town.run(0.5)
    assert ben.responses[-1].all("Path") == [path[1]]
    heard = []
    take = ben.receive
    ben.receive = lambda data, source: (heard.append(parse(data)), take(data, source))[1]
    ana.dial("102")
    town.run(0.5)
    ana.hang_up()
    town.run(1.0)
    assert [(it.method, it.uri, it.all("Route")) for it in heard if isinstance(it, Request)] == [
        (method, "sip:102@192.168.7.7:5060", [path[1]]) for method in ("INVITE", "CANCEL", "ACK")
    ]


def test_a_phone_that_holds_the_former_password_registers_and_calls_until_the_overlap_ends(town):
    ana, ben = town.phone("101"), town.phone("102")
    old, new = town.switch.directory, "n" * 24
    until = town.now.wall + timedelta(hours=1)
    devices = tuple(d.rotated(new, "", until) if d.id == "101" else d for d in old.devices)
    town.switch.apply(old.replaced(devices=devices), town.now, "rotation")
    assert ana.register().status == 200
    ana.dial("102")
    town.run(1.0)
    assert len(ben.talks) == 1
    ana.hang_up()
    town.run(1.0)
    assert ana.register(password=new).status == 200
    assert ana.register(password="z").status == 403
    town.run(3600.0)
    assert ana.register().status == 403
    assert ana.register(password=new).status == 200
