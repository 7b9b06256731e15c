"""Voicemail, attendant, queue, hold, transfer, 611, 911, outside calls: through the switch in virtual time."""

import pytest

from pbx.events import (
    AgentOffered,
    CallEarly,
    CallEnded,
    CallHeld,
    CallRecordWritten,
    CallResumed,
    CallRinging,
    CallRouted,
    CallTransferred,
    DigitReceived,
    EmergencyCalled,
    LampSent,
    LegInvited,
    MenuChosen,
    MenuEntered,
    PromptPlayed,
    QueueJoined,
    QueueLeft,
    SubscriptionChanged,
    VoicemailDeleted,
    VoicemailGreeted,
    VoicemailHeard,
    VoicemailLeft,
    VoicemailOpened,
    VoicemailRefused,
)
from pbx.media.sdp import offer
from pbx.sip.uri import NameAddr
from tests.switch.test_switch_calls import up
from tests.switch.town import DOMAIN, SWITCH, Town, assert_at_rest, directory

# --- voicemail and its lamp ---------------------------------------------------------------------------


def leave_message(town, caller, box="102", speaks_s=3.0):
    caller.dial(f"7{box}")
    town.run(6.0)  # greeting: two sentences and three digits
    assert caller.heard[-1] == "tone:beep"
    town.run(speaks_s)
    caller.hang_up()
    town.run(1.0)


def test_nobody_answers_so_a_message_is_left_and_the_lamp_is_lit(town):
    ana, ben = town.phone("101"), town.phone("102")
    ben.subscribe()
    assert "Messages-Waiting: no" in ben.lamps[-1]

    ana.dial("102")
    town.run(4.5)
    assert town.last(VoicemailGreeted).box == "102"
    town.run(9.0)
    ana.hang_up()
    town.run(1.0)

    left = town.last(VoicemailLeft)
    assert (left.box, left.caller_number, left.heard) == ("102", "101", "signature:101")
    assert 2.0 < left.seconds < 4.5
    assert "Messages-Waiting: yes" in ben.lamps[-1]
    assert "Voice-Message: 1/0" in ben.lamps[-1]
    lamp = town.last(LampSent)
    assert (lamp.device, lamp.box, lamp.new, lamp.waiting) == ("102", "102", 1, True)
    record = town.last(CallRecordWritten)
    assert (record.disposition, record.answered_by) == ("VOICEMAIL", "102")


def test_hanging_up_at_the_beep_leaves_no_message(town):
    ana = town.phone("101")
    leave_message(town, ana, speaks_s=0.1)
    assert town.seen(VoicemailLeft) == []
    assert town.history.messages("102") == []


def test_a_message_is_heard_deleted_and_the_lamp_goes_out(town):
    ana, ben = town.phone("101"), town.phone("102")
    ben.subscribe()
    leave_message(town, ana)

    ben.dial("5001")
    town.run(0.5)
    ben.press("4102#")
    town.run(3.5)
    assert town.last(VoicemailOpened).box == "102"
    assert ben.heard[-1] == "signature:101"
    town.run(4.0)
    assert town.last(VoicemailHeard).message == town.last(VoicemailLeft).message
    ben.press("7")
    town.run(1.5)

    assert town.last(VoicemailDeleted).box == "102"
    assert [message.folder for message in town.history.messages("102")] == ["trash"]
    assert "Messages-Waiting: no" in ben.lamps[-1]
    ben.press("#")
    town.run(3.0)
    assert ben.talk.state == "over"


def test_a_message_that_was_heard_is_saved(town):
    ana, ben = town.phone("101"), town.phone("102")
    ben.subscribe()
    leave_message(town, ana)

    ben.dial("5001")
    town.run(0.5)
    ben.press("4102#")
    town.run(15.0)
    ben.press("#")
    town.run(3.0)

    assert [message.folder for message in town.history.messages("102")] == ["saved"]
    assert "Voice-Message: 0/1" in ben.lamps[-1]
    assert ben.talk.state == "over"


