"""One line of a phone: its registration, its lamp, its calls. Pure; every input carries its moment in seconds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from urllib.parse import quote

from lab.phones.auto_answer import is_to_be_answered
from lab.phones.calls import (
    KEPT_CALLS,
    KEPT_SOUNDS,
    MOST_CALLS,
    CallState,
    FaxMachine,
    FaxSeen,
    PhoneCall,
    Sensed,
)
from lab.phones.family import Account
from lab.phones.registration import Registration, Standing, Subscription, Waiting
from lab.phones.speech import Speech
from pbx.media.codecs import CODECS, G711
from pbx.media.engine import Engine, FaxFinished, FaxTask, NoMediaPort, Signature, Sound
from pbx.media.fax.sdp import read_fax
from pbx.media.sdp import BadSdp
from pbx.sip.session import Session
from pbx.sip.sip_events import (
    Answered,
    Cancelled,
    CommandReceived,
    Confirmed,
    Ended,
    Progress,
    ReferProgress,
    Rejected,
    ReofferAnswered,
    ReofferReceived,
    ReofferRejected,
    SipEvent,
)
from pbx.sip.stack import Stack
from pbx.sip.uri import BadUri, NameAddr

LINGER_S, WAITS_S = 1.0, 6.0
"""A machine lets go so long after its last word; who receives lets the sender be first."""


class Line:
    """Owns its calls. `changed` is called whenever something a person would see changes."""

    def __init__(
        self,
        account: Account,
        stack: Stack,
        engine: Engine,
        *,
        token: Callable[[int], str],
        changed: Callable[[], None],
        instance: str = "",
        machine: FaxMachine | None = None,
    ) -> None:
        self.account, self.machine = account, machine
        self._stack, self._engine, self._changed, self._token = stack, engine, changed, token
        self.registration = Registration(account, stack, changed, token, instance)
        self.subscription = Subscription(account, stack, changed, token) if account.subscribe_mwi else None
        self.do_not_disturb = False
        self.codecs: tuple[str, ...] = CODECS
        self.speaks = account.auth_user
        """Party whose signature this line says: its device id."""
        self.calls: list[PhoneCall] = []
        self._by_session: dict[Session, PhoneCall] = {}
        self._by_leg: dict[str, PhoneCall] = {}
        """Of its audio. Both hold the live calls, and this one also those whose fax machine has a last word to say."""
        self._again: list[tuple[float, PhoneCall]] = []
        """Calls whose change was refused for now, and when it is tried again."""
        self.ears: deque[Sensed] = deque(maxlen=KEPT_SOUNDS)
        """What was heard in all calls, oldest first."""
        self.faxes: deque[FaxSeen] = deque(maxlen=KEPT_SOUNDS)

    # --- what a person sees ---------------------------------------------------------------------------

    @property
    def live_calls(self) -> list[PhoneCall]:
        return list(self._by_session.values())

    @property
    def call(self) -> PhoneCall | None:
        """The call the buttons act on: the one talked to, else the newest live one."""
        live = self.live_calls
        talking = [call for call in live if call.state is CallState.UP and not call.on_hold]
        return talking[-1] if talking else (live[-1] if live else None)

    @property
    def last_call(self) -> PhoneCall | None:
        return self.call or (self.calls[-1] if self.calls else None)

    @property
    def standing(self) -> Standing:
        """Of the registration."""
        return self.registration.standing

    @property
    def registered(self) -> bool:
        return self.standing is Standing.GRANTED

    @property
    def waiting(self) -> Waiting:
        return self.subscription.waiting if self.subscription is not None else Waiting()

    def of_session(self, session: Session) -> PhoneCall | None:
        """Return the live call a session is of."""
        return self._by_session.get(session)

    def of_leg(self, leg: str) -> PhoneCall | None:
        """Return the live call a leg of the media engine is of."""
        return self._by_leg.get(leg)

    # --- buttons --------------------------------------------------------------------------------------

    def dial(self, number: str, now: float) -> PhoneCall | None:
        """Call `number`; None when no line is free."""
        if len(self.live_calls) >= MOST_CALLS:
            return None
        self._hold_talking(now)
        speech = self._speech()
        account, registration = self.account, self.registration
        uri = f"sip:{number.replace('#', '%23')}@{account.domain}"
        try:
            offer = speech.offer()
        except NoMediaPort:
            return None
        session = self._stack.invite(
            uri,
            registration.peer,
            from_=registration.address,
            to=NameAddr(uri),
            sdp=offer,
            now=now,
            credentials=registration.credentials,
        )
        call = PhoneCall(CallState.CALLING, number, "", outgoing=True, begun_at=now, session=session, speech=speech)
        self._begin(call)
        self._changed()
        return call

    def fax(self, number: str, document: str, pages: int, now: float) -> PhoneCall | None:
        """Call `number` and send; None without a machine, or when no line is free."""
        call = self.dial(number, now) if self.machine is not None else None
        if call is not None:
            call.fax = FaxTask(document, sends=True, calls=True, station=self._station, pages=pages)
        return call

    def speak_early(self, call: PhoneCall, sound: Sound, now: float) -> bool:
        """Let a caller hear something before the call is up (183); False when it offered nothing usable."""
        offer = call.session.remote_sdp
        try:
            answer = call.speech.answer(offer) if offer is not None else None
        except (BadSdp, NoMediaPort):
            answer = None
        if answer is None:
            self.reject_call(call, now, 488)
            return False
        call.session.ring(now, answer)
        call.speech.play(sound)
        return True

    def answer(self, now: float) -> bool:
        """Pick up the call that rings longest; False when none does."""
        call = self._ringing()
        return call is not None and self.answer_call(call, now)

    def answer_call(self, call: PhoneCall, now: float) -> bool:
        self._hold_talking(now)
        offer = call.session.remote_sdp
        try:
            answer = call.speech.answer(offer) if offer is not None else call.speech.offer()
        except (BadSdp, NoMediaPort):
            call.session.reject(488, "", now)
            self._end(call, now, 488, "no usable media", by="us")
            return False
        call.session.answer(answer, now)
        self._up(call, now)
        return True

    def reject(self, now: float, status: int = 486) -> bool:
        call = self._ringing()
        if call is None:
            return False
        self.reject_call(call, now, status)
        return True

    def reject_call(self, call: PhoneCall, now: float, status: int) -> None:
        call.session.reject(status, "", now)
        self._end(call, now, status, "rejected", by="us")

    def hang_up(self, now: float) -> bool:
        call = self.call
        if call is None:
            return False
        if call.state is CallState.INCOMING:
            return self.reject(now)
        for one in [other for other in self.live_calls if other.mixed] if call.mixed else [call]:
            was_up = one.state is CallState.UP
            one.session.end(now)
            self._end(one, now, 200 if was_up else 487, "", by="us")
        return True

    def hang_up_all(self, now: float) -> None:
        while self.hang_up(now):
            pass

    def hold(self, now: float) -> bool:
        call = self.call
        if call is None or call.state is not CallState.UP or call.on_hold:
            return False
        self._hold(call, now)
        return True

    def resume(self, now: float) -> bool:
        held = [call for call in self.live_calls if call.on_hold]
        if not held:
            return False
        self._resume(held[-1], now)
        return True

    def conference(self, now: float) -> bool:
        """Let the two others and us hear each other: the telephone mixes its calls by itself, and leaves with both."""
        up = [call for call in self.live_calls if call.state is CallState.UP]
        if len(up) < 2:
            return False
        room = f"{self.speaks}/{self._token(12)}"
        for call in up:
            call.mixed = True
            call.speech.mix(room)
            if call.on_hold:
                self._resume(call, now)
        self._engine.announce(room, Signature(self.speaks))
        self._changed()
        return True

    def transfer(self, target: str, now: float) -> bool:
        """Blind transfer of the call to `target`; we leave when the server says that it worked."""
        call = self.call
        if call is None or call.state is not CallState.UP:
            return False
        call.transfer = "asked"
        call.session.refer(f"sip:{target}@{self.account.domain}", now)
        self._changed()
        return True

    def attend(self, now: float) -> bool:
        """Attended transfer: whom we talk to and whom we hold are joined, and we leave (RFC 5589 §7)."""
        talking = self.call
        held = [call for call in self.live_calls if call is not talking and call.state is CallState.UP]
        if talking is None or talking.state is not CallState.UP or not held:
            return False
        dialog = talking.session
        value = f"{dialog.call_id};to-tag={dialog.remote.tag};from-tag={dialog.local.tag}"
        held[-1].transfer = "asked"
        held[-1].session.refer(f"{dialog.remote.uri}?Replaces={quote(value, safe='')}", now)
        self._changed()
        return True

    def press(self, digits: str, now: float, *, by_info: bool = False) -> bool:
        call = self.call
        if call is None or call.state not in (CallState.UP, CallState.RINGING, CallState.CALLING):
            return False
        if call.state is not CallState.UP and call.speech.remote is None:
            call.keys_to_send += digits
            return True
        if not by_info:
            call.speech.send_digits(digits)
            return True
        for digit in digits:
            call.session.info("application/dtmf-relay", f"Signal={digit}\r\nDuration=160\r\n".encode(), now)
        return True

    def set_do_not_disturb(self, on: bool) -> None:
        self.do_not_disturb = on
        self._changed()

    # --- what arrives ---------------------------------------------------------------------------------

    def invited(self, session: Session, now: float) -> PhoneCall | None:
        """A call comes in; None when it was refused at once."""
        if self.do_not_disturb:
            session.reject(480, "Do Not Disturb", now)
            return None
        if len(self.live_calls) >= MOST_CALLS:
            session.reject(486, "", now)
            return None
        shown = _shown(session)
        call = PhoneCall(
            CallState.INCOMING,
            _user(shown),
            shown.display,
            outgoing=False,
            begun_at=now,
            session=session,
            speech=self._speech(),
        )
        self._begin(call)
        session.ring(now)
        self._changed()
        if self.machine is not None:
            self.answer_call(call, now)
            return call
        if is_to_be_answered(session.request) and not any(other is not call for other in self.live_calls):
            self.answer_call(call, now)
        return call

    def happened(self, call: PhoneCall, event: SipEvent, now: float) -> None:
        """Take an event of a call's session."""
        match event:
            case Progress(sdp=sdp):
                if call.state is CallState.CALLING:
                    call.state = CallState.RINGING
                if sdp is not None:
                    self._listen(call, sdp, now)
            case Answered(sdp=sdp):
                self._listen(call, sdp or call.session.remote_sdp, now)
                self._up(call, now)
            case Confirmed(sdp=sdp) if sdp is not None:
                self._listen(call, sdp, now)
            case Rejected(status=status, reason=reason):
                self._end(call, now, status, reason, by="peer")
            case Cancelled():
                self._end(call, now, 487, "cancelled", by="peer")
            case Ended(reason=reason):
                self._end(call, now, 200, reason, by="peer")
            case ReofferReceived(sdp=sdp):
                self._reoffered(call, sdp, now)
            case ReofferAnswered(sdp=sdp):
                self._listen(call, sdp or call.session.remote_sdp, now)
            case ReofferRejected(status=491):
                self._try_again(call, now)
            case ReofferRejected():
                call.on_hold = False
            case ReferProgress(status_line=line, final=final):
                self._transferred(call, line, final, now)
            case CommandReceived(command=command):
                self._commanded(call, command, now)
            case _:
                return
        self._changed()

    def heard(self, call: PhoneCall, sound: str, now: float) -> None:
        sensed = Sensed(now, sound)
        call.heard.append(sensed)
        self.ears.append(sensed)
        self._changed()

    def key_heard(self, call: PhoneCall, digit: str, now: float) -> None:
        call.keys.append(Sensed(now, digit))

    def fax_sensed(self, call: PhoneCall, now: float) -> None:
        """The far end is a fax machine too: ask for T.38, as an adapter does."""
        if self.machine is None or not self.machine.takes_t38 or call.state is not CallState.UP:
            return
        session, remote = call.session, call.speech.remote
        if remote is None or remote.fax is not None or session.reoffering or session.reoffer_received is not None:
            return
        session.reoffer(call.speech.offer_fax(), now)

    def fax_finished(self, call: PhoneCall, event: FaxFinished, now: float) -> None:
        """Note what became of it, and let go once the last word has had time to arrive."""
        sent, call.fax_over = call.fax is not None and call.fax.sends, True
        self.faxes.append(
            FaxSeen(now, sent, event.document, event.pages, event.problem, event.over, event.station)
        )  # fmt: skip
        call.hang_up_at = now + (LINGER_S if sent else WAITS_S)
        if call.settled:
            self._by_leg.pop(call.speech.leg, None)
        self._changed()

    def next_deadline(self) -> float:
        due = self.registration.next_deadline()
        if self.subscription is not None:
            due = min(due, self.subscription.next_deadline())
        for call in self._by_session.values():
            due = min(due, call.hang_up_at)
        for at, _ in self._again:
            due = min(due, at)
        return due

    def let_go(self, now: float) -> None:
        """End calls whose fax machine is done."""
        for call in [call for call in self.live_calls if call.hang_up_at <= now]:
            call.session.end(now)
            self._end(call, now, 200, "", by="us")

    def tick(self, now: float) -> None:
        self.let_go(now)
        self.registration.tick(now)
        due = [call for at, call in self._again if at <= now]
        self._again = [(at, call) for at, call in self._again if at > now]
        for call in due:
            if call.fax is not None:
                self.fax_sensed(call, now)
            elif call.state is CallState.UP and not call.over:
                call.session.reoffer(call.speech.offer("sendonly" if call.on_hold else "sendrecv"), now)
        if self.subscription is not None:
            self.subscription.tick(now)

    def close(self, now: float) -> None:
        """The power goes: audio stops, nobody is told."""
        for call in self.live_calls:
            self._end(call, now, 0, "power off", by="us")

    # --- parts ----------------------------------------------------------------------------------------

    def _speech(self) -> Speech:
        # Lines may share an engine, and several may speak for one party.
        speech = Speech(self._engine, f"{self.speaks}/{self._token(12)}", self.speaks, self._token, self.codecs)
        if self.machine is not None:
            speech.only(G711)
        return speech

    @property
    def _station(self) -> str:
        return self.account.user.lstrip("+")

    def _ringing(self) -> PhoneCall | None:
        return next((call for call in self.calls if call.state is CallState.INCOMING), None)

    def _hold_talking(self, now: float) -> None:
        for other in self.live_calls:
            if other.state is CallState.UP and not other.on_hold:
                self._hold(other, now)

    def _hold(self, call: PhoneCall, now: float) -> None:
        call.on_hold = True
        call.session.reoffer(call.speech.offer("sendonly"), now)
        self._changed()

    def _resume(self, call: PhoneCall, now: float) -> None:
        call.on_hold = False
        call.session.reoffer(call.speech.offer("sendrecv"), now)
        self._changed()

    def _listen(self, call: PhoneCall, sdp: bytes | None, now: float) -> None:
        """Connect the audio to what the other side described; a description that is none ends the call."""
        if sdp is None:
            return
        try:
            call.held_by_peer = call.speech.connect(sdp)
        except BadSdp:
            call.session.end(now)
            self._end(call, now, 488, "no usable media", by="us")

    def _reoffered(self, call: PhoneCall, sdp: bytes | None, now: float) -> None:
        try:
            fax = read_fax(sdp) if sdp is not None else None
            if fax is not None and (self.machine is None or not self.machine.takes_t38):
                raise BadSdp(488, "no fax machine is here, or one whose adapter has no T.38")
            if fax is not None:
                answer = call.speech.answer_fax(fax)
            else:
                answer = call.speech.answer(sdp) if sdp is not None else call.speech.offer()
        except BadSdp:
            call.session.reject_reoffer(488, now)
            return
        call.held_by_peer = call.speech.held_by_peer
        call.session.accept_reoffer(answer, now)

    def _up(self, call: PhoneCall, now: float) -> None:
        if call.over:
            return
        call.state, call.up_at, call.status = CallState.UP, now, 200
        if self.machine is not None and call.fax is None:
            call.fax = FaxTask(f"{self.speaks}-{self._token(16)}", calls=call.outgoing, station=self._station)
        if call.fax is not None:
            call.speech.fax(call.fax)
        else:
            call.speech.speak()
        if call.keys_to_send:
            call.speech.send_digits(call.keys_to_send)
        self._changed()

    def _commanded(self, call: PhoneCall, command: str, now: float) -> None:
        """Somebody tells this phone by SIP to talk or to hold."""
        if command == "talk" and call.state is CallState.INCOMING:
            self.answer_call(call, now)
        elif command == "talk" and call.on_hold:
            self._resume(call, now)
        elif command == "hold" and call.state is CallState.UP and not call.on_hold:
            self._hold(call, now)

    def _try_again(self, call: PhoneCall, now: float) -> None:
        """Both sides asked at once: whoever made the Call-ID waits the longer (RFC 3261 §14.1)."""
        chance = int(self._token(4), 16) / 0x10000
        self._again.append((now + (2.1 + 1.9 * chance if call.outgoing else 2.0 * chance), call))

    def _transferred(self, call: PhoneCall, line: str, final: bool, now: float) -> None:
        call.transfer = line
        if final and " 2" in line[:9] and not call.over:
            call.session.end(now)
            self._end(call, now, 200, "transferred", by="us")

    def _begin(self, call: PhoneCall) -> None:
        self.calls.append(call)
        self._by_session[call.session] = self._by_leg[call.speech.leg] = call

    def _end(self, call: PhoneCall, now: float, status: int, reason: str, *, by: str) -> None:
        if call.over:
            return
        call.state, call.ended_at = CallState.ENDED, now
        call.status, call.reason, call.hung_up_by = status, reason, by
        call.on_hold = call.held_by_peer = call.mixed = False
        call.speech.close()
        self._by_session.pop(call.session, None)
        if call.settled:
            self._by_leg.pop(call.speech.leg, None)
        self.calls = self.calls[-KEPT_CALLS:]
        self._changed()


def _shown(session: Session) -> NameAddr:
    """Whom the screen names: P-Asserted-Identity when the server gives one, else From."""
    asserted = session.request.get("P-Asserted-Identity")
    if asserted is not None:
        try:
            return session.request.name_addr("P-Asserted-Identity")
        except BadUri:
            pass
    return session.request.from_


def _user(address: NameAddr) -> str:
    try:
        return address.user
    except BadUri:
        return ""
