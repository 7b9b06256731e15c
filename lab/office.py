"""A lab with its console and API: what `demo` and `up` start, and stop."""

from __future__ import annotations

import asyncio
import secrets
from datetime import date
from types import TracebackType

from aiohttp import web

from lab.addresses import is_loopback
from lab.api.clock import ClockApi
from lab.api.described import Described
from lab.api.devices import Devices
from lab.api.exchanges import ExchangesApi
from lab.api.faults import FaultsApi
from lab.api.faxes import FaxDesk
from lab.api.flows import Flows
from lab.api.guide import Guide
from lab.api.hot_desks import HotDesks
from lab.api.mailboxes import MailboxDesk
from lab.api.ns import NsApi
from lab.api.observe import Observer
from lab.api.onboarding import OnboardingApi
from lab.api.onboarding_users import OnboardingUsers
from lab.api.one_shots import OneShotApi
from lab.api.outbox import MailDesk
from lab.api.phones import Phones
from lab.api.prompts import PromptDesk
from lab.api.queues import QueueDesk
from lab.api.recordings import Recordings
from lab.api.reset import Reset
from lab.api.v1 import Api
from lab.console.app import Console, read_form
from lab.console.clock_page import ClockPage
from lab.console.faults_page import FaultsPage
from lab.console.onboarding_page import OnboardingPage
from lab.console.onboarding_users_page import OnboardingUsersPage
from lab.console.once_page import OncePage
from lab.console.outbox_page import OutboxPage
from lab.console.phone_page import PhonePage
from lab.console.readers import Readers
from lab.devices import DeviceDesk
from lab.exchanges import Exchanges
from lab.floor import real_token
from lab.house import AnyPhone
from lab.lab_settings import LabSettings
from lab.live_run import RunDesk
from lab.logs import keep_peers_faults_short
from lab.metrics import Metrics
from lab.onboarding.at_office import OfficeOnboarding
from lab.portal.floor_plan import lay_out
from lab.portal.gate import ACTOR, Gate
from lab.portal.ledger import Ledger
from lab.portal.over_lab import Invitations, LabHouse
from lab.portal.reached import ReachedPortal
from lab.portal.search import SearchPage
from lab.posted import Posted
from lab.seeds.load import Seed
from lab.service import Lab
from lab.source import LabSource
from pbx.accounts.desk import AccountDesk
from pbx.domain.directory import Directory
from pbx.domain.registrations import host_and_port
from pbx.domain.tenancy import User
from pbx.events import (
    CallEnded,
    CallInvited,
    CallRecordWritten,
    CallRouted,
    CallUp,
    HourSet,
    SipRequest,
    SipResponse,
    Stamped,
)
from test_plans.verdicts import GOOD

_HURRY_S = 1.0
_GOOD = GOOD | {"blocked"}
"""Verdicts of a run that nothing failed in; what is blocked is told in its report."""


