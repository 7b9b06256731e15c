"""The onboarding desk: cases, what each step brings about, and what happens by itself when its time has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from lab.onboarding.audit import Line, audit, open_lines
from lab.onboarding.build import after_port, build, text_routes
from lab.onboarding.case import (
    CONFIGURE_AFTER,
    Case,
    Circumstances,
    Lack,
    Mark,
    NotYet,
    Step,
    missing_forms,
    partner_may_log_in,
    take,
    why_closed,
)
from lab.onboarding.letters import Letter, failed_line, letters, reminder
from lab.onboarding.packet import Packet, final_order
from lab.onboarding.progress import Clock, Stage, bar, clocks, next_moves
from lab.onboarding.user_import import CannotUndo, Done, imported, undone
from lab.onboarding.user_sheet import read_users
from pbx.callflow.flow_map import branches, flow_map
from pbx.domain.directory import Directory
from pbx.domain.seed import BadSeed
from provisioning_server.spreadsheet import TableRow

AGENT = "onboarding agent"
"""Who takes the steps that come by themselves."""


class Surroundings(Protocol):
    """The lab, as this desk knows it."""

    def now(self) -> datetime:
        """Aware: the lab's clock, which may be far from the wall's."""
        ...

    def directory(self, domain: str) -> Directory | None: ...

    def registered(self, domain: str) -> Set[str]:
        """Ids of the devices that are registered."""
        ...

    def plan_passed(self, domain: str) -> bool:
        """Whether the newest run of the Deployment Test Plan on this domain is good."""
        ...

    def adopt(self, directory: Directory, why: str) -> None:
        """Serve a domain that is new or changed."""
        ...

    def route_texts(self, domain: str, routes: Sequence[Mapping[str, str]]) -> None:
        """Keep where texts to numbers go, each as the platform's `smsnumbers` says it."""
        ...

    def send(self, letter: Letter) -> None: ...

    def keep(self, case: Case) -> None:
        """Write a case down; what is kept is there after a restart."""
        ...

    def fresh(self, length: int) -> str:
        """Return random hexadecimal text."""
        ...

    @property
    def console(self) -> str:
        """Address of the console, without a slash at its end; letters name pages of it."""
        ...


class NoCase(LookupError):
    """Nobody onboards that domain."""


class Opened(ValueError):
    """There is such a case already, or a domain of that name."""


class Moved(ValueError):
    """What an import was made for is another by now."""


@dataclass(frozen=True, slots=True)
class Status:
    """All a page shows of a case."""

    case: Case
    now: datetime
    stages: Sequence[Stage]
    clocks: Sequence[Clock]
    moves: Sequence[Lack]
    lines: Sequence[Line]
    """The audit; empty while there is no domain."""
    order: Mapping[str, str]

    @property
    def ready(self) -> int:
        """How many lines of the audit are good or attested."""
        return len(self.lines) - len(open_lines(self.lines, self.case))

    @property
    def partner_may_log_in(self) -> bool:
        return partner_may_log_in(self.case)