def test_three_wrong_pins_end_the_call(town):
    ben = town.phone("102")
    ben.dial("5000")
    town.run(0.5)
    for _ in range(3):
        ben.press("102#9999#")
        town.run(1.2)
    town.run(2.0)

    assert [(e.box, e.attempt) for e in town.seen(VoicemailRefused)] == [("102", 1), ("102", 2), ("102", 3)]
    assert ben.talk.state == "over"
    assert town.seen(VoicemailOpened) == []


def test_do_not_disturb_does_not_ring(town):
    ana, dev = town.phone("101"), town.phone("104")
    ana.dial("104")
    town.run(1.0)

    assert dev.talks == []
    assert town.seen(CallRinging) == []
    assert town.last(VoicemailGreeted).box == "104"
    ana.hang_up()


def test_do_not_disturb_set_by_feature_ends_with_it(town):
    ana, ben = town.phone("101"), town.phone("102")
    town.switch.set_do_not_disturb("102", True, town.now)
    ana.dial("102")
    town.run(1.0)
    ana.hang_up()
    assert ben.talks == []

    town.switch.set_do_not_disturb("102", False, town.now)
    ana.dial("102")
    town.run(1.0)
    assert len(ben.talks) == 1
    ana.hang_up()


def test_a_subscription_ends_when_the_phone_says_so_or_is_gone(town):
    ben = town.phone("102")
    ben.subscribe()
    ben._subscriber.send(ben.credentials, town.mono, 0)
    town.run(1.0)
    assert [e.state for e in town.seen(SubscriptionChanged)] == ["active", "terminated"]


def test_a_lamp_subscription_belongs_to_the_device_that_made_it(town):
    ben, cleo = town.phone("102"), town.phone("103")
    ben.subscribe()
    (kept,) = town.switch.watchers.notifier.of("102", "message-summary")
    headers = [("Event", "message-summary"), ("Contact", "<sip:103@10.0.1.2>"), ("Expires", "60")]
    cleo.stack.request(
        "SUBSCRIBE", f"sip:{DOMAIN}", SWITCH, from_=cleo.who, to=kept.local, now=town.mono, headers=headers,
        credentials=cleo.credentials, call_id=kept.call_id, cseq=90,
    )  # fmt: skip
    town.run(1.0)
    assert cleo.responses[-1].status == 481
    assert kept.target == ben.stack.origin.contact(ben.who, SWITCH)


def test_a_lamp_subscription_refreshed_out_of_order_is_refused_and_stays(town):
    ben = town.phone("102")
    ben.subscribe()
    (kept,) = town.switch.watchers.notifier.of("102", "message-summary")
    ben._subscriber._cseq = 0
    ben._subscriber.send(ben.credentials, town.mono, 0)
    town.run(1.0)
    assert ben.responses[-1].status == 500
    assert town.switch.watchers.notifier.of("102", "message-summary") == [kept]


def test_the_lamp_of_a_phone_that_restarts_again_and_again_does_not_pile_up(town):
    ben = town.phone("102")
    for number in range(12):
        answer = ben.request(
            "SUBSCRIBE", Event=f"message-summary;id={number}", Contact="<sip:102@10.0.1.1>", Expires="600"
        )
        assert answer.status == 200
    kept = town.switch.watchers.notifier.of("102", "message-summary")
    assert [subscription.event for subscription in kept] == [f"message-summary;id={n}" for n in range(4, 12)]
    assert ben.lamp_events[-1] == "message-summary;id=11"


def test_a_lamp_subscription_wants_the_right_package_and_a_password(town):
    ben = town.phone("102")
    response = ben.request("SUBSCRIBE", Event="weather", Contact="<sip:102@10.0.1.1>", Expires="60")
    every = "check-sync, dialog, message-summary, presence, reg, ua-profile"
    assert (response.status, response.get("Allow-Events")) == (489, every)
    response = ben.request("SUBSCRIBE", Event="message-summary", Expires="60")
    assert response.status == 400  # no Contact
    stranger = town.phone("199", registered=False)
    response = stranger.request("SUBSCRIBE", Event="message-summary", Contact="<sip:199@10.0.1.2>")
    assert response.status == 403


# --- attendant ----------------------------------------------------------------------------------------


