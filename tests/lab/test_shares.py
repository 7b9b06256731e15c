from __future__ import annotations

from lab.clockwork import Clockwork
from lab.shares import SharedEngine
from lab.wire import Wire
from pbx.media.engine import Closed, DigitPressed, Heard, MediaEvent, RemoteMedia, Signature, WorkerLost
from tests.lab.small_network import EPOCH


class Teller:
    """An engine that says what it is told to say, over a virtual one that does the rest."""

    def __init__(self) -> None:
        clockwork = Clockwork(Wire(1), EPOCH)
        self.engine = clockwork.engine("10.0.0.1", lambda name: 1.0)
        self.shared = SharedEngine(self.engine)
        self.wakes: list[str] = []

    def share(self, name: str):
        made = self.shared.share()
        made.woken = lambda: self.wakes.append(name)
        return made

    def say(self, *events: MediaEvent) -> None:
        self.engine._events.extend(events)
        self.shared.woken()


def test_events_go_to_whoever_opened_the_leg():
    teller = Teller()
    one, two = teller.share("one"), teller.share("two")
    one.open("a")
    two.open("b")
    teller.say(DigitPressed("a", "1"), Heard("b", "silence"), DigitPressed("nobody's", "9"))
    assert one.take_events() == [DigitPressed("a", "1")]
    assert two.take_events() == [Heard("b", "silence")]
    assert one.take_events() == []
    assert sorted(teller.wakes) == ["one", "two"]


def test_an_owner_counts_its_own_legs_and_is_told_their_figures_at_the_end():
    teller = Teller()
    one, two = teller.share("one"), teller.share("two")
    one.open("a")
    two.open("b")
    assert (one.live(), two.live(), teller.engine.live()) == (1, 1, 2)
    one.close("a")
    teller.shared.woken()
    assert [type(event) for event in one.take_events()] == [Closed]
    assert (one.live(), teller.engine.live()) == (0, 1)
    teller.say(DigitPressed("a", "1"))
    assert one.take_events() == []


def test_every_owner_learns_that_the_process_is_lost():
    teller = Teller()
    one, two = teller.share("one"), teller.share("two")
    one.open("a")
    teller.say(WorkerLost("gone"))
    assert one.take_events() == two.take_events() == [WorkerLost("gone")]


def test_commands_reach_the_engine():
    teller = Teller()
    one = teller.share("one")
    one.at(1.0)
    one.open("a")
    one.connect("a", RemoteMedia("10.0.0.2", 16384, "PCMU", 0, 101, "sendrecv"))
    one.listen("a")
    one.play("a", Signature("101"))
    one.stop("a")
    one.send_digits("a", "1")
    one.record("a", "r", max_s=5, silence_s=2)
    one.stop_record("a")
    one.open("b")
    one.bridge("a", "b")
    one.unbridge("a", "b")
    teller.shared.woken()
    assert [event.recording for event in one.take_events()] == ["r"]
