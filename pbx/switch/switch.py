"""The switch: one input at a time, then drain, then hand out datagrams and one deadline. Never awaits, never queries.

Inputs are a datagram, what the media engine has to say, the passing of time, a new directory and the confirmation that
something is durable; each comes with its moment. A fault in one call ends that call and touches no other.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Literal

from pbx.bus import Bus
from pbx.callflow import routing
from pbx.callflow.decisions import DecisionRecord
from pbx.callflow.ports import Change, History, PromptRemoved, RecordSaved
from pbx.callflow.question import Asked, Presence
from pbx.callflow.vocabulary import AgentsOffered
from pbx.clock import Moment
from pbx.domain.destinations import Cause
from pbx.domain.devices import Device, Nat
from pbx.domain.directory import Directory
from pbx.domain.history import CallRecord, Fax, Message
from pbx.domain.kept import KeptPrompt
from pbx.domain.queues import Agent, AgentStatus, Queue, person
from pbx.events import (
    AgentStatusChanged,
    ClockStepped,
    DirectoryChanged,
    Event,
    InputIgnored,
    OverloadBegan,
    OverloadEnded,
    PromptKept,
    ResyncAnswered,
    ResyncRequested,
    ServerFault,
    TimeFrameSwitched,
    VoicemailForwarded,
)
from pbx.media.codecs import G711
from pbx.media.engine import Capability, Engine
from pbx.media.negotiation import Negotiation
from pbx.sip.address import Peer
from pbx.sip.digest import Credentials, DigestServer
from pbx.sip.message import Request, Response
from pbx.sip.overload import Admission
from pbx.sip.registrar import Binding
from pbx.sip.request_handle import RequestHandle
from pbx.sip.session import Session
from pbx.sip.sip_events import (
    Ignored,
    InviteReceived,
    RequestReceived,
    RequestTimedOut,
    ResponseReceived,
    SipEvent,
)
from pbx.sip.stack import Outgoing, Stack
from pbx.sip.subscriptions import Notifier
from pbx.sip.tolerances import Tolerances
from pbx.sip.uri import NameAddr
from pbx.switch import control
from pbx.switch.call_state import CallState
from pbx.switch.calls import FAULT_STATUS, Call
from pbx.switch.conferences import Conferences
from pbx.switch.durability import Durability
from pbx.switch.faxes import Faxes
from pbx.switch.inbound import spares, take_invite, take_request
from pbx.switch.legs import Leg
from pbx.switch.mailboxes import Mailboxes
from pbx.switch.media import conversation, media_event
from pbx.switch.notices import Notices
from pbx.switch.originating import call_for_prompt, keep_promises
from pbx.switch.parking import Parking
from pbx.switch.parties import Parties
from pbx.switch.phone_control import Deed, PhoneControl
from pbx.switch.queues import Queues
from pbx.switch.recording import CallRecordings
from pbx.switch.registration import Registration, as_reached
from pbx.switch.reports import Reports
from pbx.switch.settings import SwitchSettings
from pbx.switch.signalling import session_event
from pbx.switch.support import SupportDesk
from pbx.switch.texts import Texts
from pbx.switch.trace import broken_event, message_event
from pbx.switch.trunks import Trunks
from pbx.switch.user_settings import UserSettings
from pbx.switch.watchers import Watchers

CLOCK_STEP_S = 2.0
"""Wall and monotonic time may differ by so much between two inputs before somebody has set the clock."""
_CALL_ID = re.compile(r"c-(\d+)")


class Switch:
    def __init__(
        self,
        directory: Directory,
        local: Mapping[str, tuple[str, int]],
        *,
        engine: Engine,
        bus: Bus,
        token: Callable[[int], str],
        history: History,
        now: Moment,
        settings: SwitchSettings | None = None,
    ) -> None:
        self.configured = directory
        """As it was given; `directory` is what calls see, with the guests at hot desks."""
        self.directory = directory
        self.settings = settings or SwitchSettings()
        self.queues_by_extension = self._all_queues()
        """The queues of the domain and of the provider's support; their extensions can never be the same."""
        self.engine = engine
        self.history = history
        self.token = token
        self.now = now
        """The moment of the input being served."""
        self.hours: Callable[[Moment], Moment] = lambda moment: moment
        """What hour the office takes a moment for: time frames go by it, and nothing else."""
        self.realm = directory.domain.name
        self._bus = bus
        self.admission = Admission(spares=spares, changed=self._admission_changed)
        """To be told how long datagrams wait; under overload it refuses what is new."""
        self.stack = Stack(
            local,
            token=token,
            user_agent=self.settings.user_agent,
            trace=self._traced,
            session_expires_s=self.settings.session_expires_s,
            admission=self.admission,
            tolerances=Tolerances(self.settings.strict),
            challenge=lambda request, source: self.registration.challenge(request, source),
        )
        digest = DigestServer(
            self.realm, token, algorithms=self.settings.algorithms, lifetime_s=self.settings.nonce_lifetime_s
        )
        self.registration = Registration(self, digest, history.bindings())
        self.watchers = Watchers(self, Notifier(self.stack, token), history.subscriptions())
        self.texts = Texts(self)
        self.reports = Reports(self, token)
        self.mailboxes = Mailboxes(self, token)
        self.notices = Notices(self)
        self.notices.directory_changed()
        self.queues = Queues()
        self.parking = Parking()
        self.call_recordings = CallRecordings(self, token)
        self.conferences = Conferences(self)
        self.parties = Parties()
        self.durability = Durability()
        self.timers = self.stack.timers
        self.support = SupportDesk(self)
        self.settings_of_users = UserSettings(self, history.own_settings())
        self.directory = directory.with_guests(self.settings_of_users.guests())
        self.faxes = Faxes(self, token)
        self.trunks = Trunks(self)
        self.phones = PhoneControl(self)
        self.draining = False
        self._token = token
        self._calls: dict[str, Call] = {}
        self._asked: dict[RequestHandle, Callable[[RequestHandle, int], None]] = {}
        self._questions: dict[RequestHandle, Callable[[Response | None], None]] = {}
        self._afterwards: deque[Callable[[], object]] = deque()
        self._numbered = max((int(n[1]) for r in history.records() if (n := _CALL_ID.fullmatch(r.call))), default=0)
        self.faxes.resume()
        keep_promises(self)

    # --- inputs ---------------------------------------------------------------------------------------

    def receive(self, data: bytes, source: Peer, now: Moment) -> None:
        self._begin(now)
        self.stack.receive(data, source, now.mono)
        self._drain()

    def media(self, now: Moment) -> None:
        """The engine has something to say."""
        self._begin(now)
        self._drain()

    def tick(self, now: Moment) -> None:
        self._begin(now)
        self.stack.tick(now.mono)
        self.registration.expire()
        self.watchers.tick(now)
        self.notices.tick()
        self.faxes.tick()
        self._drain()

    def apply(self, directory: Directory, now: Moment, what: str = "directory") -> None:
        """Take a new snapshot; calls in progress go on, what they ask next is answered from it."""
        self._begin(now)
        self.configured = directory
        self.directory = directory.with_guests(self.settings_of_users.guests())
        self.queues_by_extension = self._all_queues()
        self.registration.prune()
        self.settings_of_users.prune()
        self.watchers.directory_changed()
        self.queues.agents.prune(self.queues_by_extension)
        self.notices.directory_changed()
        self.publish(DirectoryChanged(self.realm, directory.revision, what))
        self._drain()

    def switch_frame(self, call: str, name: str, state: Literal["on", "off"]) -> None:
        """A caller has switched a time frame by hand: a new snapshot, made here; who keeps directories is told."""
        self.configured = self.configured.with_frame_switched(name, state)
        self.directory = self.configured.with_guests(self.settings_of_users.guests())
        self.publish(TimeFrameSwitched(call, self.realm, name, state, self.directory.revision))

    def desks_changed(self, devices: Iterable[str]) -> None:
        """Somebody has logged in or out at hot desks: whose telephones they are is another thing now."""
        self.directory = self.configured.with_guests(self.settings_of_users.guests())
        for device in devices:
            self.watchers.desk_changed(device)

    def free_desk(self, device: str, now: Moment) -> str:
        """Log out whoever is logged in at a hot desk; return who it was, empty for nobody."""
        self._begin(now)
        guest = self.settings_of_users.guests().get(device, "")
        if guest:
            self.settings_of_users.take_desk(device, self.configured.devices_by_id[device].extension)
        self._drain()
        return guest

    def confirm(self, ticket: int, now: Moment) -> None:
        """Everything up to this ticket is durable."""
        self._begin(now)
        self.durability.confirm(ticket)
        self._drain()

    def closed(self, peer: Peer, now: Moment) -> None:
        """A connection is gone."""
        self._begin(now)
        self.stack.closed(peer, now.mono)
        self.registration.lost(peer)
        self._drain()

    def resync(self, device: str, now: Moment, *, event: str = "check-sync;reboot=false", body: bytes = b"") -> bool:
        """Ask a registered phone to fetch its configuration again: a NOTIFY with the words its maker understands.

        Its answer is told as `ResyncAnswered`. False when the phone is not registered.
        """
        self._begin(now)
        binding, known = self.binding(device), self.directory.devices_by_id.get(device)
        if binding is None or known is None:
            return False
        kind = "text/plain" if body else ""
        handles = self.watchers.resync(device, event, kind, body)
        if not handles:
            who = NameAddr(f"sip:{device}@{self.realm}")
            headers = [("Event", event), ("Subscription-State", "terminated"), *binding.routes]
            proof = Credentials(device, known.password.get_secret_value())  # some phones challenge who commands them
            handles = [
                self.stack.request(
                    "NOTIFY", binding.contact, binding.peer, from_=who, to=who, now=now.mono, headers=headers,
                    body=body, content_type=kind, credentials=proof,
                )
            ]  # fmt: skip
        self.publish(ResyncRequested(device, known.mac or ""))
        for handle in handles:
            self.when_answered(handle, partial(self._resync_answered, known))
        self._drain()
        return True

    def _resync_answered(self, device: Device, handle: RequestHandle, status: int) -> None:
        self.publish(ResyncAnswered(device.id, device.mac or "", status))

    def look_at_phone(self, device: str, now: Moment) -> bool:
        """Ask a registered phone what it lets be done to it (`phones.deeds`); False when it is not registered."""
        self._begin(now)
        asked = self.phones.look(device)
        self._drain()
        return asked

    def control_phone(self, device: str, deed: Deed, argument: str, now: Moment, then: Callable[[int], None]) -> str:
        """Do something in the place of whoever stands before a phone; `then` is told the status of its answer.

        Return why nothing was sent, empty when something was.
        """
        self._begin(now)
        refusal = self.phones.do(device, deed, argument, then)
        self._drain()
        return refusal

    def unregister(self, device: str, now: Moment) -> bool:
        """Forget where a device is, until it registers again; False when that was not known."""
        self._begin(now)
        known = self.registration.forget(device)
        self._drain()
        return known

    def box_changed(self, box: str, now: Moment) -> None:
        """Messages of a mailbox have come or gone by another hand than a caller's."""
        self._begin(now)
        self.mailboxes.changed(box)
        self._drain()

    def send_message_on(self, message: Message, box: str, now: Moment) -> bool:
        """Put a copy of a message into another mailbox; False when that is full."""
        self._begin(now)
        sent = self.mailboxes.send_on("", message, box, "")
        if sent:
            self.publish(VoicemailForwarded("", message.box, message.id, box, commented=False))
        self._drain()
        return sent

    def keep_prompt(self, prompt: KeptPrompt, now: Moment) -> None:
        """A prompt was uploaded, or made from text; its sound is on the disk."""
        self._begin(now)
        self.mailboxes.keep_prompt("", prompt)
        self.publish(PromptKept("", prompt.owner, prompt.name, prompt.origin, prompt.seconds))
        self._drain()

    def remove_prompt(self, owner: str, name: str, now: Moment) -> None:
        self._begin(now)
        self.submit(PromptRemoved(owner, name))
        self._drain()

    def record_prompt(self, extension: str, owner: str, name: str, now: Moment) -> str:
        """Ring an extension and record a prompt with whoever answers; return the call, empty when no phone is there."""
        self._begin(now)
        call = call_for_prompt(self, extension, owner, name)
        self._drain()
        return call

    def mail_sent(self, notice: str, now: Moment) -> None:
        """The mail server has taken it, or there was nobody to send it to."""
        self._begin(now)
        self.notices.sent(notice)
        self._drain()

    def mail_failed(self, notice: str, reason: str, now: Moment, *, for_good: bool) -> None:
        """It could not be sent: it is tried again, or `for_good` never will be."""
        self._begin(now)
        self.notices.failed(notice, reason, for_good=for_good)
        self._drain()

    def transcribed(self, notice: str, text: str, problem: str, now: Moment) -> None:
        """What an engine made of the message a notice is about."""
        self._begin(now)
        self.notices.transcribed(notice, text, problem)
        self._drain()

    def send_fax(self, account: str, number: str, document: str, pages: int, now: Moment, sender: str = "") -> Fax:
        """Send a document of an account's; its pages are on the disk. ValueError when there is no such account."""
        self._begin(now)
        fax = self.faxes.send(account, number, document, pages, sender)
        self._drain()
        return fax

    def place_call(self, devices: tuple[str, ...], number: str, alias: str, now: Moment, *, hands_free: bool) -> str:
        """Ring devices of one user; who answers calls `number`. Return the call, empty when none is registered."""
        self._begin(now)
        call = control.place(self, devices, number, alias, hands_free=hands_free)
        self._drain()
        return call

    def control(self, act: Callable[[Switch], str], now: Moment) -> str:
        """Do something to a call that is no input of a phone's (`pbx.switch.control`); return why not."""
        self._begin(now)
        problem = act(self)
        self._drain()
        return problem

    def set_do_not_disturb(self, extension: str, on: bool, now: Moment) -> None:
        self._begin(now)
        self.settings_of_users.keep(replace(self.settings_of_users.of(extension), do_not_disturb=on))
        self._drain()

    def set_agent_status(self, agent: str, status: AgentStatus, now: Moment, queue: str = "") -> tuple[str, ...]:
        """Log an agent in or out, or say why it takes no calls, in one queue or in all it serves; return these queues.

        Calls it has are not touched. Empty when no such queue has such an agent.
        """
        self._begin(now)
        served = self.agent_status(agent, status, queue)
        self._drain()
        return served

    def drain(self, now: Moment) -> None:
        """Refuse new calls and end those in progress: the switch is going down."""
        self.draining = True
        self.end_calls(now)

    def end_calls(self, now: Moment) -> None:
        """End every call in progress."""
        self._begin(now)
        for call in list(self._calls.values()):
            self.guarded(call, partial(call.refuse, Cause.CONGESTION))
        self._drain()

    # --- outputs --------------------------------------------------------------------------------------

    def take_outgoing(self) -> list[Outgoing]:
        """Return what may leave now; what waits for the disk stays until it is confirmed."""
        return self.durability.leaving(self.stack.take_outgoing())

    def next_deadline(self) -> float:
        return min(
            self.timers.next_deadline(),
            self.registration.next_deadline(),
            self.watchers.next_deadline(),
            self.queues.next_deadline(self.queues_by_extension, self.now.mono),
            self.notices.next_deadline(),
            self.faxes.next_deadline(),
        )

    def live(self) -> dict[str, int]:
        """What is in progress, for leak checks and health."""
        return {
            **self.stack.live(),
            "calls": len(self._calls),
            "legs": len(self.parties),
            "media": self.engine.live(),
            "queued": self.queues.live(),
            "parked": self.parking.live(),
            "conversations recorded": self.call_recordings.live(),
            "conferring": self.conferences.live(),
            "recordings": self.mailboxes.live(),
            "faxes": self.faxes.live(),
            "held": len(self.durability),
            "texts": self.texts.live(),
            "busy": self.parties.busy.total(),
        }

    def why(self, asked: Asked, now: Moment) -> DecisionRecord:
        """Explain where a call would go now; nobody rings."""
        self.now = now
        return routing.route(self.directory, asked, self.presence(None), self.hour).record

    @property
    def hour(self) -> Moment:
        """The office's hour of the input being served."""
        return self.hours(self.now)

    def registered(self) -> frozenset[str]:
        return self.registration.registered()

    def binding(self, device: str) -> Binding | None:
        """The newest live contact of a device, at the address where it is reached."""
        newest = next(iter(self.registration.registrar.bindings(device, self.now)), None)
        return as_reached(newest, self.directory.devices_by_id.get(device)) if newest is not None else None

    # --- what the parts of the switch use -------------------------------------------------------------

    def presence(self, but: CallState | None) -> Presence:
        """What routing may see; the call being routed does not make its own caller busy."""
        calls = self.parties.busy
        its = Counter(leg.extension for leg in but.legs.values() if not leg.gone) if but is not None else Counter[str]()
        busy = frozenset(calls).difference(extension for extension in its if calls[extension] <= its[extension])
        users = self.directory.users_by_extension
        full = frozenset(e for e in busy & self.directory.users_with_limit if users[e].max_calls <= calls[e] - its[e])
        statuses = self.queues.agents.statuses()
        own = self.settings_of_users
        return Presence(
            self.registered(),
            busy,
            own.quiet,
            full,
            own.all(),
            frozenset(own.undisturbed.values()),
            statuses,
        )

    def _all_queues(self) -> Mapping[str, Queue]:
        return {**self.directory.queues_by_extension, **self.settings.support.queues_by_extension}

    def reachable(self, extension: str) -> bool:
        registered = self.registered()
        return any(device.id in registered for device in self.directory.devices_by_extension.get(extension, ()))

    def idle_phones(self, extension: str) -> tuple[str, ...]:
        """Return the registered devices of a user who is in no call and may be disturbed."""
        user = self.directory.users_by_extension.get(extension)
        if user is None or extension in self.parties.busy:
            return ()
        if user.do_not_disturb or self.settings_of_users.of(extension).do_not_disturb:
            return ()
        registered = self.registered()
        own = self.directory.devices_by_extension.get(extension, ())
        return tuple(device.id for device in own if device.id in registered)

    def agent_reachable(self, agent: Agent) -> bool:
        """An agent has a registered phone, or is somebody outside and there is a way out."""
        return routing.agent_can_be_reached(self.directory, agent, self.registered(), bool(self.settings.trunks))

    def agent_status(self, agent: str, status: AgentStatus, queue: str = "") -> tuple[str, ...]:
        served = []
        for known in self.queues_by_extension.values():
            found = known.agent(agent)
            if found is None or found.disabled or queue not in ("", known.extension):
                continue
            served.append(known.extension)
            if self.queues.agents.set_status(known.extension, found, status):
                self.publish(AgentStatusChanged(known.extension, agent, status.value))
        return tuple(served)

    @property
    def refuses_calls(self) -> bool:
        """Going down, or as many calls as the operator or the domain allows."""
        limit = self.directory.domain.max_calls
        calls = len(self._calls)
        return self.draining or calls >= self.settings.max_calls or (limit > 0 and calls >= limit)

    @property
    def has_all_outside_calls(self) -> bool:
        """As many parties outside are in calls as the domain allows."""
        return 0 < self.directory.domain.max_outside_calls <= self.parties.outside

    def has_all_calls(self, extension: str) -> bool:
        """A user has as many calls as it may."""
        user = self.directory.users_by_extension.get(extension)
        return user is not None and 0 < user.max_calls <= self.parties.busy[extension]

    def next_call_id(self) -> str:
        self._numbered += 1
        return f"c-{self._numbered:04d}"

    def begin(self, call: Call, leg: Leg, session: Session) -> None:
        self._calls[call.id] = call
        self.own(session, call, leg)

    def begin_alone(self, call: Call) -> None:
        """A call of the house itself: nobody has made it."""
        self._calls[call.id] = call

    def own(self, session: Session, call: Call, leg: Leg) -> None:
        """A leg has begun."""
        self.parties.begin(session, call, leg)
        self.reports.leg_began(call.id, leg)

    def own_instead(self, former: Session, call: Call, leg: Leg) -> None:
        """A leg goes on by another session; what still comes of the former one is nobody's."""
        self.parties.session_over(former)
        self.parties.rehouse(leg, call)
        former.end(self.now.mono)

    def calls(self) -> list[Call]:
        """Return every call in progress, oldest first."""
        return list(self._calls.values())

    def call(self, call: str) -> Call | None:
        """Return a call in progress."""
        return self._calls.get(call)

    def negotiation(self, device: str) -> Negotiation:
        """Return a new leg's side of offer and answer, after the policy of its device; the carrier's is plain."""
        known = self.directory.devices_by_id.get(device)
        policy = known.srtp if known is not None else "no"
        if policy == "opportunistic" and Capability.ENCRYPTION not in self.engine.capabilities:
            policy = "no"
        codecs = G711 if known is not None and known.fax else self.settings.codecs
        return Negotiation(policy, self._token, codecs)

    def chance(self, below: int) -> int:
        """Return a number from 0 on, below the one given."""
        return int.from_bytes(self._token(8).encode()) % below

    def nat_of(self, device: str) -> Nat:
        """Return how a device's own word on its addresses is taken; the carrier's is seen by what it says."""
        known = self.directory.devices_by_id.get(device)
        return known.nat if known is not None else "automatic"

    def joined(self, call: Call, leg: Leg) -> None:
        """Two legs talk from now on."""
        conversation(self, call, leg)

    def call_over(self, call: Call) -> None:
        self._calls.pop(call.id, None)
        self.settings_of_users.undisturbed.pop(call.id, None)
        self.mailboxes.call_over(call.id)
        self.timers.cancel(call, "script")
        self.timers.cancel(call, "keys")
        self.timers.cancel(call, "hold")
        self.timers.cancel(call, "path")
        self.timers.cancel(call, "fax")
        self.timers.cancel(call, "trunk")
        for leg in call.legs.values():
            # A called leg that was cancelled may still have to be told so: its session stays until it is over.
            if leg.session is not None and leg.session.over:
                self.parties.session_over(leg.session)

    def fail_all(self) -> None:
        """The media process has died: end every call."""
        for call in list(self._calls.values()):
            self.guarded(call, call.fail)
        self.parties.without_media()

    def publish(self, event: Event) -> None:
        self._bus.publish(event, self.now)
        self.watchers.take(event)
        self.support.take(event)

    def submit(self, change: Change) -> int:
        return self.history.submit(change)

    def save(self, record: CallRecord) -> int:
        return self.submit(RecordSaved(record))

    def when_answered(self, handle: RequestHandle, do: Callable[[RequestHandle, int], None]) -> None:
        """Do something with the final status of a request outside any call; 408 when nobody answers."""
        self._asked[handle] = do

    def when_responded(self, handle: RequestHandle, do: Callable[[Response | None], None]) -> None:
        """As `when_answered`, with the whole response; None when nobody answers."""
        self._questions[handle] = do

    def later(self, call: Call, do: Callable[[], None]) -> None:
        """Do something to a call when the present consequence has been dealt with."""
        self._afterwards.append(partial(self.guarded, call, do))

    def guarded(self, call: Call | None, do: Callable[[], None]) -> bool:
        """Drive the core: a fault ends the call it happened in and nothing else. Return whether all went well."""
        try:
            do()
        except Exception as fault:  # noqa: BLE001 - the one place where a fault of ours is contained
            self.publish(ServerFault("switch", call.id if call else "", f"{type(fault).__name__}: {fault}"))
            if call is not None:
                try:
                    call.fail()
                except Exception as second:  # noqa: BLE001 - its cleanup is broken too
                    self.publish(ServerFault("switch", call.id, f"{type(second).__name__}: {second}"))
                self.call_over(call)
            return False
        return True

    # --- drain ----------------------------------------------------------------------------------------

    def _begin(self, now: Moment) -> None:
        before, self.now = self.now, now
        self.engine.at(now.mono)
        stepped_s = (now.wall - before.wall).total_seconds() - (now.mono - before.mono)
        if abs(stepped_s) > CLOCK_STEP_S:
            self.registration.clock_stepped(stepped_s)
            self.watchers.clock_stepped()
            self.support.clock_stepped()
            self.publish(ClockStepped(round(stepped_s, 3)))

    def _drain(self) -> None:
        """Deal with every consequence of an input, and with theirs."""
        while True:
            events, heard = self.stack.take_events(), self.engine.take_events()
            if not (events or heard or self._afterwards or self._distribute()):
                break
            for event in events:
                self._sip(event)
            for news in heard:
                media_event(self, news)
            while self._afterwards:
                self._afterwards.popleft()()
        self.watchers.flush()

    def _distribute(self) -> bool:
        """Offer waiting callers to free agents; True when anything was offered."""
        offered = False
        for made in self.queues.offers(self.queues_by_extension, self._is_free, self.now.mono):
            call = self._calls.get(made.offer.call)
            if call is not None:
                offered = True
                call.offered(made.queue, made.offer.agents, made.round)
                self.guarded(call, partial(call.feed, AgentsOffered(made.offer.agents)))
        return offered

    def _is_free(self, agent: Agent) -> bool:
        calls = self.queues.agents.calls(agent.name) if agent.number else self.parties.busy[person(agent.name)]
        return calls < agent.max_calls and self.agent_reachable(agent)

    def _admission_changed(self, refusing: bool, waited_s: float, refused: int) -> None:
        self.publish(OverloadBegan(round(waited_s * 1000)) if refusing else OverloadEnded(refused))

    def _sip(self, event: SipEvent) -> None:
        match event:
            case InviteReceived(session=session):
                if not self.guarded(None, partial(take_invite, self, session)):
                    session.reject(FAULT_STATUS, "", self.now.mono)
            case RequestReceived(transaction=transaction):
                if not self.guarded(None, partial(take_request, self, event)):
                    self.stack.respond(transaction, FAULT_STATUS, now=self.now.mono)
            case ResponseReceived(handle=handle, response=response):
                self._answered(handle, response.status, response)
            case RequestTimedOut(handle=handle):
                self._answered(handle, 408)
            case Ignored(source=source, reason=reason, status=status):
                self.publish(InputIgnored("sip", str(source), reason, status))
            case _:
                self._session_event(event)

    def _answered(self, handle: RequestHandle, status: int, response: Response | None = None) -> None:
        question = self._questions.pop(handle, None)
        if question is not None:
            self.guarded(None, partial(question, response))
            return
        self.watchers.answered(handle, status)
        then = self._asked.pop(handle, None)
        if then is not None:
            then(handle, status)

    def _session_event(self, event: SipEvent) -> None:
        session: Session | None = getattr(event, "session", None)
        found = self.parties.of_session(session)
        if session is None or found is None:
            return
        self.guarded(found[0], partial(session_event, self, *found, session, event))
        if session.over:
            self.parties.session_over(session)

    def _traced(self, direction: str, peer: Peer, message: Request | Response | None, data: bytes) -> None:
        if peer == self.settings.watchdog:
            return
        devices = self.registration.devices_at(peer)
        if message is None:
            broken = broken_event(direction, str(peer), data, devices)
            if broken is not None:
                self.publish(broken)
        else:
            # Nobody watches messages, so that those who watch need not be asked: they are most of all events.
            self._bus.publish(message_event(direction, str(peer), message, data, devices), self.now)