def test_a_key_leads_to_a_user(town):
    ana, ben = town.phone("101"), town.phone("102")
    ben.dial("400")
    town.run(0.5)
    assert ben.heard[-1] == "prompt:attendant-welcome"
    ben.press("1")
    town.run(2.0)

    assert [(e.attendant, e.menu) for e in town.seen(MenuEntered)] == [("400", "main")]
    chosen = town.last(MenuChosen)
    assert (chosen.keys, chosen.destination) == ("1", "user:101")
    assert ben.heard[-1] == "tone:ringback"
    ana.answer()
    town.run(1.0)
    assert ben.heard[-1] == "signature:101"
    ben.hang_up()
    town.run(1.0)
    assert town.last(CallRecordWritten).answered_by == "101"


def test_keys_may_come_by_info(town):
    ben = town.phone("102")
    ben.dial("400")
    town.run(0.5)
    ben.info("3")
    town.run(0.5)

    assert [(e.digit, e.method) for e in town.seen(DigitReceived)] == [("3", "info")]
    assert [e.menu for e in town.seen(MenuEntered)] == ["main", "more"]
    ben.hang_up()


def test_a_phone_that_sends_its_keys_in_both_ways_presses_each_once(town):
    ben = town.phone("102")
    ben.dial("400")
    town.run(0.5)
    for key in "39":
        ben.press(key)
        ben.info(key)
        town.run(0.5)

    assert [(e.digit, e.method) for e in town.seen(DigitReceived)] == [("3", "rfc4733"), ("9", "rfc4733")]
    assert [e.menu for e in town.seen(MenuEntered)] == ["main", "more", "main"]
    ben.hang_up()


def test_a_key_by_info_reaches_the_other_end_as_a_telephone_event(town):
    ana, ben = up(town)
    ben.info("3")
    ben.info("#")
    town.run(1.0)
    assert ana.keys == ["3", "#"]
    ana.info("5")
    town.run(1.0)
    assert ben.keys == ["5"]
    ben.hang_up()


def test_a_key_sent_both_ways_reaches_the_other_end_once(town):
    ana, ben = up(town)
    for key in "39":
        ben.info(key)
        ben.press(key)
    town.run(1.0)
    assert ana.keys == ["3", "9"]
    ben.hang_up()


def test_a_key_by_info_stays_an_info_where_no_telephone_events_were_agreed(town):
    ana, ben = town.phone("101"), town.phone("102")
    plain = offer(ben.engine.open("plain"))
    plain = b"\r\n".join(line for line in plain.split(b"\r\n") if b":101 " not in line).replace(b" 0 8 101", b" 0 8")
    ben.dial("101", sdp=plain)
    town.run(0.5)
    ana.answer()
    town.run(0.5)
    ana.info("5")
    town.run(1.0)
    assert ben.keys == ["5"]
    ben.hang_up()


def test_an_extension_is_dialled_through_the_attendant(town):
    ana, mobile = town.phone("103"), town.phone("102")
    ana.dial("400")
    town.run(0.5)
    ana.press("102")
    town.run(1.5)
    assert mobile.talk.state == "ringing"
    ana.hang_up()


def test_a_caller_who_hangs_up_in_the_attendant_was_answered_by_it(town):
    ben = town.phone("102")
    ben.dial("400")
    town.run(3.0)
    ben.hang_up()
    town.run(1.0)
    record = town.last(CallRecordWritten)
    assert (record.answered_by, record.disposition) == ("400", "ANSWERED")
    assert 2.5 < record.talk_s < 3.1


def test_from_the_attendant_to_a_phone_nobody_answers_the_caller_is_told(town):
    ben, cleo = town.phone("102"), town.phone("103")
    ben.dial("400")
    town.run(0.5)
    ben.press("103")
    town.run(6.0)
    assert cleo.talk.state == "over"
    assert "prompt:not-available" in ben.heard
    town.run(2.0)
    assert ben.talk.state == "over"
    assert town.last(CallRecordWritten).disposition == "NO ANSWER"


# --- queue --------------------------------------------------------------------------------------------


