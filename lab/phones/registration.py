"""A line's registration and its message-waiting subscription, with their refreshes, as a phone keeps them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from lab.phones.family import Account
from pbx.clock import FOREVER
from pbx.numerals import natural
from pbx.sip.address import Peer
from pbx.sip.digest import Credentials
from pbx.sip.message import Request, Response
from pbx.sip.request_handle import RequestHandle
from pbx.sip.stack import Stack
from pbx.sip.uri import NameAddr

RETRY_S = 30.0
"""After a refusal; a shorter one would be counted as an attack by a careful server."""
RETRY_SILENCE_S = 5.0
RECONNECT_S = 1.0
OVERLAP_S = 60.0
"""How long before the end something is refreshed, if that is not before its half: Polycom's `expires.overlap`."""
SUBSCRIPTION_S = 3600

_EXPIRES = re.compile(r";\s*expires\s*=\s*(\d{1,9})\b", re.IGNORECASE)
_VOICE = re.compile(r"(?im)^voice-message\s*:\s*(\d{1,9})\s*/\s*(\d{1,9})")
_WAITING = re.compile(r"(?im)^messages-waiting\s*:\s*(yes|no)")


class Standing(Enum):
    """What the server thinks of us."""

    NONE = "none"
    ASKING = "asking"
    GRANTED = "granted"
    REFUSED = "refused"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Waiting:
    """The message lamp."""

    lit: bool = False
    new: int = 0
    saved: int = 0


def read_summary(body: str) -> Waiting | None:
    """Return what a message-summary body says (RFC 3842), None when it says nothing."""
    waiting = _WAITING.search(body)
    if waiting is None:
        return None
    voice = _VOICE.search(body)
    new, saved = (int(voice[1]), int(voice[2])) if voice else (0, 0)
    return Waiting(waiting[1].lower() == "yes", new, saved)


class _Asking(ABC):
    """What registration and subscription share: one request at a time, one Call-ID, a deadline."""

    method = ""

    def __init__(
        self, account: Account, stack: Stack, changed: Callable[[], None], token: Callable[[int], str]
    ) -> None:
        self._account, self._stack, self._changed = account, stack, changed
        self._call_id = f"{token(20)}@{account.user}"
        self._cseq = 0
        self._handle: RequestHandle | None = None
        self._due = FOREVER
        self.peer = Peer(account.transport, account.server_host, account.server_port)
        self.address = NameAddr(f"sip:{account.user}@{account.domain}", account.display_name)
        self.credentials = Credentials(account.auth_user, account.password, account.ha1)
        self.standing = Standing.NONE
        self.status = 0
        self.expires_s = 0

    def next_deadline(self) -> float:
        return self._due

    def tick(self, now: float) -> None:
        if now >= self._due:
            self.ask(now)

    def ask(self, now: float) -> None:
        self._cseq += 1
        self._due = FOREVER
        if self.standing is not Standing.GRANTED:
            self.standing = Standing.ASKING
        self._handle = self._send(now)
        self._changed()

    def answered(self, handle: RequestHandle, response: Response, now: float) -> bool:
        """Take a final response; False when it is not to a request of this one."""
        if handle is not self._handle:
            return False
        self._cseq = handle.request.cseq.number  # answering a challenge took further numbers
        self._handle, self.status = None, response.status
        if response.status < 300:
            self.standing = Standing.GRANTED
            self.expires_s = self._granted(response)
            self._due = now + max(self.expires_s / 2, self.expires_s - OVERLAP_S, 1.0)
        else:
            self.standing = Standing.REFUSED
            self._refused(response, now)
        self._changed()
        return True

    def silent(self, handle: RequestHandle, now: float) -> bool:
        if handle is not self._handle:
            return False
        self._cseq = handle.request.cseq.number
        self._handle, self.status = None, 0
        self.standing = Standing.SILENCE
        self._due = now + RETRY_SILENCE_S
        self._changed()
        return True

    @abstractmethod
    def _send(self, now: float) -> RequestHandle: ...

    @abstractmethod
    def _granted(self, response: Response) -> int:
        """Keep what a success brings and return for how many seconds it is good."""

    def _refused(self, response: Response, now: float) -> None:
        self._due = now + retry_s(response)


def retry_s(response: Response) -> float:
    """When to ask again: as an overloaded server wants it (RFC 3261 §20.33), else after a while."""
    wanted = re.match(r"\d{1,4}", response.get("Retry-After") or "")
    return float(wanted[0]) if response.status == 503 and wanted else RETRY_S


