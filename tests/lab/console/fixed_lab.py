"""A lab of fixed snapshots, as the console sees one: every state a phone can be in, a call, a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lab.console.views import (
    RESULTS,
    STANDINGS,
    STATES,
    VERDICTS,
    BootPart,
    BoxesPage,
    BoxPage,
    BoxRow,
    CallPage,
    CallRow,
    CaseRow,
    ClockView,
    GivenFile,
    Handset,
    Health,
    Lamp,
    PhoneCard,
    Request,
    RouteView,
    RunView,
    SaidOnce,
    SentFile,
)
from lab.handsets import BUTTONS

HOSTILE = '<script>alert("x")</script>'


class Office:
    """A lab of fixed snapshots: the console's source needs nothing more."""

    domain = "acme.lab"

    def __init__(self) -> None:
        self.cards = {"101": card("101", state="idle"), "102": card("102", state="booting", name=HOSTILE)}
        self.ready = False
        self.asked: list[Request] = []
        self.answers: list[tuple[int, str, str]] = []
        self.time = "10:15"
        self.broken = False
        """Its list of calls cannot be read."""
        self.pressed: list[tuple[str, str, str]] = []

    def phones(self) -> list[PhoneCard]:
        return list(self.cards.values())

    def handset(self, device: str) -> Handset | None:
        found = self.cards.get(device)
        return Handset(found, BUTTONS[found.state], ("dial tone",), ()) if found is not None else None

    def press(self, device: str, button: str, argument: str) -> str:
        self.pressed.append((device, button, argument))
        return "it is glued down" if button == "reset" else ""

    def calls(self) -> list[CallRow]:
        if self.broken:
            raise RuntimeError("no such drawer <b>")
        return [ROW]

    def call(self, call: str) -> CallPage | None:
        return PAGE if call == "c-0001" else None

    def boxes(self, words: str, standing: str) -> BoxesPage:
        found = tuple(row for row in BOXES if words in row.mac and standing in ("", row.standing))
        return BoxesPage(len(found), found)

    def box(self, mac: str) -> BoxPage | None:
        row = next((row for row in BOXES if row.mac == mac), None)
        return BoxPage(row, GIVEN, SENT, ONCE) if row is not None else None

    def runs(self) -> list[RunView]:
        return [RUN]

    def run(self, run: str) -> RunView | None:
        return RUN if run == "run-1" else None

    def report(self, run: str) -> str | None:
        return "<!doctype html><title>report</title>" if run == "run-1" else None

    def evidence(self, run: str, case: str, name: str) -> Path | None:
        return None

    def requests(self) -> list[Request]:
        return list(self.asked)

    def answer(self, number: int, answer: str, by: str) -> str:
        self.answers.append((number, answer, by))
        return "" if by else "say who you are"

    def health(self) -> Health:
        return Health(self.ready, {"sip/udp": True, "tftp": self.ready})

    def clock(self) -> ClockView:
        return ClockView(f"Tue 24 Nov 2026 {self.time} EST", f"Tue {self.time}")


def card(device: str, *, state: str, name: str = "Ana Reyes") -> PhoneCard:
    return PhoneCard(
        device=device,
        extension=device,
        name=name,
        site="Toronto",
        model="T54W",
        mac="805ec0000101",
        state=state,
        screen=("Acme Dental 10:15", device, name),
        soft_keys=("DND", "Dir", "Fwd", "Menu"),
        lamps=(Lamp("line 1", "idle"), Lamp("line 2", "busy")),
        boot=(BootPart("link", "ok", 0.1), BootPart("config", "now")),
    )


ROW = CallRow("c-0001", "10:15:02", "101", "102", ("user:102",), "ANSWERED", 4.2, live=False)
PAGE = CallPage(
    ROW,
    (RouteView("102", "user:102", (("✓", "extension", "102 is a user", "users/102"), ("✗", "DND", "off", ""))),),
    "<svg role='img' aria-label='ladder'></svg>",
    (("0.000 INVITE", f"INVITE sip:102 SIP/2.0\r\nSubject: {HOSTILE}"),),
    ("101 hears 102",),
    ("   0.000  101 ──▶ switch   dials 102",),
)
RUN = RunView(
    "run-1",
    "office",
    "10:15:02",
    "running",
    (CaseRow("A01", "Boots", "passed", 1.0), CaseRow("B01", "Registers", "waiting", 0.0)),
    has_report=True,
)

EVERY_VERDICT = replace(
    RUN,
    cases=tuple(CaseRow(f"A{n:02}", f"What is {verdict}", verdict, 1.0, "why") for n, verdict in enumerate(VERDICTS)),
)


class EveryState(Office):
    """One phone a state, one call a result, one case a verdict."""

    def calls(self) -> list[CallRow]:
        live = replace(ROW, call="c-0001", live=True)
        return [live, *(replace(ROW, call=f"c-{n:04}", result=result) for n, result in enumerate(RESULTS, 2))]

    def runs(self) -> list[RunView]:
        return [EVERY_VERDICT, replace(EVERY_VERDICT, run="run-0", state="broken", note="OSError", has_report=False)]

    def run(self, run: str) -> RunView | None:
        return EVERY_VERDICT if run == "run-1" else None


def every_state() -> EveryState:
    lab = EveryState()
    for number, state in enumerate(STATES, 101):
        lab.cards[str(number)] = card(str(number), state=state)
    lab.cards["101"] = replace(lab.cards["101"], message_lamp=True, waiting=2, do_not_disturb=True)
    port = replace(card("120", state="ringing"), has_screen=False, screen=("FXS 1", "120 Workshop", "101 calls"))
    parts = tuple(
        BootPart(name, result, 0.1) for name, result in (("link", "ok"), ("config", "fail"), ("register", "wait"))
    )
    lab.cards |= {"120": port, "121": replace(card("121", state="fault"), boot=parts, note="Config 404")}
    return lab


BOXES = tuple(
    BoxRow(f"805ec000000{at}", standing, "yealink/t4x_t5x", "T46S", (f"101 {HOSTILE} ●",), "up to date", "24 Nov 10:15")
    for at, standing in enumerate(STANDINGS)
)
GIVEN = (
    GivenFile("805ec0000000.cfg", "24 Nov 10:15", "http 192.0.2.7:4711", behind=False),
    GivenFile("805ec0000000.boot", "24 Nov 10:15", "tftp 192.0.2.7:4711", behind=True),
)
ONCE = SaidOnce((("lines.1.label", HOSTILE),), HOSTILE, "once it is fetched", (("{mac}.cfg", True),))
SENT = (SentFile(f"{HOSTILE}-boot.log", "24 Nov 10:16", 2345),)