def test_a_queue_greets_plays_music_rings_all_agents_and_connects_one(town):
    ana, ben, cleo = town.phone("101"), town.phone("102"), town.phone("103")
    ana.dial("500")
    town.run(0.5)
    assert ana.heard[-1] == "prompt:queue-welcome"
    assert town.seen(AgentOffered) == []

    town.run(1.5)

    assert ana.heard[-1] == "moh:jazz"
    assert {(e.agent, e.round) for e in town.seen(AgentOffered)} == {("102", 1), ("103", 1)}
    cleo.answer()
    town.run(1.0)
    assert ben.talk.state == "over"
    assert ana.heard[-1] == "signature:103"
    assert town.last(QueueJoined).position == 1
    left = town.last(QueueLeft)
    assert (left.outcome, left.agent, left.waited_s > 1) == ("answered", "103", True)
    ana.hang_up()
    town.run(1.0)
    assert town.last(CallRecordWritten).answered_by == "103"


def test_a_queue_nobody_serves_overflows_after_the_longest_wait(town):
    ana = town.phone("101")
    town.phone("102")
    ana.dial("500")
    town.run(20.5)

    rounds = [e.round for e in town.seen(AgentOffered)]
    assert rounds == list(range(1, len(rounds) + 1))
    assert 4 <= len(rounds) <= 6  # three seconds of ringing and one of rest
    assert town.last(QueueLeft).outcome == "overflow"
    assert town.last(VoicemailGreeted).box == "101"
    ana.hang_up()


def test_an_agent_who_refuses_at_once_is_not_rung_without_end(town):
    ana, ben = town.phone("101"), town.phone("102")
    ben.answers_with = 486
    ana.dial("500")
    town.run(6.0)
    assert 3 <= len(town.seen(AgentOffered)) <= 6
    ana.hang_up()
    town.run(1.0)
    assert (town.last(QueueLeft).outcome, town.last(CallRecordWritten).disposition) == ("abandoned", "CANCELLED")


def test_an_agent_in_wrap_up_is_passed_over_until_it_ends(town):
    ana, ben, mobile = town.phone("101"), town.phone("102"), town.phone("101a")
    ana.dial("500")
    town.run(2.0)
    ben.answer()
    town.run(1.0)
    ana.hang_up()
    ended = town.mono
    mobile.dial("500")
    town.run(4.0)
    assert len(ben.talks) == 1

    town.run(2.0)

    assert len(ben.talks) == 2
    assert ended + 5 <= town.mono
    mobile.hang_up()


def test_a_full_queue_refuses_and_hunts_from_the_top(town):
    ana, _, _, mobile = (town.phone(name) for name in ("101", "102", "103", "101a"))
    ana.dial("501")
    town.run(4.0)
    assert [e.agent for e in town.seen(AgentOffered)] == ["102", "103"]

    mobile.dial("501")
    town.run(1.0)

    assert (mobile.talk.status, town.last(QueueLeft).outcome) == (486, "refused")
    ana.hang_up()


def test_a_queue_that_requires_agents_and_has_none_forwards_at_once(town):
    ana = town.phone("101")
    ana.dial("502")
    town.run(0.5)
    assert town.last(VoicemailGreeted).box == "101"
    assert town.seen(AgentOffered) == []
    ana.hang_up()


# --- hold and transfer --------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["sendonly", "inactive", "0.0.0.0"])
def test_the_held_party_hears_the_music_of_the_holders_site(town, direction):
    ana, ben = up(town)
    ben.town.run(0.1)
    ana.reoffer(direction)
    town.run(1.0)
    assert town.last(CallHeld).device == "101"
    assert ben.heard[-1] == "moh:jazz"
    assert town.last(PromptPlayed).source == "moh:jazz"

    ana.reoffer("sendrecv")
    town.run(1.5)

    assert town.last(CallResumed).device == "101"
    assert ben.heard[-1] == "signature:101"
    assert ana.heard[-1] == "signature:102"
    ana.hang_up()


