"""Event subscriptions, both ends (RFC 6665): the notifier of the switch and the subscriber of a phone.

A notifier keeps one dialog a subscription. What is notified is the owner's: a body and its type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from pbx.clock import FOREVER
from pbx.numerals import natural
from pbx.sip.address import Peer
from pbx.sip.digest import Credentials
from pbx.sip.message import Malformed, Request, Response
from pbx.sip.request_handle import RequestHandle
from pbx.sip.stack import Stack
from pbx.sip.transaction import ServerTransaction
from pbx.sip.uri import BadUri, NameAddr, parse_name_addr

K = TypeVar("K")

DEFAULT_EXPIRES_S = 3600
MIN_EXPIRES_S = 10
MAX_SUBSCRIPTIONS = 8
"""Of one device to one state."""
MAX_OF_DEVICE = 400
"""Of one device to all states: three side cars of lamp keys and more."""


@dataclass(slots=True, eq=False)
class Subscription:
    """One subscription as its notifier keeps it; `key` is (Call-ID, our tag). Owned by the notifier."""

    device: str
    package: str
    resource: str
    """Whose state, as the package names it."""
    call_id: str
    local: NameAddr
    remote: NameAddr
    target: str
    routes: tuple[str, ...]
    peer: Peer
    expires_at: float
    """Monotonic seconds."""
    event: str = ""
    """The Event value as it was asked for, with its `id` (RFC 6665 §8.2.1)."""
    accept: str = ""
    cseq: int = 0
    remote_cseq: int = 0
    version: int = -1
    """Of the newest document."""
    shown: object = None
    """The state the subscriber was told last; None before the first NOTIFY of this process."""
    quiet_until: float = 0.0
    """No other NOTIFY before this moment."""

    @property
    def key(self) -> tuple[str, str]:
        return self.call_id, self.local.tag

    def left_s(self, now: float) -> float:
        return self.expires_at - now


class Notifier:
    """Owns the subscriptions others have with us."""

    def __init__(self, stack: Stack, token: Callable[[int], str]) -> None:
        self._stack = stack
        self._token = token
        self._subscriptions: dict[tuple[str, str], Subscription] = {}
        self._of_device: dict[str, dict[tuple[str, str], Subscription]] = {}
        self._of_state: dict[tuple[str, str], dict[tuple[str, str], Subscription]] = {}
        self._handles: dict[int, Subscription] = {}
        self._ended: list[Subscription] = []
        self._first_expiry = FOREVER

    def __len__(self) -> int:
        return len(self._subscriptions)

    def __iter__(self) -> Iterator[Subscription]:
        return iter(self._subscriptions.values())

    def __contains__(self, subscription: object) -> bool:
        return isinstance(subscription, Subscription) and self._subscriptions.get(subscription.key) is subscription

    def of(self, device: str, package: str) -> list[Subscription]:
        return [s for s in self._of_device.get(device, {}).values() if s.package == package]

    def of_device(self, device: str) -> list[Subscription]:
        return list(self._of_device.get(device, {}).values())

    def watching(self, package: str, resource: str) -> list[Subscription]:
        """Return the subscriptions to one state, oldest first."""
        return list(self._of_state.get((package, resource), {}).values())

    def move(self, subscription: Subscription, resource: str) -> None:
        """Let a subscription be to another resource's state; what it was told of the former one counts no more."""
        _take_out(self._of_state, _state_of(subscription), subscription.key)
        subscription.resource, subscription.shown = resource, None
        self._of_state.setdefault(_state_of(subscription), {})[subscription.key] = subscription

    def known(self, request: Request) -> Subscription | None:
        """Return the subscription a request is in the dialog of."""
        return self._subscriptions.get((request.call_id, request.to.tag)) if request.to.tag else None

    def load(self, kept: Iterable[Subscription]) -> None:
        for subscription in kept:
            self._add(subscription)

    def subscribe(
        self, transaction: ServerTransaction, source: Peer, device: str, package: str, resource: str, now: float
    ) -> Subscription | None:
        """Take, refresh or end a subscription; the caller then grants and notifies the one returned.

        None when it was refused. With Expires 0 the returned subscription is over: its NOTIFY says terminated.
        """
        request = transaction.request
        wanted = _seconds(request)
        if 0 < wanted < MIN_EXPIRES_S:
            headers = [("Min-Expires", str(MIN_EXPIRES_S))]
            self._stack.respond(transaction, 423, headers=headers, now=now)
            return None
        known = self.known(request)
        if request.to.tag and (known is None or known.device != device or known.package != package):
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
                device, package, resource, request.call_id, local, request.from_, target, routes, source, 0.0,
                (request.get("Event") or package).strip(), request.get("Accept") or "",
            )  # fmt: skip
            self._add(known)
            self._make_room(known)
        known.remote_cseq = request.cseq.number
        known.target, known.peer = target, source
        known.expires_at = now + wanted
        self._first_expiry = min(self._first_expiry, known.expires_at)
        return known

    def grant(
        self, transaction: ServerTransaction, subscription: Subscription, now: float, ticket: int | None = None
    ) -> None:
        """Answer the SUBSCRIBE; the answer waits for the ticket."""
        headers = [("Expires", str(max(0, round(subscription.left_s(now)))))]
        headers.append(("Contact", f"<{self._stack.origin.contact(subscription.local, subscription.peer)}>"))
        tag = subscription.local.tag
        self._stack.respond(transaction, 200, headers=headers, to_tag=tag, now=now, ticket=ticket)

    def notify(
        self, subscription: Subscription, content_type: str, body: bytes, now: float, *, event: str = "", over: str = ""
    ) -> RequestHandle:
        """Send the state; a subscription that has run out, or is `over` for a reason, is told so and forgotten.

        `event` takes the place of the Event value that was asked for, where the package says something in it.
        """
        left = subscription.left_s(now)
        reason = over or ("timeout" if left <= 0 else "")
        state = f"terminated;reason={reason}" if reason else f"active;expires={round(left)}"
        subscription.cseq += 1
        headers = [("Event", event or subscription.event), ("Subscription-State", state)]
        headers += [("Route", route) for route in subscription.routes]
        headers.append(("Contact", f"<{self._stack.origin.contact(subscription.local, subscription.peer)}>"))
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
        if reason:
            self.end(subscription)
        else:
            self._handles[id(handle)] = subscription
        return handle

    def answered(self, handle: RequestHandle, status: int) -> None:
        """Learn what became of a NOTIFY: after 481, a time-out or another refusal the subscription is over."""
        subscription = self._handles.pop(id(handle), None)
        if subscription is not None and status >= 300 and status not in (401, 407):
            self.end(subscription)

    def end(self, subscription: Subscription) -> None:
        """Forget one."""
        if subscription not in self:
            return
        key = subscription.key
        del self._subscriptions[key]
        _take_out(self._of_device, subscription.device, key)
        _take_out(self._of_state, _state_of(subscription), key)
        self._ended.append(subscription)

    def take_ended(self) -> list[Subscription]:
        """Return what has ended since this was asked last, whoever ended it."""
        ended, self._ended = self._ended, []
        return ended

    def due(self, now: float) -> list[Subscription]:
        """Return those that have run out; the caller notifies each once more."""
        if self._first_expiry > now:
            return []
        over = [s for s in self._subscriptions.values() if s.expires_at <= now]
        later = (s.expires_at for s in self._subscriptions.values() if s.expires_at > now)
        self._first_expiry = min(later, default=FOREVER)
        return over

    def next_deadline(self) -> float:
        return self._first_expiry

    def _add(self, subscription: Subscription) -> None:
        key = subscription.key
        self._subscriptions[key] = subscription
        self._of_device.setdefault(subscription.device, {})[key] = subscription
        self._of_state.setdefault(_state_of(subscription), {})[key] = subscription
        self._first_expiry = min(self._first_expiry, subscription.expires_at)

    def _make_room(self, newest: Subscription) -> None:
        """A phone that restarts without a word leaves subscriptions behind: the oldest goes first."""
        mine = self.of_device(newest.device)
        same = [s for s in mine if _state_of(s) == _state_of(newest)]
        for old in (*same[:-MAX_SUBSCRIPTIONS], *mine[:-MAX_OF_DEVICE]):
            self.end(old)


def _take_out(index: dict[K, dict[tuple[str, str], Subscription]], of: K, key: tuple[str, str]) -> None:
    del index[of][key]
    if not index[of]:
        del index[of]


def _state_of(subscription: Subscription) -> tuple[str, str]:
    return subscription.package, subscription.resource


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
        headers.append(("Contact", f"<{self._stack.origin.contact(self._local, self._peer)}>"))
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
            granted = natural(response.get("Expires") or "")
            granted = DEFAULT_EXPIRES_S if granted is None else granted
            self.active = True
            self.refresh_at = now + granted * 0.9
        else:
            self.active = False
            self._remote = NameAddr(self._uri)
            self.refresh_at = now + 30 if self._wanted else FOREVER

    def matches(self, notify: Request) -> bool:
        return notify.call_id == self._call_id


def _seconds(request: Request) -> int:
    asked_s = natural(request.get("Expires") or "")
    return DEFAULT_EXPIRES_S if asked_s is None else min(asked_s, DEFAULT_EXPIRES_S)