class Office:
    """Owns a lab and its console; an asynchronous context."""

    def __init__(self, seed: Seed, settings: LabSettings) -> None:
        self.lab = Lab(seed, settings)
        self._port = settings.ports.console
        self.console_host = settings.console_host or (settings.host if is_loopback(settings.host) else "127.0.0.1")
        self._runner: web.AppRunner | None = None
        self._reached: ReachedPortal | None = None
        self.devices = DeviceDesk(self.lab, real_token)
        self.source = LabSource(self.lab, self.devices)
        house = LabHouse(self.lab, lambda: self.lab.store, lambda: self.ns.domains())
        self.accounts = AccountDesk(
            lambda: self.lab.store, house.directories, lambda: secrets.token_urlsafe(32), self._at,
            settings.console_password,
        )  # fmt: skip
        gate = Gate(
            self.accounts, house.directories, lambda: self.lab.directory.domain.name,
            lab=settings.console_open and is_loopback(self.console_host),
        )  # fmt: skip
        home = lambda: self.lab.directory  # noqa: E731 - asked in many places
        readers = Readers(gate, home)
        self.console = Console(
            self.source,
            hosts=[self.console_host, f"[{self.console_host}]", *settings.console_names],
            reader=readers,
        )
        self.invitations = Invitations(self.lab, self.accounts)
        ledger = Ledger(lambda: self.lab.store, self._adopt, lambda: secrets.token_hex(8), self._at, house.durable)
        room = lay_out(self.console, gate, ledger, house, self._invite)
        Flows(house).route(self.console.app)
        self.desk = RunDesk(self.lab, self.source.run_book, self.console.run_changed, self.console.case_over)
        self.api = Api(self.source, self.desk.start, self.desk.preview)
        self.api.route(self.console.app)
        self.observer = Observer(self.lab.bus, self.source.book, self.lab.sip_address, self.lab.tls_secrets)
        self.observer.route(self.console.app)
        Phones(self.lab, self.devices).route(self.console.app)
        OneShotApi(self.lab, self.devices).route(self.console.app)
        Devices(self.lab, self.devices).route(self.console.app)
        Guide(self.lab.people).route(self.console.app)
        FaultsApi(lambda: self.lab.faults).route(self.console.app)
        FaultsPage(self.console, read_form, lambda: self.lab.faults).route(self.console.app)
        OncePage(self.console, read_form, self.devices, lambda: self.lab.now).route(self.console.app)
        self.console.impaired = self.lab.impaired
        self.console.broke = lambda words: self.lab.complain("console", words)
        PhonePage(self.console, read_form, self.source, readers, home).route(self.console.app)
        OutboxPage(self.console, read_form, lambda: self.posted, home).route(self.console.app)
        hours = self.lab.hours
        ClockPage(self.console, read_form, lambda: hours, home, house, self._port_days).route(self.console.app)
        ClockApi(lambda: hours, lambda: self.lab.now, home, self._port_days).route(self.console.app)
        SearchPage(room, home, readers.rooms, self._on_the_floor).route(self.console.app)
        Reset(self.lab, self.source.book).route(self.console.app)
        MailDesk(self.lab).route(self.console.app)
        HotDesks(self.lab).route(self.console.app)
        PromptDesk(self.lab).route(self.console.app)
        QueueDesk(self.lab).route(self.console.app)
        Recordings(self.lab).route(self.console.app)
        FaxDesk(self.lab).route(self.console.app)
        MailboxDesk(self.lab).route(self.console.app)
        self.ns = NsApi(self.lab, self.accounts, self._messages)
        self.posted = Posted(self.lab, self.ns.deliveries)
        Described(lambda: self.ns.routes).route(self.console.app)
        self.ns.route(self.console.app)
        self.exchanges = Exchanges(self.lab, settings, Office, self.ns.directory, self.ns.take_over)
        self.ns.exchange_of = house.exchange = self.exchanges.lab
        ExchangesApi(self.exchanges).route(self.console.app)
        self.onboarding = OfficeOnboarding(
            self.lab, self.ns, self.plan_is_good, real_token, lambda: self.console_url, self.exchanges
        )
        self.accounts.closed = lambda domain: self.onboarding.desk.closed(domain)
        OnboardingApi(lambda: self.onboarding.desk, gate.reseller_to_be).route(self.console.app)
        page = OnboardingPage(
            self.console, read_form, lambda: self.onboarding.desk, gate.reseller_to_be, self.exchanges
        )
        page.route(self.console.app)
        OnboardingUsers(lambda: self.onboarding.desk).route(self.console.app)
        OnboardingUsersPage(self.console, read_form, lambda: self.onboarding.desk).route(self.console.app)
        self.metrics = Metrics(self.lab)
        self.metrics.route(self.console.app)
        self.console_port = 0
        self._hurry: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Office:
        keep_peers_faults_short()
        await self.lab.start()
        self.devices.recall()
        self.ns.open()
        self.onboarding.open()
        self.exchanges.open()
        self.lab.provisioning.redirects.activate = self.devices.activate
        try:
            self.desk.recall()
            self._runner = web.AppRunner(self.console.app, access_log=None, shutdown_timeout=1.0)
            await self._runner.setup()
            await web.TCPSite(self._runner, self.console_host, self._port).start()
            self.console_port = self._runner.addresses[0][1]
            self.invitations.url = self.console_url
            self.lab.portal = self._reached = ReachedPortal(self.console_url)
        except BaseException:
            await self._close()
            raise
        self.metrics.start()
        self.lab.bus.subscribe(self._hour_set, [HourSet])
        self.lab.changed = self._phone_changed
        self.lab.people.changed = self.console.guide_changed
        self.lab.people.watched = lambda: self.console.hub.shows("guide")
        self.lab.bus.subscribe(self._call_changed, [CallInvited, CallRouted, CallUp, CallEnded, CallRecordWritten])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    @property
    def console_url(self) -> str:
        return f"http://{host_and_port(self.console_host, self.console_port)}"

    def _adopt(self, directory: Directory, what: str) -> None:
        self.ns.adopt(directory, what)

    def _at(self) -> float:
        ahead_s = self._reached.ahead_s if self._reached is not None else 0.0
        return self.lab.now.wall.timestamp() + ahead_s

    async def _invite(self, request: web.Request, directory: Directory, user: User) -> str:
        return self.invitations.send(request[ACTOR].name, directory, user)

    def _messages(self, call: str) -> list[str]:
        """The SIP messages of a call, one text each."""
        entry = self.source.book.entry(call)
        texts = [stamped.event for stamped in entry.messages] if entry is not None else []
        return [event.text for event in texts if isinstance(event, SipRequest | SipResponse)]

    def _phone_changed(self, phone: AnyPhone) -> None:
        for card in self.source.cards_of(phone):
            self.console.phone_changed(card)

    def _hour_set(self, stamped: Stamped) -> None:
        """Pages are told at once, and the desk of onboarding, whose clocks go by it."""
        self.onboarding.desk.tick()
        self.console.hub.clock_changed()
        if self._hurry is not None:
            self._hurry.cancel()
            self._hurry = None
        if self.lab.hours.rate > 1:
            self._hurry = asyncio.get_running_loop().call_later(_HURRY_S, self._hurried)

    def _hurried(self) -> None:
        """The minute is another one every second or sooner."""
        self.console.hub.clock_changed()
        self._hurry = asyncio.get_running_loop().call_later(_HURRY_S, self._hurried)

    def _call_changed(self, stamped: Stamped) -> None:
        event = stamped.event
        assert isinstance(event, CallInvited | CallRouted | CallUp | CallEnded | CallRecordWritten)
        self.console.call_changed(event.call)

    def _on_the_floor(self) -> set[str]:
        return {extension.device for phone in self.lab.phones for extension in phone.extensions}

    def _port_days(self) -> list[tuple[str, date]]:
        """The days on which customers' numbers are ported, as far as they are known."""
        return [(case.domain, case.port_day) for case in self.onboarding.desk.cases() if case.port_day is not None]

    def plan_is_good(self) -> bool:
        """Whether the newest run failed at nothing."""
        newest = next(iter(self.source.runs()), None)
        return newest is not None and newest.state == "done" and {case.verdict for case in newest.cases} <= _GOOD

    async def _close(self) -> None:
        if self._hurry is not None:
            self._hurry.cancel()
        self.onboarding.close()
        await self.exchanges.close()
        self.console.hub.close()
        self.observer.close()
        self.metrics.close()
        if self._reached is not None:
            await self._reached.close()
        await self.api.close()
        await self.ns.close()
        if self._runner is not None:
            await self._runner.cleanup()
        await self.lab.close()
