"""The switch: one input at a time, then drain, then hand out datagrams and one deadline. Never awaits, never queries.

Inputs are a datagram, what the media engine has to say, the passing of time, a new directory and the confirmation that
something is durable; each comes with its moment. A fault in one call ends that call and touches no other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial

from pbx.bus import Bus
from pbx.callflow import routing
from pbx.callflow.decisions import DecisionRecord
from pbx.callflow.ports import Change, History, Message, MessageSaved
from pbx.callflow.question import Asked, Presence
from pbx.callflow.vocabulary import (
    AgentsOffered,
    KeyPressed,
    LegAnswered,
    LegEarlyMedia,
    LegRang,
    LegRefused,
    Played,
    Recorded,
    TransferAsked,
)
from pbx.clock import FOREVER, Moment
from pbx.domain.directory import Directory
from pbx.events import (
    CallEarly,
    CallHeld,
    CallInvited,
    CallResumed,
    CallRinging,
    CallUp,
    DigitReceived,
    DirectoryChanged,
    Event,
    InputIgnored,
    LegFailed,
    MediaHeard,
    MediaReport,
    MediaStarted,
    ResyncRequested,
    ServerFault,
    VoicemailLeft,
)
from pbx.media.engine import (
    Closed,
    DigitPressed,
    Engine,
    Heard,
    MediaEvent,
    Music,
    NoMediaPort,
    PlayFinished,
    RecordingFinished,
    SourceLatched,
    WorkerLost,
)
from pbx.media.info import info_digit
from pbx.media.sdp import BadSdp
from pbx.sip.address import Peer
from pbx.sip.digest import DigestServer, Verdict
from pbx.sip.registrar import Binding
from pbx.sip.session import ALLOW, Session
from pbx.sip.sip_events import (
    Answered,
    Cancelled,
    Confirmed,
    Ended,
    Ignored,
    InfoReceived,
    InviteReceived,
    Progress,
    ReferReceived,
    Rejected,
    ReofferReceived,
    RequestReceived,
    RequestTimedOut,
    ResponseReceived,
    SipEvent,
)
from pbx.sip.stack import Outgoing, Stack
from pbx.sip.subscriptions import Notifier
from pbx.sip.uri import BadUri, NameAddr, parse_uri
from pbx.switch.calls import Call
from pbx.switch.lamps import Lamps
from pbx.switch.legs import Leg, Role
from pbx.switch.queues import Queues
from pbx.switch.registration import Registration
from pbx.switch.settings import SwitchSettings
from pbx.switch.trace import message_event

MIN_MESSAGE_S = 1.0
"""A shorter message is a caller who hung up at the beep."""


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
        self.directory = directory
        self.settings = settings or SwitchSettings()
        self.engine = engine
        self.history = history
        self.now = now
        self.realm = directory.domain.name
        self.stack = Stack(local, token=token, user_agent=self.settings.user_agent, trace=self._traced)
        digest = DigestServer(self.realm, token, lifetime_s=self.settings.nonce_lifetime_s)
        self.registration = Registration(self, digest)
        self.registration.registrar.load(history.bindings())
        self.lamps = Lamps(self, Notifier(self.stack, token))
        self.queues = Queues()
        self.transfer_target = ""
        self.do_not_disturb: set[str] = set()
        """Extensions, set by feature."""
        self._bus = bus
        self._token = token
        self._calls: dict[str, Call] = {}
        self._by_session: dict[Session, tuple[Call, Leg]] = {}
        self._by_leg: dict[str, tuple[Call, Leg]] = {}
        self._recordings: dict[str, tuple[str, str, str]] = {}
        self._afterwards: deque[Callable[[], None]] = deque()
        self._held: dict[int, list[Outgoing]] = {}
        self._when: dict[int, list[Callable[[], None]]] = {}
        self._confirmed = 0
        self._numbered = 0
        self._draining = False

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
        for call in list(self._calls.values()):
            if call.deadline <= now.mono:
                self._guarded(call, call.tick)
        self.registration.expire()
        self.lamps.tick(now)
        self._drain()

    def apply(self, directory: Directory, now: Moment, what: str = "directory") -> None:
        """Take a new snapshot; calls in progress go on, what they ask next is answered from it."""
        self._begin(now)
        self.directory = directory
        self.publish(DirectoryChanged(self.realm, directory.revision, what))
        self._drain()

    def confirm(self, ticket: int, now: Moment) -> None:
        """Everything up to this ticket is durable."""
        self._begin(now)
        self._confirmed = max(self._confirmed, ticket)
        for known in sorted(number for number in self._when if number <= self._confirmed):
            for do in self._when.pop(known):
                do()
        self._drain()

    def closed(self, peer: Peer, now: Moment) -> None:
        self._begin(now)
        self.stack.closed(peer, now.mono)
        self.registration.lost(peer)
        self._drain()

    def resync(self, device: str, now: Moment, *, reboot: bool = False) -> bool:
        """Ask a registered phone to fetch its configuration again (NOTIFY check-sync)."""
        self._begin(now)
        binding = self.binding(device)
        if binding is None:
            return False
        who = NameAddr(f"sip:{device}@{self.realm}")
        event = f"check-sync;reboot={'true' if reboot else 'false'}"
        headers = [("Event", event), ("Subscription-State", "terminated")]
        self.stack.request("NOTIFY", binding.contact, binding.peer, from_=who, to=who, now=now.mono, headers=headers)
        known = self.directory.devices_by_id.get(device)
        self.publish(ResyncRequested(device, (known.mac or "") if known else ""))
        self._drain()
        return True

    def set_do_not_disturb(self, extension: str, on: bool, now: Moment) -> None:
        self._begin(now)
        (self.do_not_disturb.add if on else self.do_not_disturb.discard)(extension)

    def drain(self, now: Moment) -> None:
        """Refuse new calls and end those in progress: the switch is going down."""
        self._begin(now)
        self._draining = True
        for call in list(self._calls.values()):
            call.end()
        self._drain()

    # --- outputs --------------------------------------------------------------------------------------

    def take_outgoing(self) -> list[Outgoing]:
        """Return what may leave now; what waits for the disk stays until it is confirmed."""
        ready: list[Outgoing] = []
        for ticket in sorted(number for number in self._held if number <= self._confirmed):
            ready += self._held.pop(ticket)
        for item in self.stack.take_outgoing():
            if item.ticket is not None and item.ticket > self._confirmed:
                self._held.setdefault(item.ticket, []).append(item)
            else:
                ready.append(item)
        return ready

    def next_deadline(self) -> float:
        calls = min((call.deadline for call in self._calls.values()), default=FOREVER)
        return min(
            self.stack.next_deadline(),
            calls,
            self.registration.registrar.next_deadline(self.now),
            self.lamps.notifier.next_deadline(),
            self.queues.next_deadline(self.now.mono),
        )

    def live(self) -> dict[str, int]:
        """What is in progress, for leak checks and health."""
        return {
            **self.stack.live(),
            "calls": len(self._calls),
            "legs": len(self._by_leg),
            "media": self.engine.live(),
            "queued": self.queues.live(),
            "recordings": len(self._recordings),
            "held": len(self._held),
        }

    def why(self, asked: Asked, now: Moment) -> DecisionRecord:
        """Explain where a call would go now; nobody rings."""
        return routing.route(self.directory, asked, self.presence(None), now).record

    def registered(self) -> frozenset[str]:
        return self.registration.registrar.registered(self.now)

    def binding(self, device: str) -> Binding | None:
        """The newest live contact of a device."""
        return next(iter(self.registration.registrar.bindings(device, self.now)), None)

    # --- what calls use -------------------------------------------------------------------------------

    def presence(self, but: Call | None) -> Presence:
        """What routing may see; the call being routed does not make its own caller busy."""
        busy = {
            leg.extension
            for call in self._calls.values()
            if call is not but
            for leg in call.legs.values()
            if leg.extension and not leg.gone
        }
        return Presence(self.registered(), frozenset(busy), frozenset(self.do_not_disturb))

    def reachable(self, extension: str) -> bool:
        registered = self.registered()
        return any(device.id in registered for device in self.directory.devices_by_extension.get(extension, ()))

    def publish(self, event: Event) -> None:
        self._bus.publish(event, self.now)

    def submit(self, change: Change) -> int:
        return self.history.submit(change)

    def when_durable(self, ticket: int, do: Callable[[], None]) -> None:
        """Do something once a ticket is confirmed; 0 is durable already."""
        if ticket <= self._confirmed:
            do()
        else:
            self._when.setdefault(ticket, []).append(do)

    def later(self, do: Callable[[], None]) -> None:
        """Do something when the present consequence has been dealt with."""
        self._afterwards.append(do)

    def own(self, session: Session, call: Call, leg: Leg) -> None:
        self._by_session[session] = (call, leg)
        self._by_leg[leg.name] = (call, leg)

    def message_expected(self, call: Call, box: str) -> str:
        """Name a recording that becomes a message of `box` when it ends."""
        recording = f"vm-{int(self.now.wall.timestamp() * 1000)}-{self._token(8)}"
        self._recordings[recording] = (call.id, box, call.caller_number)
        return recording

    def call_over(self, call: Call) -> None:
        self._calls.pop(call.id, None)
        queue, agent = call.served_by
        known = self.directory.queues_by_extension.get(queue)
        if known is not None and agent:
            self.queues.talked(known, agent, self.now.mono)
        for leg in call.legs.values():
            if not leg.opened:  # one with media is forgotten when its engine has reported
                self._by_leg.pop(leg.name, None)
            # A called leg that was cancelled may still have to be told so: its session stays until it is over.
            if leg.session is not None and leg.session.over:
                self._by_session.pop(leg.session, None)

    # --- drain ----------------------------------------------------------------------------------------

    def _begin(self, now: Moment) -> None:
        self.now = now
        self.engine.at(now.mono)

    def _drain(self) -> None:
        while True:
            moved = False
            for event in self.stack.take_events():
                moved = True
                self._sip(event)
            for heard in self.engine.take_events():
                moved = True
                self._media(heard)
            while self._afterwards:
                moved = True
                self._afterwards.popleft()()
            if not moved and not self._distribute():
                return

    def _distribute(self) -> bool:
        """Offer waiting callers to free agents; True when anything was offered."""
        offered = False
        for extension in self.queues.waiting():
            queue = self.directory.queues_by_extension.get(extension)
            if queue is None:
                continue
            busy = self.presence(None).busy
            free = [agent.extension for agent in queue.agents if agent.extension not in busy]
            free = [extension for extension in free if self.reachable(extension)]
            for offer, round_ in self.queues.offers(queue, free.__contains__, self.now.mono):
                call = self._calls.get(offer.call)
                if call is not None:
                    offered = True
                    call.offered(extension, offer.agents, round_)
                    self._guarded(call, partial(call.feed, AgentsOffered(offer.agents)))
        return offered

    def _guarded(self, call: Call | None, do: Callable[[], None]) -> None:
        """The core's driver: a fault ends the call it happened in and nothing else."""
        try:
            do()
        except Exception as fault:  # noqa: BLE001 - the one place where a fault of ours is contained
            self.publish(ServerFault("switch", call.id if call else "", f"{type(fault).__name__}: {fault}"))
            if call is not None:
                try:
                    call.end()
                except Exception as second:  # noqa: BLE001 - its cleanup is broken too: forget it
                    self.publish(ServerFault("switch", call.id, f"{type(second).__name__}: {second}"))
                    self.call_over(call)

    # --- SIP events -----------------------------------------------------------------------------------

    def _sip(self, event: SipEvent) -> None:
        match event:
            case InviteReceived(session=session):
                self._guarded(None, lambda: self._invited(session))
            case RequestReceived():
                self._guarded(None, lambda: self._requested(event))
            case ResponseReceived(handle=handle, response=response):
                self.lamps.answered(handle, response.status)
            case RequestTimedOut(handle=handle):
                self.lamps.answered(handle, 408)
            case Ignored(source=source, reason=reason, status=status):
                self.publish(InputIgnored("sip", str(source), reason, status))
            case _:
                self._session_event(event)

    def _session_event(self, event: SipEvent) -> None:
        session: Session | None = getattr(event, "session", None)
        found = self._by_session.get(session) if session is not None else None
        if session is None or found is None:
            return
        call, leg = found
        self._guarded(call, lambda: self._leg_event(call, leg, session, event))
        if session.over:
            self._by_session.pop(session, None)

    def _leg_event(self, call: Call, leg: Leg, session: Session, event: SipEvent) -> None:
        match event:
            case Progress(status=status, sdp=sdp):
                self._progress(call, leg, status, sdp)
            case Answered(sdp=sdp):
                self._answered(call, leg, session, sdp)
            case Rejected(status=status, reason=reason):
                if not leg.gone:
                    self.publish(LegFailed(call.id, leg.name, leg.device, leg.extension, status, reason))
                    call.refused(leg)
                    call.feed(LegRefused(leg.name, status))
            case Confirmed(sdp=sdp) if sdp is not None:
                leg.settle(sdp)
            case Cancelled():
                call.leg_over(leg, 16, "peer")
            case Ended(by=by, cause=cause):
                call.leg_over(leg, cause, "peer" if by == "peer" else "error")
            case ReofferReceived(sdp=sdp):
                self._reoffered(call, leg, session, sdp)
            case InfoReceived(content_type=kind, body=body):
                digit = info_digit(kind, body)
                if digit:
                    self._digit(call, leg, digit, "info")
            case ReferReceived(target_uri=target):
                self._transfer(call, leg, session, target)
            case _:
                pass

    def _progress(self, call: Call, leg: Leg, status: int, sdp: bytes | None) -> None:
        if leg.gone:
            return
        if status in (180, 183):
            session = leg.session
            shown = session.local if session is not None else NameAddr("")
            number = shown.user.lstrip("+") if shown.uri else ""
            self.publish(CallRinging(call.id, leg.name, leg.device, leg.extension, number, shown.display))
        if sdp is not None and leg.remote is None:
            try:
                leg.settle(sdp)
            except BadSdp:
                return
            self.publish(CallEarly(call.id, leg.name, leg.device))
            call.feed(LegEarlyMedia(leg.name))
        else:
            call.feed(LegRang(leg.name))

    def _answered(self, call: Call, leg: Leg, session: Session, sdp: bytes | None) -> None:
        if leg.gone:
            session.bye(self.now.mono)
            return
        try:
            if sdp is None:
                raise BadSdp(488, "a 200 without an answer")
            leg.settle(sdp)
        except BadSdp:
            session.bye(self.now.mono)
            call.refused(leg)
            call.feed(LegRefused(leg.name, 488))
            return
        leg.answered, leg.answered_at = True, self.now.mono
        self.publish(CallUp(call.id, leg.name, leg.device, leg.extension, session.local.user.lstrip("+"), "called"))
        call.feed(LegAnswered(leg.name))

    # --- a new call -----------------------------------------------------------------------------------

    def _invited(self, session: Session) -> None:
        now, request = self.now.mono, session.request
        outside = self.settings.carrier is not None and session.peer == self.settings.carrier
        device = None
        if not outside:
            device, verdict = self.registration.prove(request, now)
            if device is None:
                if verdict is Verdict.WRONG:
                    session.reject(403, "", now)
                else:
                    stale = verdict in (Verdict.STALE, Verdict.REPLAYED)
                    status, headers = self.registration.challenge(now, stale=stale)
                    session.reject(status, "", now, headers)
                return
        try:
            dialled = parse_uri(request.uri).user
        except BadUri:
            session.reject(400, "", now)
            return
        if self._draining or self._full():
            session.reject(503, "", now, [("Retry-After", "5")])
            return
        sender = request.from_
        number = device.extension if device is not None else sender.user.lstrip("+")
        user = self.directory.users_by_extension.get(number) if device is not None else None
        name = user.name if user is not None else sender.display
        extension = device.extension if device is not None else ""
        asked = Asked(dialled, number, device.id if device else "", extension, name)
        self._numbered += 1
        call_id = f"c-{self._numbered:04d}"
        leg = Leg(f"{call_id}.0", Role.CALLER, asked.caller_device, extension, "" if device else number, self.engine)
        leg.session = session
        call = Call(self, call_id, leg, asked, name)
        found = routing.route(self.directory, asked, self.presence(None), self.now)
        self._calls[call_id] = call
        self.own(session, call, leg)
        self.publish(CallInvited(call_id, leg.name, number, name, asked.caller_device, dialled, session.call_id))
        self._guarded(call, lambda: call.start(found))

    def _full(self) -> bool:
        limit = self.directory.domain.max_calls
        return len(self._calls) >= self.settings.max_calls or (limit > 0 and len(self._calls) >= limit)

    def _requested(self, event: RequestReceived) -> None:
        transaction, request = event.transaction, event.request
        match request.method:
            case "REGISTER":
                self.registration.register(transaction, event.source)
            case "SUBSCRIBE":
                self.lamps.subscribe(transaction, event.source)
            case "OPTIONS":
                headers = [("Allow", ALLOW), ("Accept", "application/sdp"), ("Supported", "replaces")]
                self.stack.respond(transaction, 200, headers=headers, now=self.now.mono)
            case "NOTIFY" | "PUBLISH" | "MESSAGE":
                self.stack.respond(transaction, 405, headers=[("Allow", ALLOW)], now=self.now.mono)
            case _:
                self.stack.respond(transaction, 501, headers=[("Allow", ALLOW)], now=self.now.mono)

    # --- in a call ------------------------------------------------------------------------------------

    def _reoffered(self, call: Call, leg: Leg, session: Session, sdp: bytes | None) -> None:
        """A re-INVITE: hold, resume, a new address. The held party hears its site's music (F01, F02)."""
        now = self.now.mono
        try:
            if sdp is None:
                session.accept_reoffer(leg.offer(), now)
                return
            hold = leg.is_hold(sdp)
            text = leg.answer(sdp)
        except BadSdp as error:
            session.reject_reoffer(error.status, now)
            return
        except NoMediaPort:
            session.reject_reoffer(500, now)
            return
        session.accept_reoffer(text, now)
        other = call.legs.get(leg.joined)
        if hold and not leg.held:
            leg.held = True
            self.publish(CallHeld(call.id, leg.name, leg.device))
            if other is not None:
                call.play_to(other.name, Music(routing.music_of(self.directory, leg.extension)))
        elif not hold and leg.held:
            leg.held = False
            self.publish(CallResumed(call.id, leg.name, leg.device))
            if other is not None:
                self.engine.stop(other.name)

    def _transfer(self, call: Call, leg: Leg, session: Session, target: str) -> None:
        now = self.now.mono
        try:
            dialled = parse_uri(target).user
        except BadUri:
            session.reject_refer(400, now)
            return
        other = call.legs.get(leg.joined)
        if other is None or not leg.answered or not dialled:
            session.reject_refer(603, now)
            return
        asked = Asked(dialled, leg.extension or leg.number, leg.device, leg.extension)
        found = routing.route(self.directory, asked, self.presence(call), self.now)
        session.accept_refer(now)
        session.notify_refer("SIP/2.0 100 Trying", False, now)
        self.transfer_target = dialled
        call.feed(TransferAsked(call.name_of(leg), found.destination))

    def _digit(self, call: Call, leg: Leg, digit: str, method: str) -> None:
        self.publish(DigitReceived(call.id, leg.name, leg.device, digit, method))
        call.feed(KeyPressed(call.name_of(leg), digit))

    # --- media events ---------------------------------------------------------------------------------

    def _media(self, event: MediaEvent) -> None:
        if isinstance(event, WorkerLost):
            self.publish(ServerFault("media", "", event.reason))
            for call in list(self._calls.values()):
                call.end()
            self._by_leg.clear()
            self._recordings.clear()
            return
        if isinstance(event, RecordingFinished):
            self._recorded(event)
        found = self._by_leg.get(getattr(event, "leg", ""))
        if found is None:
            return
        call, leg = found
        self._guarded(call, lambda: self._leg_media(call, leg, event))

    def _leg_media(self, call: Call, leg: Leg, event: MediaEvent) -> None:
        match event:
            case PlayFinished(token=token):
                call.feed(Played(call.name_of(leg), token))
            case DigitPressed(digit=digit):
                self._digit(call, leg, digit, "rfc4733")
            case RecordingFinished(seconds=seconds, reason=reason) if reason != "hangup":
                call.feed(Recorded(call.name_of(leg), seconds, reason))
            case SourceLatched(host=host, port=port, codec=codec):
                self.publish(MediaStarted(call.id, leg.name, leg.party, codec, f"{host}:{port}"))
            case Heard(sound=sound):
                self.publish(MediaHeard(call.id, leg.name, leg.party, sound))
            case Closed(statistics=it):
                self._by_leg.pop(leg.name, None)
                self.publish(
                    MediaReport(
                        call.id, leg.name, leg.party, it.codec, it.received, it.sent, it.lost, it.jitter_ms, it.mos,
                        round(it.seconds, 3),
                    )
                )  # fmt: skip
            case _:
                pass

    def _recorded(self, event: RecordingFinished) -> None:
        """A recording that was to become a message has ended."""
        expected = self._recordings.pop(event.recording, None)
        if expected is None or event.seconds < MIN_MESSAGE_S:
            return
        call, box, caller = expected
        at = self.now.wall.timestamp()
        message = Message(event.recording, box, "new", event.recording, event.seconds, caller, event.heard, at)
        ticket = self.submit(MessageSaved(message))
        self.when_durable(
            ticket,
            lambda: self._delivered(VoicemailLeft(call, box, message.id, message.seconds, caller, message.heard)),
        )

    def _delivered(self, event: VoicemailLeft) -> None:
        self.publish(event)
        self.lamps.box_changed(event.box, self.now)

    # --- trace ----------------------------------------------------------------------------------------

    def _traced(self, direction: str, peer: Peer, data: bytes, now: float) -> None:
        known = self.registration.registrar.by_peer(peer)
        event = message_event(direction, str(peer), data, known.device if known else "")
        if event is not None:
            self.publish(event)