class OnboardingDesk:
    """Owns the cases."""

    def __init__(self, around: Surroundings, cases: Sequence[Case] = ()) -> None:
        self._around = around
        self._cases = {case.domain: case for case in cases}

    def cases(self) -> Sequence[Case]:
        return tuple(self._cases.values())

    def case(self, domain: str) -> Case:
        """NoCase when nobody onboards it."""
        try:
            return self._cases[domain]
        except KeyError:
            raise NoCase(f"nobody onboards {domain}; open cases: {', '.join(self._cases) or 'none'}") from None

    def closed(self, domain: str) -> str:
        """Return why nobody but the provider comes into a domain yet; empty where nothing keeps them out."""
        case = self._cases.get(domain)
        return why_closed(case) if case is not None else ""

    def open(self, packet: Packet, by: str = AGENT) -> Case:
        """Begin: the forms are sent. Opened when it has begun already."""
        if packet.domain in self._cases:
            raise Opened(f"{packet.domain} is being onboarded already")
        if self._around.directory(packet.domain) is not None:
            raise Opened(f"there is a domain {packet.domain} already")
        self._cases[packet.domain] = Case(packet=packet)
        return self.take(packet.domain, "forms sent", by)

    def hand_in(self, packet: Packet) -> Case:
        """Replace the forms of a case: a newer bill, a signed letter, more users."""
        return self._keep(self.case(packet.domain).model_copy(update={"packet": packet}))

    def take(self, domain: str, step: Step, by: str = AGENT, note: str = "", about: str = "") -> Case:
        """Take a step, with all it brings about; NotYet says what stands in its way, and whose move that is."""
        before = self.case(domain)
        around = self._circumstances(before)
        mark = Mark(step=step, at=around.now, by=by, note=note, about=about)
        if step == "domain created" and not around.has_domain and before.done("order complete"):
            self._create(before, around.now)
            around = self._circumstances(before)
        case = take(before, mark, around)
        if step == "numbers moved":
            directory = self._around.directory(domain)
            assert directory is not None  # the audit had no open line
            self._around.adopt(after_port(directory, case.packet), "numbers moved")
        for letter in letters(case, mark):
            self._around.send(letter)
        return self._keep(case)

    def would_import(
        self, domain: str, rows: Sequence[TableRow], named: Mapping[str, str] = {}, by: str = AGENT, name: str = ""
    ) -> Done:
        """Return what an import of users comes to, and change nothing; BadTable when the table cannot be used.

        Ten thousand rows take seconds: it may be asked for in a thread of its own.
        """
        case = self.case(domain)
        read = read_users(rows, domain, named)
        directory, now = self._around.directory(domain), self._now(case)
        return imported(read, case.packet, directory, self._around.fresh, now, by, name)

    def adopt_import(self, domain: str, done: Done) -> Case:
        """Take the good rows into forms and domain; Moved when somebody has changed one of them meanwhile."""
        case, directory, outcome = self.case(domain), self._around.directory(domain), done.outcome
        if case.packet is not done.before[0] or directory is not done.before[1]:
            raise Moved(f"{domain} was changed while the table was read")
        if not (outcome.added or outcome.changed):
            return case
        if done.directory is not None:
            self._around.adopt(done.directory, "users imported")
        about = f"{outcome.added} added, {outcome.changed} changed, {len(outcome.problems)} problems"
        changed = case.model_copy(update={"packet": done.packet, "last_import": done.undo})
        return self._noted(changed, "users imported", done.undo.by, done.undo.name, about)

    def undo_import(self, domain: str, by: str) -> Case:
        """Take the newest import back; CannotUndo when there is none, or when somebody has gone on from it."""
        case = self.case(domain)
        if case.last_import is None:
            raise CannotUndo("there is no import to undo")
        packet, directory = undone(case.last_import, case.packet, self._around.directory(domain))
        if directory is not None:
            self._around.adopt(directory, "import undone")
        changed = case.model_copy(update={"packet": packet, "last_import": None})
        return self._noted(changed, "import undone", by, case.last_import.name, "")

    def _noted(self, case: Case, step: Step, by: str, note: str, about: str) -> Case:
        mark = Mark(step=step, at=self._now(case), by=by[:200], note=note[:200], about=about)
        return self._keep(case.model_copy(update={"marks": (*case.marks, mark)}))

    def tick(self) -> None:
        """Do what is due by now; call it now and then."""
        for case in self.cases():
            now = self._now(case)
            for step in self._due(case, now):
                try:
                    case = self.take(case.domain, step)
                except NotYet:
                    break
            case = self.case(case.domain)
            if self._is_to_be_audited(case, now):
                self._make_audit(case)
            self._state(self.case(case.domain), now)
            self._remind(self.case(case.domain), now)

    def status(self, domain: str) -> Status:
        case = self.case(domain)
        around = self._circumstances(case)
        return Status(
            case, around.now, bar(case, around.now), tuple(clocks(case, around.now)), next_moves(case, around),
            self.lines(case), final_order(case.packet),
        )  # fmt: skip

    def directory(self, domain: str) -> Directory | None:
        """Return the domain of a case as it is; None while there is none."""
        return self._around.directory(domain)

    def flow(self, domain: str) -> Sequence[tuple[str, Sequence[str]]]:
        """Return the call flow of the domain as it is, number by number, each with its ways; empty without one."""
        directory = self._around.directory(domain)
        if directory is None:
            return ()
        drawn, told = flow_map(directory), set[str]()
        return tuple(
            (f"{number.number} {number.description}".strip(),
             tuple(branches(drawn, f"number:{number.number}", "", told)))
            for number in directory.numbers
        )  # fmt: skip

    def lines(self, case: Case) -> Sequence[Line]:
        directory = self._around.directory(case.domain)
        return audit(directory, self._around.registered(case.domain), case.packet) if directory is not None else ()

    def _circumstances(self, case: Case) -> Circumstances:
        return Circumstances(
            self._now(case),
            has_domain=self._around.directory(case.domain) is not None,
            open_lines=open_lines(self.lines(case), case),
            plan_passed=self._around.plan_passed(case.domain),
        )

    def _now(self, case: Case) -> datetime:
        return self._around.now().astimezone(ZoneInfo(case.packet.time_zone))

    def _create(self, case: Case, now: datetime) -> None:
        try:
            made = build(case.packet, now.date(), self._around.fresh)
        except BadSeed as error:
            found = tuple(Lack("client", f"forms: {problem.sentence}") for problem in error.problems)
            raise NotYet("domain created", found) from error
        self._around.adopt(made, "onboarding")
        self._around.route_texts(case.domain, tuple(text_routes(case.packet)))

    def _due(self, case: Case, now: datetime) -> Sequence[Step]:
        """Steps of the provider that wait for nobody."""
        if case.done("forms returned") and not case.done("order complete") and not any(missing_forms(case.packet, now)):
            return ("order complete", "domain created", *self._welcome(case))
        if case.done("order complete") and not case.done("domain created"):
            return ("domain created",)
        order = case.last("order complete")
        if case.done("domain created") and not case.done("welcome sent") and order is not None:
            return self._welcome(case) or (("welcome sent",) if now >= order.at + CONFIGURE_AFTER else ())
        return ()

    @staticmethod
    def _welcome(case: Case) -> Sequence[Step]:
        return ("welcome sent",) if case.packet.start == "asap" else ()

    @staticmethod
    def _is_to_be_audited(case: Case, now: datetime) -> bool:
        """On the day of the port, or as soon after as somebody looks; once for each day the carrier names."""
        day, audited = case.port_day, case.last("audit made")
        if day is None or now.date() < day or case.done("numbers moved"):
            return False
        return audited is None or audited.at.date() < day

    def _make_audit(self, case: Case) -> None:
        lines = self.lines(case)
        open_ = open_lines(lines, case)
        self.take(case.domain, "audit made", about=f"{len(lines) - len(open_)} of {len(lines)}")
        for line in lines:
            if line.name in open_:
                self._around.send(failed_line(case, line, self._around.console))

    def _state(self, case: Case, now: datetime) -> None:
        """Who is live gets a statement of each month that has ended: one for the account, to the billing contacts."""
        live = case.last("live")
        month = (now.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
        if live is None or f"{live.at:%Y-%m}" > month or not case.packet.with_right("billing"):
            return
        directory = self._around.directory(case.domain)
        sent = case.last("statement sent")
        if directory is not None and (sent is None or sent.about < month):
            users = sum(not user.hidden for user in directory.users)
            phones, numbers, faxes = len(directory.devices), len(directory.numbers), len(directory.fax_accounts)
            said = f"{users} users, {phones} telephones, {numbers} numbers, {faxes} fax accounts"
            self.take(case.domain, "statement sent", note=said, about=month)

    def _remind(self, case: Case, now: datetime) -> None:
        told = {mark.about for mark in case.marks if mark.step == "reminded"}
        for clock in clocks(case, now):
            if clock.late == "late" and clock.what not in told:
                self.take(case.domain, "reminded", about=clock.what)
                self._around.send(reminder(case, clock.what, clock.due))

    def _keep(self, case: Case) -> Case:
        self._cases[case.domain] = case
        self._around.keep(case)
        return case
