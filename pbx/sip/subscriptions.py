"""Event subscriptions, both ends (RFC 6665): the notifier of the switch and the subscriber of a phone.

A notifier keeps one dialog a subscription. What is notified is the owner's: a body and its type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pbx.clock import FOREVER
from pbx.sip.address import Peer
from pbx.sip.digest import Credentials
from pbx.sip.message import Malformed, Request, Response
from pbx.sip.stack import RequestHandle, Stack
from pbx.sip.transaction import ServerTransaction
from pbx.sip.uri import BadUri, NameAddr, parse_name_addr

DEFAULT_EXPIRES_S = 3600
MIN_EXPIRES_S = 10
MAX_SUBSCRIPTIONS = 8
"""Of one device to one package."""


@dataclass(slots=True)
class Subscription:
    """One subscription as its notifier keeps it; `key` is (Call-ID, our tag)."""

    device: str
    package: str
    call_id: str
    local: NameAddr
    remote: NameAddr
    target: str
    routes: tuple[str, ...]
    peer: Peer
    expires_at: float
    event: str = ""
    """The Event value as it was asked for, with its `id` (RFC 6665 §8.2.1)."""
    cseq: int = 0
    remote_cseq: int = 0

    @property
    def key(self) -> tuple[str, str]:
        return self.call_id, self.local.tag


class Notifier:
    """Owns the subscriptions others have with us."""

    def __init__(self, stack: Stack, token: Callable[[int], str]) -> None:
        self._stack = stack
        self._token = token
        self._subscriptions: dict[tuple[str, str], Subscription] = {}
        self._handles: dict[int, Subscription] = {}

    def __len__(self) -> int:
        return len(self._subscriptions)

    def of(self, device: str, package: str) -> list[Subscription]:
        return [s for s in self._subscriptions.values() if s.device == device and s.package == package]

    def subscribe(
        self, transaction: ServerTransaction, source: Peer, device: str, package: str, now: float
    ) -> Subscription | None:
        """Accept, refresh or end a subscription and answer it; the caller then notifies the one returned.

        None when it was refused. With Expires 0 the returned subscription is over: its NOTIFY says terminated.
        """
        request = transaction.request
        wanted = _seconds(request)
        if 0 < wanted < MIN_EXPIRES_S:
            headers = [("Min-Expires", str(MIN_EXPIRES_S))]
            self._stack.respond(transaction, 423, headers=headers, now=now)
            return None
        known = self._subscriptions.get((request.call_id, request.to.tag)) if request.to.tag else None
        if request.to.tag and (known is None or known.device != device):
            self._stack.respond(transaction, 481, now=now)
            return None
        if known is not None and request.cseq.number <= known.remote_cseq:
            self._stack.respond(transaction, 500, "CSeq out of order", now=now)
            return None
        try:
            target = parse_name_addr(request.all("Contact")[0]).uri
        except (IndexError, BadUri):
            raise Malformed(400, "a SUBSCRIBE carries one Contact") from None
        if known is None:
            local = request.to.with_tag(self._token(16))
            routes = tuple(request.all("Record-Route"))
            known = Subscription(
                device, package, request.call_id, local, request.from_, target, routes, source, 0.0,
                (request.get("Event") or package).strip(),
            )  # fmt: skip
            self._subscriptions[known.key] = known
            self._make_room(device, package)
        known.remote_cseq = request.cseq.number
        known.target, known.peer = target, source
        known.expires_at = now + wanted
        headers = [("Expires", str(wanted)), ("Contact", f"<{self._stack.contact(known.local, source)}>")]
        self._stack.respond(transaction, 200, headers=headers, to_tag=known.local.tag, now=now)
        return known

    def notify(self, subscription: Subscription, content_type: str, body: bytes, now: float) -> None:
        """Send the state; a subscription that has run out is told so and forgotten."""
        left = subscription.expires_at - now
        over = left <= 0
        state = "terminated;reason=timeout" if over else f"active;expires={round(left)}"
        subscription.cseq += 1
        headers = [("Event", subscription.event), ("Subscription-State", state)]
        headers += [("Route", route) for route in subscription.routes]
        headers.append(("Contact", f"<{self._stack.contact(subscription.local, subscription.peer)}>"))
        handle = self._stack.request(
            "NOTIFY",
            subscription.target,
            subscription.peer,
            from_=subscription.local,
            to=subscription.remote,
            now=now,
            headers=headers,
            body=body,
            content_type=content_type,
            call_id=subscription.call_id,
            cseq=subscription.cseq,
        )
        if over:
            self._subscriptions.pop(subscription.key, None)
        else:
            self._handles[id(handle)] = subscription

    def _make_room(self, device: str, package: str) -> None:
        """A phone that restarts without a word leaves subscriptions behind: the oldest goes first."""
        for old in self.of(device, package)[:-MAX_SUBSCRIPTIONS]:
            del self._subscriptions[old.key]

    def answered(self, handle: RequestHandle, status: int) -> Subscription | None:
        """Learn what became of a NOTIFY; return the subscription that ended by it (481, time-out)."""
        subscription = self._handles.pop(id(handle), None)
        if subscription is None or status < 300 or status in (401, 407):
            return None
        return self._subscriptions.pop(subscription.key, None)

    def drop(self, device: str) -> list[Subscription]:
        """Forget a device's subscriptions, its flow is gone."""
        gone = [s for s in self._subscriptions.values() if s.device == device]
        for subscription in gone:
            del self._subscriptions[subscription.key]
        return gone

    def due(self, now: float) -> list[Subscription]:
        """Return those that have run out; the caller notifies each once more."""
        return [s for s in self._subscriptions.values() if s.expires_at <= now]

    def next_deadline(self) -> float:
        return min((s.expires_at for s in self._subscriptions.values()), default=FOREVER)