@pytest.mark.parametrize("direction", ["sendonly", "inactive", "0.0.0.0"])
def test_the_called_may_hold_too_and_both_at_once(town, direction):
    """Each hears the music of who holds it, and the call is back when the last of them resumes."""
    ana, ben = up(town)
    town.run(1.0)
    ben.reoffer(direction)
    town.run(1.0)
    assert (town.last(CallHeld).device, ana.heard[-1]) == ("102", "moh:folk")
    ana.reoffer(direction)
    town.run(1.0)
    assert town.last(CallHeld).device == "101"

    ben.reoffer("sendrecv")
    town.run(1.5)
    assert (town.last(CallResumed).device, ben.heard[-1]) == ("102", "moh:jazz")
    ana.reoffer("sendrecv")
    town.run(1.5)
    assert town.last(CallResumed).device == "101"
    assert (ana.heard[-1], ben.heard[-1]) == ("signature:102", "signature:101")
    ben.hang_up()


def test_a_reoffer_that_cannot_be_served_leaves_the_call_as_it_was(town):
    ana, ben = up(town)
    ana.talk.session.reoffer(b"v=0\r\nrubbish", town.mono)
    town.run(1.0)
    assert (ana.talk.state, ben.talk.state) == ("up", "up")
    ana.hang_up()


def test_the_called_transfers_the_caller(town):
    ana, ben, cleo = *up(town), town.phone("103")
    ben.reoffer("sendonly")
    ben.refer(f"sip:103@{DOMAIN}")

    assert ben.talk.refer_lines[-1] == "SIP/2.0 200 OK"
    assert ben.talk.state == "over"
    transferred = town.last(CallTransferred)
    assert (transferred.device, transferred.target) == ("102", "103")
    assert cleo.talk.shown == ("101", "Ana Silva")
    assert ana.heard[-1] == "tone:ringback"
    cleo.answer()
    town.run(1.5)
    assert (ana.heard[-1], cleo.heard[-1]) == ("signature:103", "signature:101")
    cleo.hang_up()
    town.run(1.0)
    assert ana.talk.state == "over"
    record = town.last(CallRecordWritten)
    assert (record.device, record.answered_by) == ("101", "103")


def test_the_caller_transfers_the_called(town):
    ana, ben, cleo = *up(town), town.phone("103")
    ana.refer(f"sip:103@{DOMAIN}")

    assert ana.talk.state == "over"
    assert cleo.talk.shown == ("102", "Ben")
    cleo.answer()
    town.run(1.5)
    assert (ben.heard[-1], cleo.heard[-1]) == ("signature:103", "signature:102")
    ben.hang_up()
    town.run(1.0)
    assert cleo.talk.state == "over"
    assert len(town.seen(CallEnded)) == 1


def test_a_transfer_obeys_what_the_transferor_may_call(town):
    _, cleo = up(town, called="103")
    cleo.refer(f"sip:4165550190@{DOMAIN}")
    assert town.last(CallRouted).destination == "hangup:forbidden"
    assert [leg for leg in town.seen(LegInvited) if leg.number] == []
    town.run(5.0)
    assert town.last(LegInvited).device == "103"  # the party comes back
    cleo.reject()
    town.run(5.0)
    assert town.switch.live()["calls"] == 0


@pytest.mark.parametrize(
    ("target", "status"),
    [("sip:103@acme.lab?Replaces=abc%3Bto-tag%3D1", "400"), ("sip:acme.lab", "603")],
)
def test_a_transfer_that_cannot_be_made_is_refused_and_the_call_goes_on(town, target, status):
    ana, ben = up(town)
    ben.refer(target)
    assert ben.talk.refer_lines[-1].startswith(f"SIP/2.0 {status}")
    assert (ana.talk.state, ben.talk.state) == ("up", "up")
    ana.hang_up()


def test_keys_of_a_conversation_are_not_typed_ahead_for_what_follows(town):
    ana, ben = up(town)
    ana.press("1")
    ben.refer(f"sip:400@{DOMAIN}")
    town.run(2.0)
    assert town.last(MenuEntered).menu == "main"
    assert town.seen(MenuChosen) == []
    ana.hang_up()


# --- outside, 611, 911 --------------------------------------------------------------------------------


def test_a_call_from_outside_needs_no_password_and_shows_its_number_and_prefix(town):
    ana = town.phone("101")
    town.carrier.dial("+14165550101", who=NameAddr(f"sip:+14165550142@{DOMAIN}", "Pat Caller"))
    town.run(0.5)

    assert ana.talk.shown == ("14165550142", "SALES: Pat Caller")
    ana.answer()
    town.run(1.5)
    assert (ana.heard[-1], town.carrier.heard[-1]) == ("signature:14165550142", "signature:101")
    town.carrier.hang_up()
    town.run(1.0)
    assert town.last(CallRecordWritten).direction == "inbound"


