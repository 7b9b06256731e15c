"""Calls through the switch, end to end, in virtual time."""

import gc
from weakref import ref

from pbx.events import (
    CallEnded,
    CallInvited,
    CallRecordWritten,
    CallRinging,
    CallRouted,
    CallUp,
    InputIgnored,
    LegEnded,
    LegInvited,
    MediaHeard,
    MediaOneWay,
    MediaReport,
    MediaStarted,
    MediaTwoWay,
)
from pbx.media.segment import Segment
from tests.switch.town import Town


def up(town: Town, caller: str = "101", called: str = "102"):
    """Two phones in a call."""
    one, two = town.phone(caller), town.phone(called)
    one.dial(called)
    town.run(0.5)
    two.answer()
    town.run(2.0)
    return one, two


def test_an_answered_call_carries_sound_both_ways_and_ends_by_the_caller(town):
    ana, ben = up(town)

    assert (ana.talk.state, ben.talk.state) == ("up", "up")
    assert ana.heard[-1] == "signature:102"
    assert ben.heard[-1] == "signature:101"

    ana.hang_up()
    town.run(1.0)

    assert ben.talk.state == "over"
    ended = town.last(CallEnded)
    assert (ended.device, ended.extension, ended.caller_number, ended.dialled) == ("101", "102", "101", "102")
    assert ended.cause == 16
    assert 1.9 < ended.talk_s < 2.2
    assert [(e.device, e.by) for e in town.seen(LegEnded)] == [("101", "peer"), ("102", "switch")]


def test_a_call_that_is_over_is_gone_without_the_collector_of_cycles(town):
    """Walking through all there is stops a busy switch for half a second: nothing may have to wait for that."""
    gc.collect()
    gc.disable()
    try:
        ana, _ = up(town)
        call = town.switch.call(town.last(CallInvited).call)
        assert call is not None
        gone = [ref(call), *(ref(leg.session) for leg in call.legs.values())]
        del call
        ana.hang_up()
        town.run(40.0)  # until the transactions, too, are forgotten

        assert [it() for it in gone] == [None, None, None]
    finally:
        gc.enable()


def test_the_called_may_hang_up_too_and_the_cause_is_passed_on(town):
    ana, ben = up(town)

    ben.hang_up(reason="Q.850;cause=41")
    town.run(1.0)

    assert ana.talk.state == "over"
    assert town.last(CallEnded).cause == 41
    assert [(e.device, e.by, e.cause) for e in town.seen(LegEnded)] == [("102", "peer", 41), ("101", "switch", 41)]


def test_the_events_of_a_call_tell_its_story_once_each(town):
    ana, _ = up(town)
    ana.hang_up()
    town.run(1.0)

    invited = town.last(CallInvited)
    assert (invited.caller_number, invited.caller_name, invited.device) == ("101", "Ana Silva", "101")
    offered = town.last(LegInvited)
    assert (offered.device, offered.extension, offered.caller_number) == ("102", "102", "101")
    assert [e.device for e in town.seen(CallRinging)] == ["102"]
    assert [(e.device, e.role) for e in town.seen(CallUp)] == [("102", "called"), ("101", "caller")]
    assert {(e.device, e.sound) for e in town.seen(MediaHeard)} >= {("101", "signature:101"), ("102", "signature:102")}
    assert len(town.seen(MediaStarted)) == 2
    reports = {e.device: e for e in town.seen(MediaReport)}
    assert set(reports) == {"101", "102"}
    assert all(report.received > 50 and report.lost == 0 and report.mos > 4 for report in reports.values())
    assert len({e.call for e in town.seen(CallRouted)}) == 1


def test_a_conversation_in_which_both_are_heard_is_two_way(town):
    ana, _ = up(town)
    town.run(10.0)
    ana.hang_up()
    (told,) = town.seen(MediaTwoWay)
    assert {told.device, told.other} == {"101", "102"}
    assert town.seen(MediaOneWay) == []


def test_a_conversation_in_which_one_is_not_heard_says_who_and_why(town):
    ana, _ = up(town)
    ana.engine.stop(ana.talk.leg)
    town.run(5.0)
    (told,) = town.seen(MediaOneWay)
    assert (told.device, told.heard, told.flow) == ("101", "102", "nothing")
    assert told.detail.startswith("no packet of PCMU (0) from ")
    ana.hang_up()


def test_a_stranger_at_a_media_port_is_told_and_not_heard(town):
    ana, _ = up(town)
    port = next(iter(town.switch.engine._by_port))
    stranger = Segment(99, 1, 0, "signature:999", 0, 10)
    town.switch.engine.receive(stranger.pack(), ("203.0.113.9", 4000), port, town.now.mono)
    town.run(1.0)
    (ignored,) = town.seen(InputIgnored)
    assert (ignored.protocol, ignored.address) == ("rtp", "203.0.113.9:4000")
    assert "signature:999" not in {event.sound for event in town.seen(MediaHeard)}
    ana.hang_up()
    town.run(1.0)
    assert sorted(report.strangers for report in town.seen(MediaReport)) == [0, 1]


