"""The whole story of a packet in virtual time: forms, domain, phones plugged in, test week, port, live.

The waiting is done on the lab's clock. What a person would say (forms are returned, the carrier confirms a day) is said
here at the usual moment; everything else is the desk's, the phones', the plan's and the audit's own doing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.message import EmailMessage
from random import Random
from zoneinfo import ZoneInfo

from lab.mail.outbox import Outbox
from lab.onboarding.build import order_number
from lab.onboarding.case import TEST_FOR, Case, NotYet, Step
from lab.onboarding.desk import OnboardingDesk
from lab.onboarding.first_week import first_week
from lab.onboarding.letters import Letter
from lab.onboarding.packet import Packet
from lab.onboarding.progress import port_window
from lab.phones.face import shown
from lab.rehearsal import run_plan, virtual_world
from lab.seeds.load import Seed, load_seed
from lab.seeds.model import LabSeed
from lab.world import World
from pbx.domain.directory import Directory
from pbx.domain.hardware import Shipment
from provisioning_server.families import shipped_families
from provisioning_server.inventory import Draft
from provisioning_server.purchasing import arrived, shipped
from test_plans.plan import read_plan
from test_plans.runner import VERBS
from test_plans.verdicts import RunResult

SENDER = "onboarding@switchroom.lab"
_OFFICE_OPENS, _TESTED_AT = time(9), time(10)


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the story."""

    at: datetime
    what: str
    good: bool = True
    detail: tuple[str, ...] = ()