def test_outside_callers_reach_nothing_but_the_numbers(town):
    town.phone("101")
    town.carrier.dial("101")
    town.run(0.5)
    assert town.carrier.talk.status == 404


def test_an_outside_call_shows_the_callers_own_number(town):
    ana = town.phone("101")
    town.carrier.early = True
    ana.dial("4165550190")
    town.run(1.0)

    assert town.carrier.talk.session.request.uri.startswith("sip:+14165550190@")
    assert town.carrier.talk.shown == ("14165550101", "Ana Silva")
    assert (ana.talk.status, ana.heard) == (183, ["signature:14165550142"])
    assert len(town.seen(CallEarly)) == 1
    town.carrier.answer()
    town.run(1.0)
    assert ana.talk.state == "up"
    ana.hang_up()
    town.run(1.0)
    record = town.last(CallRecordWritten)
    assert (record.direction, record.answered_by, record.disposition) == ("outbound", "14165550190", "ANSWERED")


@pytest.mark.parametrize(("refusal", "status"), [(486, 486), (404, 404), (503, 503), (480, 480), (403, 403)])
def test_why_an_outside_call_failed_reaches_the_caller(town, refusal, status):
    ana = town.phone("101")
    town.carrier.answers_with = refusal
    ana.dial("4165550190")
    town.run(1.0)
    assert ana.talk.status == status


def test_a_number_that_leads_outside_again_keeps_the_callers_number(town):
    town.carrier.dial("+14165550102", who=NameAddr(f"sip:+14165550142@{DOMAIN}"))
    town.run(0.5)
    assert town.carrier.talk.shown[0] == "14165550142"
    assert town.last(LegInvited).number == "14165550199"
    town.carrier.hang_up(town.carrier.talks[0])


def test_a_barred_user_reaches_the_emergency_desks_but_nobody_outside(town):
    cleo = town.phone("103")
    cleo.dial("4165550190")
    town.run(0.5)
    assert cleo.talk.status == 403
    assert town.carrier.talks == []

    for number, user in (("911", "emergency-operator"), ("933", "emergency-933")):
        cleo.dial(number)
        town.run(0.5)
        assert town.carrier.talk.session.request.uri == f"sip:{user}@10.0.0.9:5060"
        town.carrier.answer()
        town.run(0.5)
        assert cleo.talk.state == "up"
        cleo.hang_up()
        town.run(0.5)


def test_the_emergency_desk_is_told_where_the_caller_is(town):
    ana = town.phone("101")
    ana.dial("9911")
    town.run(0.5)

    called = town.last(EmergencyCalled)
    assert (called.code, called.device, called.callback_number) == ("911", "101", "14165550100")
    assert called.location == "1 Example St, Floor 3, Toronto ON M5X 1A1"
    assert town.carrier.talk.location == called.location
    assert town.carrier.talk.shown == ("14165550100", "Ana Silva")
    ana.hang_up()


def test_over_the_limit_calls_are_refused_but_never_an_emergency():
    base = directory()
    town = Town(directory(domain={**base.domain.model_dump(), "max_calls": 1}))
    ana, _ = up(town)
    cleo = town.phone("103")
    cleo.dial("101")
    town.run(0.5)
    assert cleo.talk.status == 503

    cleo.dial("911")
    town.run(0.5)
    assert cleo.talk.status == 180
    cleo.hang_up()
    ana.hang_up()
    assert_at_rest(town)


def test_without_a_carrier_an_outside_call_is_refused_and_the_emergency_is_still_told():
    from pbx.switch.settings import SwitchSettings

    town = Town(directory(), settings=SwitchSettings())
    ana = town.phone("101")
    for number in ("4165550190", "911"):
        ana.dial(number)
        town.run(0.5)
        assert ana.talk.status == 503
    assert len(town.seen(EmergencyCalled)) == 1
    assert_at_rest(town)