class Registration(_Asking):
    """`ask` registers and refreshes; `leave` removes the binding."""

    method = "REGISTER"

    def __init__(
        self,
        account: Account,
        stack: Stack,
        changed: Callable[[], None],
        token: Callable[[int], str],
        instance: str = "",
    ) -> None:
        super().__init__(account, stack, changed, token)
        self._wanted_s = account.expires_s
        self._contact = stack.origin.contact(self.address, self.peer)
        self._parameters = f';+sip.instance="<urn:uuid:{instance}>"' if instance else ""

    @property
    def registered(self) -> bool:
        return self.standing is Standing.GRANTED

    def lost(self, peer: Peer, now: float) -> None:
        """The connection we registered over is gone: nobody can reach us until we register again (RFC 5626 §4.4.1)."""
        if peer == self.peer and self._wanted_s:
            self.standing = Standing.ASKING
            self._due = now + RECONNECT_S
            self._changed()

    def leave(self, now: float) -> None:
        self._cseq += 1
        self._due = FOREVER
        self.standing, self._wanted_s = Standing.NONE, 0
        self._send(now)
        self._handle = None  # whatever the answer is, there is nothing left to do about it

    def _send(self, now: float) -> RequestHandle:
        headers = (
            ("Contact", f"<{self._contact}>{self._parameters}"),
            ("Expires", str(self._wanted_s)),
        )
        return self._stack.request(
            "REGISTER",
            f"sip:{self._account.domain}",
            self.peer,
            from_=self.address,
            to=self.address,
            now=now,
            headers=headers,
            credentials=self.credentials,
            call_id=self._call_id,
            cseq=self._cseq,
        )

    def _granted(self, response: Response) -> int:
        for contact in response.all("Contact"):
            found = _EXPIRES.search(contact)
            if self._contact in contact and found:
                return int(found[1])
        told_s = natural(response.get("Expires") or "")
        return self._wanted_s if told_s is None else told_s

    def _refused(self, response: Response, now: float) -> None:
        least_s = natural(response.get("Min-Expires") or "") or 0
        if response.status == 423 and least_s > self._wanted_s:
            self._wanted_s = least_s
            self._due = now
            return
        super()._refused(response, now)


class Subscription(_Asking):
    """Subscriber of `message-summary` (RFC 3842, RFC 6665)."""

    method = "SUBSCRIBE"

    def __init__(
        self, account: Account, stack: Stack, changed: Callable[[], None], token: Callable[[int], str]
    ) -> None:
        super().__init__(account, stack, changed, token)
        self._token = token
        self._local = self.address.with_tag(token(12))
        self._remote = NameAddr(self.address.uri)
        self.waiting = Waiting()

    def owns(self, request: Request) -> bool:
        """True for a NOTIFY of this subscription, and for an unsolicited one to our account."""
        return request.call_id == self._call_id or request.to.user == self._account.user

    def notified(self, request: Request, now: float) -> None:
        found = read_summary(request.body.decode("utf-8", "replace"))
        if found is not None:
            self.waiting = found
        state = (request.get("Subscription-State") or "").lower()
        if state.startswith("terminated") and request.call_id == self._call_id:
            self._again(now + 1.0)
        self._changed()

    def _send(self, now: float) -> RequestHandle:
        headers = (
            ("Event", "message-summary"),
            ("Accept", "application/simple-message-summary"),
            ("Contact", f"<{self._stack.origin.contact(self.address, self.peer)}>"),
            ("Expires", str(SUBSCRIPTION_S)),
        )
        return self._stack.request(
            "SUBSCRIBE",
            self.address.uri,
            self.peer,
            from_=self._local,
            to=self._remote,
            now=now,
            headers=headers,
            credentials=self.credentials,
            call_id=self._call_id,
            cseq=self._cseq,
        )

    def _granted(self, response: Response) -> int:
        if response.to.tag:
            self._remote = self._remote.with_tag(response.to.tag)
        told_s = natural(response.get("Expires") or "")
        return SUBSCRIPTION_S if told_s is None else told_s

    def _refused(self, response: Response, now: float) -> None:
        # A server that was restarted may know nothing of the subscription: begin a new one (RFC 6665 §4.1.2.2).
        self._again(now + (1.0 if response.status == 481 else retry_s(response)))

    def _again(self, due: float) -> None:
        self._remote = NameAddr(self.address.uri)
        self._local = self.address.with_tag(self._token(12))
        self._call_id = f"{self._token(20)}@{self._account.user}"
        self._due = due