class Story:
    """Lives through a packet; `outbox`, `case` and `directory` show what has become of it."""

    def __init__(self, packet: Packet, begins: datetime, number: int = 1) -> None:
        """`begins` is aware; the same `number` gives the same story."""
        self.packet = packet
        self.outbox = Outbox()
        self.world: World | None = None
        self.run: RunResult | None = None
        self._moment = begins
        self._number = number
        self._random = Random(f"onboarding {number}")
        self._directory: Directory | None = None
        self._desk = OnboardingDesk(self)

    @property
    def case(self) -> Case:
        return self._desk.case(self.packet.domain)

    # --- what the desk asks for -----------------------------------------------------------------------

    def now(self) -> datetime:
        return self.world.now.wall if self.world is not None else self._moment

    def directory(self, domain: str) -> Directory | None:
        return self._directory if domain == self.packet.domain else None

    def registered(self, domain: str) -> Set[str]:
        return self.world.switch.registered() if self.world is not None else frozenset()

    def plan_passed(self, domain: str) -> bool:
        return self.run is not None and not any(case.verdict in ("failed", "error") for case in self.run.cases)

    def adopt(self, directory: Directory, why: str) -> None:
        self._directory = directory
        if self.world is not None:
            self.world.apply(directory, why)

    def route_texts(self, domain: str, routes: Sequence[Mapping[str, str]]) -> None:
        """In virtual time nothing sends texts."""

    def send(self, letter: Letter) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = SENDER, ", ".join(letter.to), letter.subject
        mail.set_content(letter.text)
        self.outbox.put(mail, SENDER, letter.to, self.now().timestamp())

    @property
    def console(self) -> str:
        """A story in virtual time has none: its letters name pages alone."""
        return ""

    def keep(self, case: Case) -> None:
        """A story is lived through at once: nothing of it has to survive."""

    def fresh(self, length: int) -> str:
        return "".join(self._random.choice("0123456789abcdef") for _ in range(length))

    # --- the story ------------------------------------------------------------------------------------

    def tell(self) -> Iterator[Told]:
        """Yield line by line; ends early, with a line that is not good, where something stands in the way."""
        try:
            yield from self._forms()
            yield from self._plug_in()
            yield from self._test()
            yield from self._port()
            yield self._step("live")
        except NotYet as error:
            lacks = tuple(f"{lack.owner}: {lack.sentence}" for lack in error.lacks)
            yield Told(self._local(), f"{error.step} has to wait", good=False, detail=lacks)

    def _forms(self) -> Iterator[Told]:
        domain = self.packet.domain
        self._desk.open(self.packet)
        yield self._told("forms are sent")
        self._pass(timedelta(hours=20))
        yield self._step("forms returned", by=self.packet.readers[-1])
        self._pass(timedelta(hours=1))
        self._desk.tick()
        if not self.case.done("order complete"):
            self._desk.take(domain, "order complete")  # says what lacks
        assert self._directory is not None
        users, numbers = len(self._directory.users), len(self._directory.numbers)
        yield self._told(f"order complete; domain {domain} is created", f"{users} users, {numbers} numbers")
        yield self._step("flow approved", by=self._admin(), detail=self._flow())
        yield self._step("training booked", about=self._training().isoformat(sep=" ", timespec="minutes"))
        if self.packet.texts:
            yield self._step("brand registered", by=self.packet.configurer[0])
            yield self._step("campaign submitted", by=self.packet.configurer[0])

    def _plug_in(self) -> Iterator[Told]:
        """Hardware is bought, shipped, assigned; every phone is plugged in as it comes out of its box."""
        if self.packet.hardware:
            tracking = f"TRACK-{self._number:06}"
            self._ship(tracking)
            yield self._step("hardware shipped", about=tracking)
        self._pass(timedelta(hours=3))
        self._desk.tick()
        yield self._told("welcome mail is out; the channel partner may log in")
        assert self._directory is not None
        self._directory = self._assigned(self._directory)
        self.world = self._world(self._directory)
        self.world.boot_all()
        self.world.run(1.0)
        seen = [shown(phone, extension) for phone in self.world.phones for extension in phone.extensions]
        screens = tuple(f"{one.model} {one.mac} shows {one.label or 'nothing'}".replace("  ", " ") for one in seen)
        yield self._told(f"{len(screens)} phones are plugged in", *screens, good=self.world.all_registered())
        if self.packet.hardware:
            yield self._step("hardware received", by=self._admin())
        yield self._step("configured")

    def _test(self) -> Iterator[Told]:
        booked = self.case.training_at
        assert booked is not None  # by now
        self._pass_to(booked)
        yield self._step("training held")
        it = [contact.email for contact in self.packet.contacts if {*contact.rights} & {"it", "admin"}]
        yield self._step("network assessed", by=it[-1])
        yield self._step("test begun")
        assert self.world is not None
        self._pass_to(datetime.combine(self._local().date() + timedelta(days=1), _TESTED_AT, self._local().tzinfo))
        plan = read_plan(first_week(self.packet), "first-week.yaml", VERBS)
        self.run = run_plan(self.world, plan, number=self._number)
        verdicts = [case.verdict for case in self.run.cases]
        counts = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts))
        wrong = (f"{case.case} {case.verdict}: {case.reason}" for case in self.run.cases if case.verdict != "passed")
        yield self._told(f"test plan: {counts}", *wrong, good=self.plan_passed(self.packet.domain))
        self._pass_to(self._local() + TEST_FOR)
        yield self._step("test passed")

    def _flow(self) -> tuple[str, ...]:
        flow = self._desk.flow(self.packet.domain)
        return tuple(line for number, ways in flow for line in (number, *(ways or ("leads nowhere",))))

    def _training(self) -> datetime:
        """When the customer wants it; else the morning after."""
        wanted = self.packet.training_at
        if wanted is not None:
            return wanted if wanted.tzinfo is not None else wanted.replace(tzinfo=ZoneInfo(self.packet.time_zone))
        local = self._local()
        return datetime.combine(local.date() + timedelta(days=1), _TESTED_AT, local.tzinfo)

    def _admin(self) -> str:
        return self.packet.with_right("admin")[0].email

    def _port(self) -> Iterator[Told]:
        if self.packet.porting is None:
            return
        asked = self._step("port requested")
        yield asked
        first, _ = port_window(self.case, asked.at.date())
        self._pass(timedelta(days=1))
        yield self._step("foc received", by=self.packet.porting.carrier[:120], about=str(first))
        self._pass_to(datetime.combine(first, _OFFICE_OPENS, ZoneInfo(self.packet.time_zone)))
        self._desk.tick()
        status = self._desk.status(self.packet.domain)
        lines = tuple(
            f"{'✓' if line.good else '✗'} {line.name}: {line.missing or line.evidence}" for line in status.lines
        )
        told = f"day of port: {status.ready} of {len(status.lines)} lines"
        yield self._told(told, *lines, good=status.ready == len(status.lines))
        yield self._step("numbers moved", by=self.packet.porting.carrier[:120])

    # --- time, steps, boxes ---------------------------------------------------------------------------

    def _step(self, step: Step, by: str = "", about: str = "", detail: tuple[str, ...] = ()) -> Told:
        self._desk.take(self.packet.domain, step, by or "onboarding agent", about=about)
        return Told(self._local(), f"{step}{f' ({about})' if about else ''}", detail=detail)

    def _told(self, what: str, *detail: str, good: bool = True) -> Told:
        return Told(self._local(), what, good, detail)

    def _local(self) -> datetime:
        return self.now().astimezone(ZoneInfo(self.packet.time_zone))

    def _pass(self, span: timedelta) -> None:
        if self.world is not None:
            self.world.run(span.total_seconds())
        else:
            self._moment += span

    def _pass_to(self, moment: datetime) -> None:
        """On the wall clock: a week has an hour more where summer time ends in it."""
        self._pass(max(timedelta(0), moment.astimezone(UTC) - self.now().astimezone(UTC)))

    def _boxes(self) -> Mapping[str, str]:
        """MAC → model of what was ordered, with the first octets of each maker."""
        found: dict[str, str] = {}
        draft = self._draft(self._known())
        for line in self.packet.hardware:
            family = draft.the_family(line.model, line.family)
            for _ in range(line.quantity):
                prefix = family.ouis[0] if family.ouis else "02005e"
                found[f"{prefix}{len(found) + 1:06x}"] = line.model
        return found

    def _known(self) -> Directory:
        assert self._directory is not None
        return self._directory

    def _draft(self, directory: Directory) -> Draft:
        return Draft(directory, shipped_families(), {}, self.fresh)

    def _ship(self, tracking: str) -> None:
        today = self._local().date()
        shipment = Shipment(number=tracking, order=order_number(self.packet), carrier="post", shipped_on=today)
        sent = shipped(self._known(), shipped_families(), {}, self.fresh, shipment, [*self._boxes().items()])
        self.adopt(arrived(sent, tracking, today), "hardware shipped")

    def _assigned(self, directory: Directory) -> Directory:
        """Give every user who is to have a telephone the next box of that model."""
        draft, left = self._draft(directory), dict(self._boxes())
        for user in self.packet.users:
            mac = next((mac for mac, model in left.items() if model == user.device), None)
            if mac is not None:
                del left[mac]
                draft.assign(mac, user.extension)
        return draft.directory()

    def _world(self, directory: Directory) -> World:
        """Phones boot from here on; the outside world is that of the house."""
        start = self._local().replace(tzinfo=None)
        outside = tuple(one for one in load_seed().lab.carrier if one.number not in directory.numbers_by_digits)
        quiet = {user.extension: ("quiet",) for user in directory.users}
        return virtual_world(Seed(directory, LabSeed(carrier=outside, start=start, traits=quiet)), self._number)


def begins_by_default(packet: Packet, today: date) -> datetime:
    """Return nine o'clock of the Monday after the phone bill, so that it is young enough all the way, else today's."""
    dated = packet.documents.bill_dated or today
    day = dated + timedelta(days=7 - dated.weekday())
    return datetime.combine(day, _OFFICE_OPENS, ZoneInfo(packet.time_zone))
