"""Fax in the virtual world: the turns of T.30 as messages in segments, over sound or T.38, without modems.

The pages themselves go with the last page's message. What is lost is said again three times, three seconds apart, as
T.30 does (timer T4).
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping

from pbx.media.agenda import Agenda
from pbx.media.engine import FaxFinished, FaxSensed, FaxSignal, FaxTask, MediaEvent, Silence, Tone
from pbx.media.virtual_leg import VirtualLeg
from pbx.media.virtual_speaking import Speaking

CALLING, ANSWERING = "fax-calling", "fax-answer"
_SENSED_AFTER_S: dict[FaxSignal, float] = {"cng": 0.4, "preamble": 3.0}
"""From when its tone is heard."""
_IDENTIFIES_AFTER_S = 3.0
"""CED and a pause."""
PAGE_S = 5.0
"""Training, a page and the question whether it is there."""
_AGAIN_S, _TRIES = 3.0, 3
_CALLER_WAITS_S, _CALLED_WAITS_S, _LAST_WORD_S = 60.0, 35.0, 6.0
"""T0, T1 and T2."""
BIT_RATE = 14_400


class VirtualFax:
    """Owned by its leg."""

    def __init__(
        self,
        leg: VirtualLeg,
        task: FaxTask,
        speaking: Speaking,
        agenda: Agenda,
        documents: MutableMapping[str, bytes],
        report: Callable[[MediaEvent], None],
    ) -> None:
        self._leg, self._task = leg, task
        self._speaking, self._agenda, self._documents, self._report = speaking, agenda, documents, report
        self._run = 0
        """Counts beginnings: what was planned before is not done any more."""
        self._turn = 0
        """Counts what the far end has answered."""
        self._page = 0
        self._station = ""
        self._complete = False
        """All pages have come."""
        self._sensed = self._finished = False
        self.over = ""

    def set_going(self) -> None:
        """Begin, or begin anew where sound has become T.38 or the other way round."""
        remote = self._leg.remote
        if remote is None or self._finished:
            return
        over = "T.38" if remote.fax is not None else "G.711"
        if over == self.over:
            return
        self.over, self._page = over, 0
        self._run += 1
        self._turn += 1
        sounds = Tone(CALLING if self._task.calls else ANSWERING) if over == "G.711" else Silence()
        self._speaking.play(self._leg, sounds, "")
        if self._task.sends:
            self._later(_CALLER_WAITS_S, self._unless_turned("Timed out waiting for initial communication"))
        else:
            self._later(_IDENTIFIES_AFTER_S, self._identify)
            self._later(_CALLED_WAITS_S, self._unless_turned("Timed out waiting for the first message"))

    def heard(self, label: str) -> None:
        """The far end sounds like that now."""
        signal: FaxSignal = "preamble" if self._task.calls else "cng"
        if self._sensed or label != f"tone:{ANSWERING if self._task.calls else CALLING}":
            return
        self._sensed = True
        self._later(_SENSED_AFTER_S[signal], lambda: self._report(FaxSensed(self._leg.name, signal)))

    def take(self, message: str) -> None:
        """The far end has said something; said again, it is answered again."""
        kind, _, rest = message.partition(";")
        if self._finished:
            return
        match kind:
            case "dis" if self._task.sends and not self._page:
                self._station = rest
                self._send_page(1)
            case "mcf" if self._task.sends and rest == str(self._page):
                self._confirmed()
            case "page" if not self._task.sends:
                self._arrived(*rest.split(";"))
            case "dcn" if not self._task.sends:
                self._finish("" if self._complete else "Unexpected DCN while waiting for image data")

    def end(self) -> None:
        """The call is over."""
        self._finish("" if self._complete else "The call dropped prematurely")

    # --- sending --------------------------------------------------------------------------------------

    def _send_page(self, number: int) -> None:
        self._page = number
        self._turn += 1
        if self.over == "G.711":
            self._speaking.play(self._leg, Silence(), "")
        self._later(PAGE_S, lambda: self._say_page(number, self._turn, _TRIES))

    def _say_page(self, number: int, turn: int, tries: int) -> None:
        if turn != self._turn:
            return
        if not tries:
            self._finish("No response after sending a page", number - 1)
            return
        last = number == self._task.pages
        content = self._documents.get(self._task.document, b"") if last else b""
        if last and not content:
            self._finish("TIFF/F file cannot be opened", 0)
            return
        self._say(f"page;{number};{self._task.pages};{self._task.station};{content.hex()}")
        self._later(_AGAIN_S, lambda: self._say_page(number, turn, tries - 1))

    def _confirmed(self) -> None:
        if self._page < self._task.pages:
            self._send_page(self._page + 1)
            return
        self._turn += 1
        self._say("dcn")
        self._finish("")

    # --- receiving ------------------------------------------------------------------------------------

    def _identify(self) -> None:
        if self._page:
            return
        if self.over == "G.711":
            self._speaking.play(self._leg, Silence(), "")
        self._say(f"dis;{self._task.station}")
        self._later(_AGAIN_S, self._identify)

    def _arrived(self, number: str, of: str, station: str, content: str) -> None:
        self._turn += 1
        self._page, self._station = int(number), station
        if content:
            self._documents[self._task.document] = bytes.fromhex(content)
        self._say(f"mcf;{number}")
        self._complete = number == of
        problem = "" if self._complete else "Timer T2 expired while waiting for next fax page"
        self._later(_LAST_WORD_S if self._complete else 10 * PAGE_S, self._unless_turned(problem))

    # --- both -----------------------------------------------------------------------------------------

    def _say(self, message: str) -> None:
        self._speaking.say(self._leg, message)

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        run = self._run
        self._agenda.later(seconds, lambda: do() if run == self._run and not self._finished else None)

    def _unless_turned(self, problem: str) -> Callable[[], None]:
        turn = self._turn
        return lambda: self._finish(problem) if turn == self._turn else None

    def _finish(self, problem: str, pages: int | None = None) -> None:
        if self._finished:
            return
        self._finished = True
        task = self._task
        confirmed = self._page if not problem or not task.sends else max(0, self._page - 1)
        self._report(
            FaxFinished(
                self._leg.name, task.document, confirmed if pages is None else pages, problem, self._station,
                BIT_RATE if self._page else 0, task.error_correction and bool(self._page), self.over,
            )
        )  # fmt: skip
