"""Scripts as such: waiting, composing, deadlines, keys typed ahead, cleanup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.callflow.script import MOST_AHEAD, TIMED_OUT, Running, until
from pbx.clock import FOREVER


def test_a_script_may_end_before_it_ever_waits():
    def script():
        return 7
        yield

    running = Running(script())
    running.start(0.0)
    assert (running.done, running.result, running.deadline) == (True, 7, FOREVER)
    assert not running.feed("late", 1.0)


def test_an_accepted_event_is_what_yield_returns():
    def script():
        first = yield until(str)
        second = yield until(int, where=lambda number: number > 2)
        return first, second

    running = Running(script())
    running.start(0.0)
    assert [running.feed(event, 0.0) for event in (1, "a", 2, "b", 3)] == [False, True, False, False, True]
    assert running.result == ("a", 3)
    assert list(running.dropped) == [1, 2, "b"]


def test_a_deadline_comes_as_timed_out_and_not_before():
    def script():
        return (yield until(str, within_s=5.0))

    running = Running(script())
    running.start(10.0)
    assert running.deadline == 15.0
    running.tick(14.9)
    assert not running.done
    running.tick(15.0)
    assert running.result is TIMED_OUT


def test_waits_without_time_are_served_one_after_another_in_one_tick():
    def script():
        first = yield until(str, within_s=0.0)
        second = yield until(str, within_s=0.0)
        return [first, second]

    running = Running(script())
    running.start(1.0)
    running.tick(1.0)
    assert running.result == [TIMED_OUT] * 2


def test_scripts_compose():
    def inner():
        return (yield until(str)) * 2

    def outer():
        return [(yield from inner()), (yield from inner())]

    running = Running(outer())
    running.start(0.0)
    running.feed("a", 0.0)
    running.feed("b", 0.0)
    assert running.result == ["aa", "bb"]


def test_what_is_kept_waits_for_its_question_in_order():
    def script():
        yield until(int)
        return [(yield until(str)), (yield until(str))]

    running = Running(script(), keeps=lambda event: isinstance(event, str))
    running.start(0.0)
    for event in ("a", "b", 1):
        assert running.feed(event, 0.0)
    assert running.result == ["a", "b"]


def test_a_flood_of_keys_is_cut():
    def script():
        yield until(int)

    running = Running(script(), keeps=lambda event: True)
    running.start(0.0)
    taken = sum(running.feed("k", 0.0) for _ in range(MOST_AHEAD + 50))
    assert taken == MOST_AHEAD


def test_closing_runs_the_cleanup_once():
    cleaned = []

    def script():
        try:
            yield until(str)
        finally:
            cleaned.append(1)

    running = Running(script())
    running.start(0.0)
    running.close()
    running.close()
    assert cleaned == [1]
    assert running.done


def test_a_script_that_raises_is_over():
    def script():
        yield until(str)
        raise KeyError("oops")

    running = Running(script())
    running.start(0.0)
    with pytest.raises(KeyError):
        running.feed("a", 0.0)
    assert running.done
    assert not running.feed("b", 0.0)
    running.close()


@given(st.lists(st.one_of(st.integers(0, 9), st.text("ab", min_size=1, max_size=1)), max_size=40))
def test_no_event_is_lost_or_doubled(events):
    def script():
        got = []
        while True:
            got.append((yield until(int)))
            seen.append(got[-1])

    seen = []
    running = Running(script(), keeps=lambda event: False)
    running.start(0.0)
    taken = [event for event in events if running.feed(event, 0.0)]
    assert seen == taken == [event for event in events if isinstance(event, int)]
