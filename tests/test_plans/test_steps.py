"""Checks and measurements that the runner's own tests do not touch."""

from __future__ import annotations

from tests.test_plans.toy_office import ToyBench, plan_of, run


def only(text: str, bench: ToyBench | None = None):
    return run(plan_of(f"  - id: X01\n    steps:\n{text}"), bench).cases[0]


def call(*more: str) -> str:
    steps = [
        "{do: caller.dial, to: $desk.extension}",
        "{expect: call.ringing}",
        "{do: desk.answer}",
        "{expect: call.up, where: {role: caller}}",
        *more,
    ]
    return "".join(f"      - {step}\n" for step in steps)


def test_a_sound_is_found_by_glob_or_list_and_what_was_heard_instead_is_told():
    heard = call('{measure: hears, role: caller, sound: "signature:*"}')
    assert only(heard).verdict == "passed"
    either = call('{measure: hears, role: caller, sound: ["moh:*", "signature:$desk.id"]}')
    assert only(either).steps[-1].detail == "11 <desk> hears signature:12"
    wrong = only(call('{measure: hears, role: caller, sound: "prompt:welcome", within: 1s}'))
    assert wrong.reason == "11 <desk> hears no prompt:welcome within 1 s"
    assert wrong.steps[-1].seen == ("heard signature:12",)


def test_a_sound_measured_once_must_come_again_to_be_measured_twice():
    bench = ToyBench()
    steps = call(
        '{measure: hears, role: caller, sound: "prompt:welcome"}',
        '{measure: hears, role: caller, sound: "prompt:invalid"}',
        '{measure: hears, role: caller, sound: "prompt:welcome", within: 2s}',
    )
    for at, sound in ((0.5, "prompt:welcome"), (1.0, "prompt:invalid")):
        bench.after(at, lambda sound=sound: bench.device("11").hear(sound))
    case = only(steps, bench)
    assert case.verdict == "failed"
    assert case.steps[-1].line == 17
    again = ToyBench()
    for at, sound in ((0.5, "prompt:welcome"), (1.0, "prompt:invalid"), (1.5, "prompt:welcome")):
        again.after(at, lambda sound=sound: again.device("11").hear(sound))
    assert only(steps, again).verdict == "passed"


def test_what_an_earlier_call_left_in_the_ear_proves_nothing():
    bench = ToyBench()
    bench.device("11").hear("signature:12")
    bench.device("12").hear("signature:11")
    bench.mono = 5.0
    case = only("      - {measure: audio, between: [caller, desk], within: 1s}\n", bench)
    assert case.reason.startswith("no sound in either direction")


def test_sound_that_does_not_last_is_not_two_way_audio():
    bench = ToyBench()
    bench.after(0.6, lambda: bench.device("12").hear("silence"))
    case = only(call("{measure: audio, between: [caller, desk], for: 2s}"), bench)
    assert case.reason.startswith("one-way audio: 12 <desk> does not hear 11 <desk>")


def test_the_side_on_which_sound_is_lost_is_named():
    bench = ToyBench("deaf caller")
    case = only(call("{measure: audio, between: [caller, desk]}"), bench)
    assert "it reached the switch and was lost after it" in case.reason
    nothing = only("      - {measure: audio, between: [caller, desk], within: 1s}\n")
    assert "it never reached the switch" in nothing.reason


def test_lamps_screens_registrations_and_mailboxes_are_looked_at():
    bench = ToyBench()
    bench.after(1.0, lambda: setattr(bench.device("11"), "lamp", True))
    bench.device("11").screen = "Front desk\n11"
    text = """\
      - {check: lamp, role: caller, lit: true, within: 2s}
      - {check: screen, role: caller, shows: "Kitchen|$caller.extension"}
      - {check: registration, role: caller}
      - {check: voicemail, box: $caller.extension, new: 1, saved: 0, heard: "signature:*"}
"""
    assert only(text, bench).verdict == "passed"


def test_each_check_tells_what_it_found_instead():
    def reason(step: str) -> str:
        return only(f"      - {{check: {step}, within: 0s}}\n").reason

    assert reason("lamp, role: caller, lit: true") == "the lamp of 11 <desk> is off"
    assert reason("screen, role: caller, shows: Hello") == "the screen of 11 <desk> shows '', not 'Hello'"
    assert reason("voicemail, box: x, new: 2") == "box x holds 1 new messages, not 2"
    assert reason("voicemail, box: x, heard: 'prompt:*'") == "the newest message holds signature:11, not prompt:*"
    assert reason("cdr") == "0 call records fit, not 1"
    assert reason("provisioning, role: caller").startswith("no device file was served to")
    bench = ToyBench()
    bench.after(0.1, lambda: setattr(bench.device("11"), "registered", False))
    text = "      - {wait: 1s, because: it goes}\n      - {check: registration, role: caller}\n"
    assert only(text, bench).reason == "11 <desk> is not registered"


def test_only_a_file_served_during_the_case_counts():
    bench = ToyBench()
    bench.serve(bench.device("11"))
    text = "      - {check: provisioning, role: caller, within: 1s}\n"
    assert only(text, bench).verdict == "failed"
    late = ToyBench()
    late.after(0.5, lambda: late.serve(late.device("11")))
    assert only(text, late).verdict == "passed"


def test_a_leak_is_seen_by_the_step_that_asks():
    bench = ToyBench()
    bench.left["media"] = 2
    assert only("      - {check: leak, within: 0s}\n", bench).reason == "still in progress: {'media': 2}"
    assert only("      - {check: leak}\n").verdict == "passed"