def test_each_sound_is_heard_once_a_leg(town):
    ana, _ = up(town)
    town.run(5.0)
    ana.hang_up()

    said = [(e.leg, e.sound) for e in town.seen(MediaHeard)]
    assert len(said) == len(set(said))


def test_a_call_has_one_record(town):
    ana, _ = up(town)
    ana.hang_up()
    town.run(1.0)

    written = town.seen(CallRecordWritten)
    assert [(r.answered_by, r.disposition, r.direction, r.device) for r in written] == [
        ("102", "ANSWERED", "internal", "101")
    ]
    kept = town.history.records()
    assert [(r.call, r.path, r.ended_at > r.answered_at > r.started_at) for r in kept] == [("c-0001", "user:102", True)]


def test_a_caller_who_gives_up_stops_the_ringing(town):
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("102")
    town.run(1.0)
    assert (ana.talk.state, ana.talk.status) == ("ringing", 180)

    ana.hang_up()
    town.run(1.0)

    assert ben.talk.state == "over"
    assert ana.talk.status == 487
    assert town.last(CallRecordWritten).disposition == "CANCELLED"
    assert town.seen(CallUp) == []


def test_busy_leads_to_voicemail_or_where_the_rule_says(town):
    ana, ben = town.phone("101"), town.phone("102")
    ben.answers_with = 486
    ana.dial("102")
    town.run(2.0)

    assert ana.talk.state == "up"
    assert "prompt:vm-greeting" in ana.heard
    ana.hang_up()


def test_busy_without_voicemail_is_busy(town):
    ana, cleo = town.phone("101"), town.phone("103")
    cleo.answers_with = 486
    ana.dial("103")
    town.run(2.0)

    assert (ana.talk.state, ana.talk.status) == ("over", 486)
    assert town.last(CallRecordWritten).disposition == "BUSY"
    assert town.last(CallEnded).cause == 17


def test_a_phone_nobody_answers_is_cancelled_after_its_ring_time(town):
    ana, cleo = town.phone("101"), town.phone("103")
    ana.dial("103")
    town.run(3.9)
    assert cleo.talk.state == "ringing"

    town.run(0.4)

    assert cleo.talk.state == "over"
    assert (ana.talk.state, ana.talk.status) == ("over", 480)
    assert town.last(CallRecordWritten).disposition == "NO ANSWER"


def test_an_unknown_number_is_not_found(town):
    ana = town.phone("101")
    ana.dial("199")
    town.run(1.0)

    assert ana.talk.status == 404
    assert town.last(CallRecordWritten).disposition == "FAILED"
    assert town.last(CallRouted).destination == "hangup:not-found"


def test_both_phones_of_a_user_ring_and_the_first_to_answer_has_the_call(town):
    ben, desk, mobile = town.phone("102"), town.phone("101"), town.phone("101a")
    ben.dial("101")
    town.run(1.0)
    assert (desk.talk.state, mobile.talk.state) == ("ringing", "ringing")

    mobile.answer()
    town.run(1.0)

    assert (desk.talk.state, mobile.talk.state, ben.talk.state) == ("over", "up", "up")
    assert ben.heard[-1] == "signature:101a"
    ben.hang_up()


def test_an_offer_comes_late_and_the_answer_in_the_ack(town):
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("102", with_offer=False)
    town.run(0.5)
    ben.answer()
    town.run(1.0)

    assert town.last(LegEnded).cause == 88  # our phone sends no answer in its ACK: no media, no call
    assert ben.talk.state == "over"


def test_no_common_codec_is_488_before_anybody_rings(town):
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial(
        "102",
        sdp=b"v=0\r\no=- 1 1 IN IP4 10.0.1.1\r\ns=-\r\nc=IN IP4 10.0.1.1\r\nt=0 0\r\nm=audio 16384 RTP/AVP 18\r\n",
    )
    town.run(0.5)

    assert ana.talk.status == 488
    assert ben.talks == []


def test_two_calls_at_once_do_not_meet(town):
    ana, ben = up(town)
    cleo, mobile = town.phone("103"), town.phone("101a")
    cleo.dial("101")
    town.run(0.5)
    mobile.answer()
    town.run(1.0)

    assert cleo.heard[-1] == "signature:101a"
    assert ben.heard[-1] == "signature:101"
    cleo.hang_up()
    ana.hang_up(ana.talks[0])
    town.run(1.0)
    assert [r.disposition for r in town.seen(CallRecordWritten)] == ["ANSWERED", "ANSWERED"]