class Subscriber:
    """A phone's subscription to one package, kept alive until `end`."""

    def __init__(
        self, stack: Stack, token: Callable[[int], str], who: NameAddr, uri: str, peer: Peer, package: str, accept: str
    ) -> None:
        self._stack = stack
        self._call_id = f"{token(24)}@subscriber"
        self._local = who.with_tag(token(16))
        self._remote = NameAddr(uri)
        self._uri = uri
        self._peer = peer
        self._package = package
        self._accept = accept
        self._cseq = 0
        self._handle: RequestHandle | None = None
        self._wanted = True
        self.refresh_at = FOREVER
        self.active = False

    def send(self, credentials: Credentials, now: float, expires_s: int = DEFAULT_EXPIRES_S) -> None:
        """Subscribe, refresh or (with 0) end."""
        self._cseq += 1
        self._wanted = expires_s > 0
        headers = [("Event", self._package), ("Accept", self._accept), ("Expires", str(expires_s))]
        headers.append(("Contact", f"<{self._stack.contact(self._local, self._peer)}>"))
        self._handle = self._stack.request(
            "SUBSCRIBE",
            self._uri,
            self._peer,
            from_=self._local,
            to=self._remote,
            now=now,
            headers=headers,
            credentials=credentials,
            call_id=self._call_id,
            cseq=self._cseq,
        )

    def owns(self, handle: RequestHandle) -> bool:
        return handle is self._handle

    def answered(self, response: Response, now: float) -> None:
        """Take the final response to `send`."""
        self._cseq = max(self._cseq, response.cseq.number)
        if 200 <= response.status < 300 and self._wanted:
            self._remote = response.to
            expires = response.get("Expires") or ""
            granted = int(expires) if expires.isdigit() else DEFAULT_EXPIRES_S
            self.active = True
            self.refresh_at = now + granted * 0.9
        else:
            self.active = False
            self._remote = NameAddr(self._uri)
            self.refresh_at = now + 30 if self._wanted else FOREVER

    def matches(self, notify: Request) -> bool:
        return notify.call_id == self._call_id


def _seconds(request: Request) -> int:
    text = (request.get("Expires") or "").strip()
    return min(int(text), DEFAULT_EXPIRES_S) if text.isdigit() else DEFAULT_EXPIRES_S
