"""A simulated desk phone, softphone or analogue adapter: one box, pure, from power to talk.

Inputs: power, a datagram, a media event, a fetched file, a button, the time. Outputs: datagrams, fetches, and a
call of `changed` when something a person would see is different. The same box runs in both worlds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from lab.phones.boot import Boot, BootPace
from lab.phones.calls import FaxMachine
from lab.phones.chassis import Chassis, Extension
from lab.phones.discovery import PNP
from lab.phones.family import Box, Family, Fetch, Fetched, PhoneConfig, Resync
from lab.phones.flashing import Flashing, wanted
from lab.phones.line import Line
from lab.phones.obeying import CSTA, referred, served
from lab.phones.registration import Standing
from lab.phones.sending_back import logs
from lab.phones.standings import show_standings
from lab.phones.telling import Teller
from pbx.clock import FOREVER
from pbx.media.engine import DigitPressed, Engine, FaxFinished, FaxSensed, Heard, MediaEvent
from pbx.sip.address import Peer
from pbx.sip.dialog import ALLOW
from pbx.sip.digest import DigestServer, Verdict
from pbx.sip.message import Request
from pbx.sip.session import Session
from pbx.sip.sip_events import InviteReceived, RequestReceived, RequestTimedOut, ResponseReceived, SipEvent
from pbx.sip.stack import Outgoing, Stack
from pbx.sip.uri import BadUri, NameAddr, parse_uri

PNP_GROUP = Peer("udp", "224.0.1.75", 5060)

_COMMANDS = frozenset({"talk", "hold"})
IMAGE = -1
"""Number of the fetches of firmware: they go on beside everything else."""
_TOLD = (Heard, DigitPressed, FaxSensed, FaxFinished)


class Phone(Chassis[Line]):
    """`make_stack` gives a fresh SIP stack at every power-on: a reboot forgets everything."""

    def __init__(
        self,
        family: Family,
        box: Box,
        extensions: Sequence[Extension],
        *,
        dhcp: Mapping[int, str],
        make_stack: Callable[[], Stack],
        engine: Engine,
        token: Callable[[int], str],
        pace: BootPace | None = None,
        changed: Callable[[Phone], None] | None = None,
        pnp: Peer = PNP_GROUP,
    ) -> None:
        """`pnp` is where it asks the network for its server."""
        super().__init__(family, box, extensions, dhcp, pace)
        self._make_stack, self._engine, self._token = make_stack, engine, token
        self._tell = changed
        self._dirty = False
        self._shown_stage = ""
        self._reboot_at = FOREVER
        self._stack: Stack | None = None
        self._fetches: list[tuple[int, Fetch]] = []
        self._teller = Teller()
        self._flashing: Flashing | None = None
        self._flashed_url = ""
        """The image that was put in last."""
        self._pnp, self._pnp_asked = pnp, 0
        self._digest_server = DigestServer(f"phone {box.mac}", token, algorithms=("MD5",))

    def live(self) -> dict[str, int]:
        """Counts of what is in progress (leak checks)."""
        counts = self._stack.live() if self._stack is not None else {}
        return {**counts, "calls": sum(len(line.live_calls) for line in self.lines)}

    # --- inputs ---------------------------------------------------------------------------------------

    def power_on(self, now: float) -> None:
        self._engine.at(now)
        if self.powered:
            return
        self.powered = True
        self._stack, self._teller = self._make_stack(), Teller()
        self._stack.commands = self.box.obeys & _COMMANDS
        self._begin_boot(self._new_boot(now))
        self._drain(now)

    def power_off(self, now: float) -> None:
        self._engine.at(now)
        for line in self.lines:
            line.close(now)
        self._unplugged()
        self._fetches.clear()
        self._stack, self._reboot_at, self._pnp_asked, self._flashing = None, FOREVER, 0, None
        self._mark()
        self._drain(now)

    def resync(self, now: float) -> None:
        """Fetch the configuration again and apply what changed, as after a check-sync."""
        if not self._at_rest:
            return
        boot = self._new_boot(now)
        self._begin_boot(boot)
        boot.reload(now)
        self._drain(now)

    def relinked(self, now: float) -> None:
        """The network was away and is back, perhaps another one."""
        for line in self.lines:
            line.registration.ask(now)

    def receive(self, data: bytes, source: Peer, now: float) -> None:
        self._engine.at(now)
        if self._stack is None:
            return
        self._stack.receive(data, source, now)
        self._drain(now)

    def closed(self, peer: Peer, now: float) -> None:
        self._engine.at(now)
        if self._stack is None:
            return
        self._stack.closed(peer, now)
        for line in self.lines:
            line.registration.lost(peer, now)
        self._drain(now)

    def fetched(self, number: int, answer: Fetched, now: float) -> None:
        if self._boot is None:
            return
        self._engine.at(now)
        if number == IMAGE:
            self._part_of_image(answer)
        self._boot.fetched(number, answer, now)
        self._mark()
        self._drain(now)

    def woken(self, now: float) -> None:
        """The engine may have something to say: take its events."""
        self.media(self._engine.take_events(), now)

    def media(self, events: Sequence[MediaEvent], now: float) -> None:
        """Take media events of this phone's legs: an engine may serve several phones, whose owner tells them apart."""
        if not events:
            return
        for event in events:
            if not isinstance(event, _TOLD):
                continue
            for line in self.lines:
                call = line.of_leg(event.leg)
                if call is None:
                    continue
                match event:
                    case Heard(sound=sound):
                        line.heard(call, sound, now)
                    case DigitPressed(digit=digit):
                        line.key_heard(call, digit, now)
                    case FaxSensed():
                        line.fax_sensed(call, now)
                    case FaxFinished():
                        line.fax_finished(call, event, now)
        self._drain(now)

    def act(self, button: Callable[[], object], now: float) -> object:
        """Press something: run `button` (a line's method, bound), then its consequences."""
        self._engine.at(now)
        result = button()
        self._drain(now)
        return result

    def tick(self, now: float) -> None:
        self._engine.at(now)
        if self._boot is not None:
            self._boot.tick(now)
        if now >= self._reboot_at:
            self.reboot(now)
            return
        if now >= self._retry_at:
            self._retry_at = FOREVER
            self._begin_boot(self._new_boot(now))
        if self._stack is not None:
            self._stack.tick(now)
        for line in self.lines:
            line.tick(now)
        self._drain(now)

    def next_deadline(self) -> float:
        if not self.powered:
            return FOREVER
        due = min(self._retry_at, self._reboot_at)
        if self._boot is not None:
            due = min(due, self._boot.next_deadline())
        if self._stack is not None:
            due = min(due, self._stack.next_deadline())
        for line in self.lines:
            due = min(due, line.next_deadline())
        return due

    # --- outputs --------------------------------------------------------------------------------------

    def take_outgoing(self) -> list[Outgoing]:
        return self._stack.take_outgoing() if self._stack is not None else []

    def take_fetches(self) -> list[tuple[int, Fetch]]:
        """Return the fetches to carry out, each with the number its answer must carry."""
        fetches, self._fetches = self._fetches, []
        return fetches

    # --- consequences ---------------------------------------------------------------------------------

    def _drain(self, now: float) -> None:
        while self._stack is not None and (events := self._stack.take_events()):
            for event in events:
                self._happened(event, now)
        self._follow_boot(now)
        if self._dirty:
            self._dirty = False
            show_standings(self.strip, self.lines, now)
            self._tell_server()
            self._restart_with_image(now)
            if self._tell is not None:
                self._tell(self)

    def _part_of_image(self, answer: Fetched) -> None:
        flashing = self._flashing
        if flashing is None:
            return
        flashing.take(answer)
        if flashing.given_up:
            self._flashing = None
        elif not flashing.whole:
            self._fetches.append((IMAGE, flashing.fetch()))

    def _restart_with_image(self, now: float) -> None:
        """No phone cuts a call off for it."""
        flashing = self._flashing
        if flashing is None or not flashing.whole or any(line.live_calls for line in self.lines):
            return
        self._flashing, self._flashed_url = None, flashing.url
        self.box = replace(self.box, firmware=flashing.version or self.box.firmware)
        self._reboot_at = now + 0.1

    def _tell_server(self) -> None:
        """Call the action URLs, where the configuration has some; the answer tells nothing."""
        seen = self._teller.look({line.account.port: (line.account.user, line) for line in self.lines})
        if self.config is not None:
            told = (self.family.tells(self.config.values, occurrence, self.box) for occurrence in seen)
            self._fetches += [(0, fetch) for fetch in told if fetch is not None]

    def _happened(self, event: SipEvent, now: float) -> None:
        match event:
            case InviteReceived(session=session):
                self._invited(session, now)
            case RequestReceived():
                self._requested(event, now)
            case ResponseReceived(handle=handle, response=response):
                for line in self.lines:
                    if line.registration.answered(handle, response, now):
                        self._registered(line, now)
                    elif line.subscription is not None:
                        line.subscription.answered(handle, response, now)
            case RequestTimedOut(handle=handle):
                for line in self.lines:
                    line.registration.silent(handle, now)
                    if line.subscription is not None:
                        line.subscription.silent(handle, now)
            case _:
                self._call_happened(event, now)

    def _call_happened(self, event: SipEvent, now: float) -> None:
        session: Session | None = getattr(event, "session", None)
        if session is None:
            return
        for line in self.lines:
            if (call := line.of_session(session)) is not None:
                line.happened(call, event, now)

    def _invited(self, session: Session, now: float) -> None:
        line = self._called_line(session.request.uri)
        if line is None:
            session.reject(404, "", now)
            return
        line.invited(session, now)

    def _requested(self, event: RequestReceived, now: float) -> None:
        assert self._stack is not None
        request, transaction = event.request, event.transaction
        match request.method:
            case "OPTIONS":
                self._stack.respond(transaction, 200, headers=self._abilities, now=now)
            case "REFER" | "INFO" if (obeys := self._obeys(request)) is not None:
                line, do = obeys
                self._stack.respond(transaction, do(line, request, now), now=now)
            case "NOTIFY":
                self._notified(event, now)
            case _:
                self._stack.respond(transaction, 405, headers=(("Allow", ALLOW),), now=now)

    @property
    def _abilities(self) -> Sequence[tuple[str, str]]:
        obeys = self.box.obeys
        methods = ALLOW if "refer" in obeys else ", ".join(m for m in ALLOW.split(", ") if m != "REFER")
        made = [("Allow", methods), ("Accept", f"application/sdp, {CSTA}" if "csta" in obeys else "application/sdp")]
        commands = sorted(obeys & _COMMANDS)
        return [*made, ("Allow-Events", ", ".join(commands))] if commands else made

    def _obeys(self, request: Request) -> tuple[Line, Callable[[Line, Request, float], int]] | None:
        """Return whose line is told, and what does it; None where this phone lets nobody."""
        line = self._called_line(request.to.uri)
        way, do = ("refer", referred) if request.method == "REFER" else ("csta", served)
        return (line, do) if line is not None and way in self.box.obeys else None

    def _notified(self, event: RequestReceived, now: float) -> None:
        assert self._stack is not None
        request, transaction = event.request, event.transaction
        package = (request.get("Event") or "").partition(";")[0].strip().lower()
        if package == "ua-profile":
            self._discovered(event, now)
            return
        if package == "message-summary":
            owner = next(
                (ln for ln in self.lines if ln.subscription is not None and ln.subscription.owns(request)), None
            )
            self._stack.respond(transaction, 200 if owner is not None else 481, now=now)
            if owner is not None and owner.subscription is not None:
                owner.subscription.notified(request, now)
            return
        wanted = self.family.resync(request.get("Event") or "")
        if wanted is Resync.NOTHING:
            self._stack.respond(transaction, 489, now=now)
            return
        if self.box.challenges_notify and not self._proved(request, now):
            challenge = [("WWW-Authenticate", value) for value in self._digest_server.challenge(now)]
            self._stack.respond(transaction, 401, headers=challenge, now=now)
            return
        self._stack.respond(transaction, 200, now=now)
        if wanted is Resync.REBOOT:
            self._reboot_at = now + 0.1  # the answer must leave before the stack is gone
        else:
            self.resync(now)

    def _chance(self) -> float:
        return int(self._token(4), 16) / 0xFFFF if self._pace.spread else 0.0

    def _ask_network(self, number: int, now: float) -> None:
        """SUBSCRIBE to whoever there is (reference, section 5): the NOTIFY brings the URL."""
        assert self._stack is not None
        self._pnp_asked = number
        who = NameAddr(f"sip:MAC%3a{self.box.mac}@{self._pnp.host}")
        vendor = self.family.name.partition("/")[0]
        said = f'vendor="{vendor}";model="{self.box.model}";version="{self.box.firmware}"'
        headers = (
            ("Event", f'ua-profile;profile-type="device";{said}'),
            ("Accept", "application/url"),
            ("Contact", f"<{self._stack.origin.contact(who, self._pnp)}>"),
            ("Expires", "0"),
        )
        self._stack.request("SUBSCRIBE", who.uri, self._pnp, from_=who, to=who, now=now, headers=headers)

    def _proved(self, request: Request, now: float) -> bool:
        """Who sends it knows the password of one of our lines."""
        given = request.get("Authorization")
        user = self._digest_server.user(given)
        line = next((line for line in self.lines if line.account.auth_user == user), None)
        password = line.account.password if line is not None else None
        return self._digest_server.verify(given, request.method, password, now) is Verdict.OK

    def _discovered(self, event: RequestReceived, now: float) -> None:
        assert self._stack is not None
        number, self._pnp_asked = self._pnp_asked, 0
        self._stack.respond(event.transaction, 200 if number else 481, now=now)
        if number and self._boot is not None:
            self._boot.fetched(number, Fetched(200, event.request.body), now)
            self._mark()

    def _called_line(self, uri: str) -> Line | None:
        try:
            user = parse_uri(uri).user
        except BadUri:
            return None
        return next((line for line in self.lines if line.account.user == user), None)

    # --- boot -----------------------------------------------------------------------------------------

    def _begin_boot(self, boot: Boot) -> None:
        self._boot = boot
        self._shown_stage = ""
        self.strip = boot.strip
        self._mark()

    def _follow_boot(self, now: float) -> None:
        boot = self._boot
        if boot is None:
            return
        fetch = boot.take_fetch()
        if fetch is not None and fetch[1].protocol == PNP:
            self._ask_network(fetch[0], now)
        elif fetch is not None:
            self._fetches.append(fetch)
            self._mark()
        if not boot.over:
            if self.strip is boot.strip and not self.lines:
                self._mark_stage(boot)
            return
        if (config := self._new_config()) is not None:
            self._apply(config, now)
            if self._pace.sends_back:
                self._fetches += [(0, log) for log in logs(self.family.name, self.box, boot.url, boot.strip.parts)]
        elif self._give_up(now):
            self._mark()

    def _mark_stage(self, boot: Boot) -> None:
        if self._shown_stage != boot.stage:
            self._shown_stage = boot.stage
            self._mark()

    def _apply(self, config: PhoneConfig, now: float) -> None:
        """Keep the lines whose account is as before: a resync must not end calls or drop registrations."""
        assert self._stack is not None
        kept = {line.account: line for line in self.lines}
        lines = []
        for account in config.accounts:
            line = kept.pop(account, None)
            if line is None:
                instance = f"00000000-0000-4000-8000-{self.box.mac}" if self.box.mac else ""
                fax = any(extension.port == account.port and extension.fax for extension in self.extensions)
                line = Line(
                    account,
                    self._stack,
                    self._engine,
                    token=self._token,
                    changed=self._mark,
                    instance=instance,
                    machine=FaxMachine() if fax else None,
                )
                line.registration.ask(now)
            lines.append(line)
        users = {account.user for account in config.accounts}
        for line in kept.values():
            line.hang_up_all(now)
            if line.account.user not in users:  # else the new line's registration has replaced it already
                line.registration.leave(now)
        self._adopt(config, lines)
        if self._flashing is None:
            self._flashing = wanted(config.firmware_url, self.box, self._flashed_url)
            self._fetches += [(IMAGE, self._flashing.fetch())] if self._flashing is not None else []
        self._mark()

    def _registered(self, line: Line, now: float) -> None:
        subscription = line.subscription
        if line.registration.registered and subscription is not None and subscription.standing is Standing.NONE:
            subscription.ask(now)

    def _mark(self) -> None:
        self._dirty = True