def test_events_are_counted_ordered_and_absent():
    order = call(
        "{do: caller.hangup}",
        "{expect_order: [cdr.written, {call.ended: {cause: 16}}], from: start}",
        "{expect_none: [call.held], from: start}",
    )
    assert only(order).verdict == "passed"
    wrong = only(call("{do: caller.hangup}", "{expect_order: [call.ended, cdr.written], within: 1s}"))
    assert wrong.reason == "no cdr.written in its place within 1 s"
    come = only(call("{do: caller.hangup}", "{expect_none: [call.ended], for: 1s}"))
    assert come.reason == "what must not come has come"
    assert come.steps[-1].seen[0].startswith("call.ended")
    every = only(call("{expect_all: [call.ringing, {call.up: {role: desk}}], from: start}"))
    assert every.verdict == "passed"
    none = only(call("{expect_all: [call.up, call.held], within: 1s, from: start}"))
    assert none.reason == "no call.held within 1 s"


def test_expectations_may_count_from_a_named_step():
    text = """\
      - {do: caller.dial, to: $desk.extension, as: dialled}
      - {expect: call.ringing}
      - {do: caller.hangup}
      - {expect: call.ended}
      - {expect: call.offered, from: dialled, within: 0s}
      - {expect: call.offered, within: 0s}
"""
    case = only(text)
    assert [step.verdict for step in case.steps] == ["passed"] * 5 + ["failed"]


def test_variables_roles_and_outside_numbers_stand_for_their_values():
    text = """\
      - {note: "$greeting for $caller.extension, not $outside.rings_out"}
      - {check: registration, role: caller}
"""
    plan = plan_of(f"  - id: X01\n    steps:\n{text}", "vars: {greeting: Hello}\n")
    assert run(plan).cases[0].steps[0].text == "note Hello for 11, not 14165550191"
    missing = only('      - {do: caller.dial, to: "$outside.busy"}\n      - {check: registration, role: caller}\n')
    assert missing.reason == "no outside number busy"


def test_what_came_before_an_action_proves_nothing_of_it():
    rung = call("{do: caller.hangup}", "{expect: call.ringing, within: 1s}")
    assert only(rung).reason == "no call.ringing within 1 s"
    assert only(call("{expect: call.ringing, from: start}")).verdict == "passed"


def test_a_sound_from_before_the_last_action_is_not_its_effect():
    bench = ToyBench()
    bench.after(0.6, lambda: bench.device("11").hear("moh:default"))
    steps = call(
        "{wait: 1s, because: the music comes too early}",
        "{do: pbx.empty_mailbox, box: $desk.extension}",
        '{measure: hears, role: caller, sound: "moh:*", within: 1s}',
    )
    assert only(steps, bench).reason == "11 <desk> hears no moh:* within 1 s"


def test_a_sound_may_have_to_last():
    lasting = '{measure: hears, role: caller, sound: "moh:*", within: 2s, for: 1s}'
    bench = ToyBench()
    bench.after(0.8, lambda: bench.device("11").hear("moh:default"))
    case = only(call(lasting), bench)
    assert (case.verdict, case.steps[-1].detail) == ("passed", "11 <desk> hears moh:default for 1 s")
    short = ToyBench()
    short.after(0.8, lambda: short.device("11").hear("moh:default"))
    short.after(1.0, lambda: short.device("11").hear("silence"))
    assert only(call(lasting), short).reason == "11 <desk> hears moh:default, but not for 1 s"


def test_a_number_that_is_read_aloud_is_compared_digit_by_digit():
    def reading(digits: str) -> ToyBench:
        bench = ToyBench()
        for at, digit in enumerate(digits):
            bench.after(0.6 + at / 10, lambda digit=digit: bench.device("11").hear(f"prompt:digit-{digit}"))
        return bench

    step = call('{measure: digits, role: caller, reads: "4165501", within: 2s}')
    # An ear hears two fives as one sound.
    assert only(step, reading("416501")).verdict == "passed"
    wrong = only(step, reading("416502"))
    assert wrong.reason == "11 <desk> is not read 4165501 within 2 s"
    assert wrong.steps[-1].seen == ("read to it: 416502",)
    assert only(step).steps[-1].seen == ("read to it: nothing",)
    name = only(call("{measure: digits, role: caller, reads: $desk.label, within: 2s}"))
    assert name.reason == "'12 <desk>' is no number that can be read aloud"


def test_a_device_that_should_be_idle_and_is_not_is_named():
    assert only(call("{check: idle, role: desk, within: 0s}")).reason == "12 <desk> is in a call"
    assert only("      - {check: idle, role: desk}\n").verdict == "passed"


def test_a_met_expectation_shows_its_event_and_every_step_what_came_while_it_was_taken():
    case = only(call("{do: caller.hangup}", "{expect: call.ended}"))
    assert case.steps[-1].detail.startswith("call.ended call=c-0001 device=11")
    spans = [step.evidence for step in case.steps]
    assert [first for first, _ in spans] == [0, *(last for _, last in spans[:-1])]
    ended = [s.event.kind for s in case.events[slice(*spans[-1])]]
    assert "call.ended" in ended


def test_an_invite_that_went_out_before_its_leg_was_announced_belongs_to_the_case():
    case = only(call("{expect: sip.request, where: {direction: out, method: INVITE}, from: start, within: 0s}"))
    assert case.verdict == "passed"
