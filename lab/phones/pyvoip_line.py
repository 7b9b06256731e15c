"""One account of a pyVoIP phone, seen from the event loop.

What pyVoIP's threads tell is carried into the loop by `hand_over`; nothing else is touched from outside it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from lab.phones.calls import KEPT_CALLS, KEPT_SOUNDS, MOST_CALLS, CallSeen, CallState, Sensed
from lab.phones.family import Account
from lab.phones.registration import Standing, Waiting, read_summary

if TYPE_CHECKING:
    from lab.phones.pyvoip.handset import Call, Sound


class Voice(Protocol):
    """One call's mouth and ears, used from the call's audio threads."""

    def speak(self) -> bytes:
        """Return the next 160 µ-law bytes."""
        ...

    def hear(self, payload: bytes, alaw: bool) -> str | None:
        """Take a received payload; return what it sounds like from now on, None while that is as before."""
        ...

    def to_alaw(self, ulaw: bytes) -> bytes: ...


class PyvoipLine:
    """One account; offers a plan what a simulated line offers, but for what pyVoIP cannot: hold, transfer, mix."""

    def __init__(
        self,
        account: Account,
        *,
        address: str,
        user_agent: str,
        voice: Callable[[str], Voice],
        hand_over: Callable[[Callable[[], None]], None],
        clock: Callable[[], float],
        changed: Callable[[], None],
        notified: Callable[[str], None],
    ) -> None:
        from lab.phones.pyvoip.handset import Handset

        self.account = account
        self._voice, self._hand_over, self._clock = voice, hand_over, clock
        self._changed, self._notified = changed, notified
        self._handset = Handset(account, self, address=address, user_agent=user_agent)
        self._seen: dict[str, CallSeen] = {}
        self._stock: dict[str, Call] = {}
        self.calls: list[CallSeen] = []
        self.ears: deque[Sensed] = deque(maxlen=KEPT_SOUNDS)
        self.standing = Standing.NONE
        self.status = 0
        self.waiting = Waiting()
        self.do_not_disturb = False
        self.speaks = account.auth_user

    def start(self) -> None:
        self.standing = Standing.ASKING
        self._handset.start()

    def close(self) -> None:
        """The power goes. Blocks until the threads are gone, a fraction of a second."""
        self._handset.stop()
        for seen in self.live_calls:
            self._end(seen, 0, "power off", "us")
        self._seen.clear()
        self._stock.clear()
        self.standing = Standing.NONE

    @property
    def registered(self) -> bool:
        return self.standing is Standing.GRANTED

    @property
    def live_calls(self) -> list[CallSeen]:
        return [call for call in self.calls if not call.over]

    @property
    def call(self) -> CallSeen | None:
        live = self.live_calls
        talking = [call for call in live if call.state is CallState.UP]
        return talking[-1] if talking else (live[-1] if live else None)

    @property
    def last_call(self) -> CallSeen | None:
        return self.call or (self.calls[-1] if self.calls else None)

    # --- buttons --------------------------------------------------------------------------------------

    def dial(self, number: str, now: float) -> CallSeen | None:
        if len(self.live_calls) >= MOST_CALLS:
            return None
        stock = self._handset.call(number)
        return self._note(stock, CallSeen(CallState.CALLING, number, "", outgoing=True, begun_at=now))

    def answer(self, now: float) -> bool:
        stock = self._of(CallState.INCOMING)
        if stock is None:
            return False
        stock.answer()
        self._follow(stock)
        return True

    def reject(self, now: float, status: int = 486) -> bool:
        """pyVoIP refuses with 486 and nothing else."""
        stock = self._of(CallState.INCOMING)
        if stock is None:
            return False
        stock.deny()
        self._follow(stock)
        return True

    def hang_up(self, now: float) -> bool:
        call = self.call
        return call is not None and self._hang_up(call)

    def hang_up_all(self, now: float) -> None:
        for call in self.live_calls:
            self._hang_up(call)

    def hold(self, now: float) -> bool:
        return False

    def resume(self, now: float) -> bool:
        return False

    def conference(self, now: float) -> bool:
        return False

    def transfer(self, target: str, now: float) -> bool:
        return False

    def press(self, digits: str, now: float, *, by_info: bool = False) -> bool:
        call = self.call
        if call is None or call.state is CallState.INCOMING or by_info:
            return False
        if call.state is not CallState.UP:
            call.keys_to_send += digits
            return True
        stock = self._of(CallState.UP)
        if stock is not None:
            stock.send_keys(digits)
        return True

    def set_do_not_disturb(self, on: bool) -> None:
        self.do_not_disturb = on
        self._changed()

    # --- told by the handset, from its own threads ----------------------------------------------------

    def registration_told(self, well: bool, code: int) -> None:
        self._hand_over(lambda: self._take_standing(well, code))

    def call_changed(self, call: Call) -> None:
        self._hand_over(lambda: self._follow(call))

    def notified(self, event: str, body: str) -> None:
        self._hand_over(lambda: self._take_notice(event, body))

    def key_heard(self, call: Call, key: str) -> None:
        self._hand_over(lambda: self._take_key(call, key))

    def sound(self, call_id: str) -> Sound:
        from lab.phones.pyvoip.handset import Sound

        voice = self._voice(self.speaks)

        def hear(payload: bytes, alaw: bool) -> None:
            found = voice.hear(payload, alaw)
            if found is not None:
                self._hand_over(lambda: self._take_sound(call_id, found))

        return Sound(voice.speak, hear, voice.to_alaw)

    # --- in the event loop ----------------------------------------------------------------------------

    def _take_standing(self, well: bool, code: int) -> None:
        self.standing = Standing.GRANTED if well else Standing.SILENCE if code == 408 else Standing.REFUSED
        self.status = code
        self._changed()

    def _follow(self, stock: Call) -> None:
        now = self._clock()
        seen = self._seen.get(stock.call_id)
        if seen is None:
            if stock.is_over:
                return
            seen = self._incoming(stock, now)
        if stock.is_over:
            by = seen.hung_up_by or "peer"
            self._end(seen, stock.code if seen.up_at is None else 200, "", by)
            self._seen.pop(stock.call_id, None)
            self._stock.pop(stock.call_id, None)
        elif stock.is_up:
            if seen.up_at is None:
                seen.state, seen.up_at, seen.status = CallState.UP, now, 200
                stock.send_keys(seen.keys_to_send)
            seen.held_by_peer = stock.held_by_peer
        elif stock.alerted and seen.state is CallState.CALLING:
            seen.state = CallState.RINGING
        self._changed()

    def _incoming(self, stock: Call, now: float) -> CallSeen:
        caller = stock.request.headers["From"]
        seen = CallSeen(
            CallState.INCOMING,
            caller["number"] or "",
            caller["caller"].strip().strip('"'),
            outgoing=False,
            begun_at=now,
        )
        self._note(stock, seen)
        if self.do_not_disturb or len(self.live_calls) > MOST_CALLS:
            seen.hung_up_by = "us"
            stock.deny()
        return seen

    def _note(self, stock: Call, seen: CallSeen) -> CallSeen:
        self._seen[stock.call_id], self._stock[stock.call_id] = seen, stock
        self.calls.append(seen)
        self._changed()
        return seen

    def _take_notice(self, event: str, body: str) -> None:
        package = event.partition(";")[0].strip().lower()
        summary = read_summary(body) if package == "message-summary" else None
        if summary is not None:
            self.waiting = summary
        else:
            self._notified(event)
        self._changed()

    def _take_key(self, stock: Call, key: str) -> None:
        seen = self._seen.get(stock.call_id)
        if seen is not None:
            seen.keys.append(Sensed(self._clock(), key))

    def _take_sound(self, call_id: str, sound: str) -> None:
        seen = self._seen.get(call_id)
        if seen is not None:
            sensed = Sensed(self._clock(), sound)
            seen.heard.append(sensed)
            self.ears.append(sensed)
            self._changed()

    def _end(self, seen: CallSeen, status: int, reason: str, by: str) -> None:
        seen.state, seen.ended_at = CallState.ENDED, self._clock()
        seen.status, seen.reason, seen.hung_up_by = status, reason, by
        seen.held_by_peer = False
        self.calls = self.calls[-KEPT_CALLS:]

    def _hang_up(self, call: CallSeen) -> bool:
        stock = next((self._stock[key] for key, seen in self._seen.items() if seen is call), None)
        if stock is None:
            return False
        call.hung_up_by = "us"
        stock.hangup()
        self._follow(stock)
        return True

    def _of(self, state: CallState) -> Call | None:
        return next((self._stock[key] for key, seen in self._seen.items() if seen.state is state), None)
