"""Session timers: a call whose other end vanished without a word is found out (RFC 4028).

Either end refreshes the session half-way through its interval; when the one whose turn it is does not, the other ends
the call before the interval is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import ref

from pbx.numerals import natural
from pbx.sip.message import Request, Response
from pbx.sip.validate import MIN_SESSION_S

if TYPE_CHECKING:
    from pbx.sip.session import Session
    from pbx.sip.timers import Timers

Headers = list[tuple[str, str]]
_LAST_CALL_S = 32.0
"""The BYE comes this long, or a third of the interval, before the end (§10)."""
RETRY_S = 3.0
"""After a 491 the refresh is tried again (RFC 3261 §14.1: between two and four seconds)."""


@dataclass(frozen=True, slots=True)
class SessionExpires:
    interval_s: int
    refresher: str
    """`uac`, `uas`, or empty."""


def session_expires(message: Request | Response) -> SessionExpires | None:
    """Read Session-Expires; None without one, or with one that is no number."""
    value, *params = (part.strip() for part in (message.get("Session-Expires") or "").split(";"))
    interval_s = natural(value)
    if interval_s is None:
        return None
    named = dict(param.lower().partition("=")[::2] for param in params)
    return SessionExpires(interval_s, named.get("refresher", ""))


class SessionTimer:
    """The timer of one session, owned by it. `wanted_s` is what we ask for, 0 to ask for nothing."""

    def __init__(self, session: Session, timers: Timers, wanted_s: int) -> None:
        self._session = ref(session)  # which is gone with its call, without the collector of cycles
        self._timers = timers
        self._wanted_s = wanted_s
        self.interval_s = 0
        """What was agreed, 0 for no limit."""
        self.ours = False
        """We refresh."""

    def ask(self) -> Headers:
        """Return what an INVITE or a refresh of ours says."""
        wanted = self.interval_s or self._wanted_s
        if not wanted:
            return []
        refresher = ";refresher=uac" if self.interval_s and self.ours else ""
        return [("Session-Expires", f"{wanted}{refresher}"), ("Min-SE", str(MIN_SESSION_S))]

    def longer(self, least_s: int) -> bool:
        """A 422 wants at least so much; return whether asking again makes sense (§7.3)."""
        if not self._wanted_s or least_s <= self._wanted_s:
            return False
        self._wanted_s = least_s
        return True

    def accept(self, request: Request, now: float) -> Headers:
        """Agree to what a request asks, or propose ours; return what the 200 says (§9)."""
        asked, knows = session_expires(request), "timer" in request.tokens("Supported")
        if asked is None and not self._wanted_s:
            self._agree(0, False, now)
            return []
        least_s = max(natural((request.get("Min-SE") or "").partition(";")[0]) or 0, MIN_SESSION_S)
        proposed = self._wanted_s or (asked.interval_s if asked else 0)
        interval_s = max(min(asked.interval_s, proposed) if asked else proposed, least_s)
        refresher = (asked.refresher if asked else "") or ("uac" if knows and asked else "uas")
        refresher = refresher if knows else "uas"
        self._agree(interval_s, refresher == "uas", now)
        told = [("Session-Expires", f"{interval_s};refresher={refresher}")]
        return [*told, ("Require", "timer")] if refresher == "uac" else told

    def settle(self, response: Response, now: float) -> None:
        """Take what the 2xx to an INVITE or refresh of ours says; without a word there is no limit (§7.2)."""
        found = session_expires(response)
        self._agree(found.interval_s if found else 0, found is not None and found.refresher != "uas", now)

    def retry(self, now: float) -> None:
        """Our refresh met one of theirs."""
        if self.interval_s:
            self._timers.arm(self, "refresh", now + RETRY_S)

    def close(self) -> None:
        self._timers.cancel(self, "refresh")
        self._timers.cancel(self, "expire")

    def fired(self, name: str, now: float) -> None:
        session = self._session()
        if session is None:
            return
        if name == "refresh":
            session.refresh(now)
        else:
            session.expired(now)

    def _agree(self, interval_s: int, ours: bool, now: float) -> None:
        self.close()
        self.interval_s, self.ours = interval_s, ours
        if not interval_s:
            return
        if ours:
            self._timers.arm(self, "refresh", now + interval_s / 2)
        self._timers.arm(self, "expire", now + interval_s - min(_LAST_CALL_S, interval_s / 3))
