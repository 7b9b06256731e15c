"""A portal over two domains in memory, with the five roles and the wider ones: what tests of the portal stand on."""

from __future__ import annotations

from collections.abc import Set
from email.message import EmailMessage
from functools import cache

from aiohttp import web

from lab.console.app import Console, read_form
from lab.console.clock_page import ClockPage
from lab.console.onboarding_page import OnboardingPage
from lab.console.outbox_page import OutboxPage
from lab.console.phone_page import PhonePage
from lab.console.readers import Readers
from lab.hours import OfficeHours
from lab.mail.outbox import Caught, Outbox
from lab.onboarding.desk import OnboardingDesk
from lab.onboarding.rehearsal import Story
from lab.portal.floor_plan import lay_out
from lab.portal.gate import Gate
from lab.portal.ledger import Ledger
from lab.portal.search import SearchPage
from lab.posted import Dispatched
from lab.seeds.load import load_seed
from lab.shell import RealClock
from pbx.accounts.desk import AccountDesk
from pbx.api.subscribing import Delivery
from pbx.callflow.question import Presence
from pbx.clock import Moment
from pbx.domain.directory import Directory
from pbx.domain.history import CallRecord, Fax
from pbx.domain.kept import Notice
from pbx.domain.tenancy import User
from pbx.events import EmergencyCalled, Event
from pbx.media.prompts.texts import TEXTS
from pbx.store.memory import MemoryStore
from tests.lab.console.fixed_lab import Office
from tests.lab.onboarding.story import BEGUN, PACKET

PERSONS = {
    "Office Manager": "101", "Call Center Supervisor": "103", "Site Manager": "105", "Call Center Agent": "106",
    "Basic User": "102",
}  # fmt: skip
"""The five roles and who has each in the office of the seeds."""


class Town:
    """Two domains of one reseller, accounts in memory, a console over them. `lab` lets strangers in as lab engineer."""

    def __init__(self, *, lab: bool = True, roles: str = "generic", office: Office | None = None) -> None:
        self.directories = dict(_domains(roles))
        self.store, self.made, self.invited = MemoryStore(), 0, list[str]()
        self.clock = RealClock().now()
        self.events: list[Event] = []
        self.outbox, self.tried_again = Outbox(), 0
        self.calls: list[CallRecord] = []
        self.faxed: list[Fax] = []
        self.paper: dict[str, bytes] = {}
        self.accounts = AccountDesk(lambda: self.store, self._directories, self.token, lambda: self.at)
        gate = Gate(self.accounts, self._directories, lambda: "acme.lab", lab=lab)
        home = lambda: self.directories["acme.lab"]  # noqa: E731 - asked in many places
        readers, self.office = Readers(gate, home), office or Office()
        self.console = Console(self.office, reader=readers)
        ledger = Ledger(lambda: self.store, self.apply, self.token, lambda: self.at, self.store.written)
        self.app = self.console.app
        room = lay_out(self.console, gate, ledger, self, self._invite)
        SearchPage(room, home, readers.rooms, lambda: self.office.cards).route(self.app)
        PhonePage(self.console, read_form, self.office, readers, home).route(self.app)
        self.hours = OfficeHours(lambda: self.clock, self.events.append)
        ClockPage(self.console, read_form, lambda: self.hours, home, self, list).route(self.app)
        OutboxPage(self.console, read_form, lambda: self, home).route(self.app)
        onboarding = OnboardingDesk(Story(PACKET, BEGUN))
        OnboardingPage(self.console, read_form, lambda: onboarding, gate.reseller_to_be).route(self.app)

    @property
    def acme(self) -> Directory:
        return self.directories["acme.lab"]

    @property
    def at(self) -> float:
        return self.clock.wall.timestamp()

    def token(self) -> str:
        self.made += 1
        return f"secret-{self.made}-of-many-characters"

    def apply(self, directory: Directory, what: str) -> None:
        self.directories[directory.domain.name] = directory

    def session(self, extension: str, domain: str = "acme.lab") -> dict[str, str]:
        """Return the cookies of somebody who has logged in."""
        return {"session": self.accounts.issue("session", domain, extension)}

    def with_user(self, extension: str, **changes: object) -> None:
        user = self.acme.users_by_extension[extension]
        self.apply(self.acme.with_user(user.model_copy(update=changes)), "")

    def post(self, to: str, text: str = "Listen.\n", sound: bytes = b"") -> int:
        """Put a letter into the outbox; return its number."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "vm@acme.lab", to, "New voicemail <b>0:07</b>"
        mail.set_content(text)
        if sound:
            mail.add_attachment(sound, maintype="audio", subtype="wav", filename="m-1.wav")
            mail.add_attachment(b"<script>", maintype="text", subtype="html", filename="m.html")
        return self.outbox.put(mail, "vm@acme.lab", [to], self.at).number

    # what the outbox shows

    def letters(self) -> list[Caught]:
        return self.outbox.letters()

    def letter(self, number: int) -> Caught | None:
        return self.outbox.letter(number)

    def read(self, number: int) -> None:
        self.outbox.read(number)

    def waiting(self) -> list[Notice]:
        return [Notice("n-1", "101", "", ("ana@acme.lab",), "New voicemail", "Listen.", tries=3, problem="451 away")]

    def webhooks(self) -> list[Delivery]:
        return [Delivery("d-1", "s-1", "http://127.0.0.1:1/hook", b"{}", self.at, tries=["refused"])]

    def emergencies(self) -> list[Dispatched]:
        return [Dispatched(self.at, EmergencyCalled("c-0911", "911", "101", "101", "14165550101", "12 King St W"))]

    def empty(self) -> None:
        self.outbox.empty()

    def again(self) -> None:
        self.tried_again += 1

    def when(self, at: float) -> str:
        return "26 Nov 10:15:00"

    # what the portal asks of a lab

    def _directories(self) -> list[Directory]:
        return list(self.directories.values())

    def presence(self, domain: str) -> Presence:
        return Presence(frozenset(self.directories[domain].devices_by_id) - {"107"})

    def now(self) -> Moment:
        return self.hours.now()

    def serves(self, domain: str) -> bool:
        return domain == "acme.lab"

    def prompts(self, domain: str) -> Set[str]:
        return TEXTS.keys()

    def new_messages(self, domain: str, extension: str) -> int:
        return 2 if extension == "101" else 0

    def records(self, domain: str) -> list[CallRecord]:
        return self.calls

    def faxes(self, domain: str) -> list[Fax]:
        return self.faxed

    async def fax_pages(self, fax: Fax) -> bytes | None:
        return self.paper.get(fax.document)

    def faxes_work(self) -> bool:
        return True

    async def _invite(self, request: web.Request, directory: Directory, user: User) -> str:
        self.invited.append(user.extension)
        return user.email


@cache
def _domains(roles: str) -> dict[str, Directory]:
    office = load_seed().directory
    platform = office.domain.platform.model_copy(update={"roles": roles})
    domain = office.domain.model_copy(update={"platform": platform})
    queues = tuple(queue.model_copy(update={"supervisors": ("103",)}) if place == 0 else queue
                   for place, queue in enumerate(office.queues))  # fmt: skip
    acme = office.replaced(domain=domain, queues=queues)
    return {"acme.lab": acme, "other.lab": acme.replaced(domain=domain.model_copy(update={"name": "other.lab"}))}
