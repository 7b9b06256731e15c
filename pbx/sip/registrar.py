"""The registrar: which contacts a device has, and until when (RFC 3261 §10.3). Who may register is decided before.

Bindings expire by wall clock, so that they survive a restart; a change is reported as a value for the store, and the
answer waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from typing import NamedTuple

from pbx.clock import FOREVER, Moment
from pbx.domain.registrations import Binding as Binding
from pbx.numerals import natural
from pbx.sip.address import Peer
from pbx.sip.message import Malformed, Request
from pbx.sip.uri import BadUri, NameAddr, parse_name_addr

DEFAULT_EXPIRES_S = 60
"""What the platform grants when a phone asks for nothing (domain-features 1.2)."""
MIN_EXPIRES_S = 10
MAX_EXPIRES_S = 3600
MAX_CONTACTS = 5
"""Of one device; the oldest leaves first."""


@dataclass(frozen=True, slots=True)
class Added:
    binding: Binding
    refreshed: bool


@dataclass(frozen=True, slots=True)
class Removed:
    binding: Binding
    expired: bool


Change = Added | Removed


class Registration(NamedTuple):
    """What to answer and what has changed."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    changes: tuple[Change, ...]


class Registrar:
    """Owns the bindings."""

    def __init__(self) -> None:
        self._bindings: dict[str, list[Binding]] = {}

    def load(self, bindings: Iterable[Binding]) -> None:
        for binding in bindings:
            self._bindings.setdefault(binding.device, []).append(binding)

    def bindings(self, device: str, now: Moment) -> tuple[Binding, ...]:
        """Return the live contacts, newest first."""
        wall = now.wall.timestamp()
        return tuple(b for b in reversed(self._bindings.get(device, ())) if b.expires_at > wall)

    def registered(self, now: Moment) -> frozenset[str]:
        wall = now.wall.timestamp()
        return frozenset(d for d, bindings in self._bindings.items() if any(b.expires_at > wall for b in bindings))

    def by_peer(self, peer: Peer) -> Binding | None:
        return next((b for bindings in self._bindings.values() for b in bindings if b.peer == peer), None)

    def register(self, request: Request, source: Peer, device: str, extension: str, now: Moment) -> Registration:
        """Apply an authenticated REGISTER; nothing changes unless all of it is right (§10.3 step 7)."""
        wall = now.wall.timestamp()
        before = [b for b in self._bindings.get(device, []) if b.expires_at > wall]
        contacts = [self._contact(text) for text in request.all("Contact")]
        path = request.all("Path")
        if any(contact.uri == "*" for contact in contacts):
            after = self._wildcard(request, contacts, before)
        else:
            after = list(before)
            for contact in contacts:
                refused = self._apply(request, contact, source, device, extension, path, wall, after)
                if refused is not None:
                    return refused
        del after[:-MAX_CONTACTS]
        changes = _changes(before, after)
        self._keep(device, after)
        shown = tuple(
            ("Contact", f"<{b.contact}>;expires={max(0, round(b.expires_at - wall))}") for b in reversed(after)
        )
        told = [("Path", proxy) for proxy in path]  # RFC 3327 §5.3
        return Registration(200, "OK", (*shown, *told, ("Date", _date(int(wall)))), changes)

    def remove(self, device: str, contact: str) -> Change | None:
        """Drop one contact, found dead."""
        for binding in self._bindings.get(device, []):
            if binding.contact == contact:
                self._keep(device, [b for b in self._bindings[device] if b is not binding])
                return Removed(binding, expired=True)
        return None

    def expire(self, now: Moment) -> tuple[Change, ...]:
        """Drop what has run out."""
        wall = now.wall.timestamp()
        gone = [b for bindings in self._bindings.values() for b in bindings if b.expires_at <= wall]
        for binding in gone:
            self._keep(binding.device, [b for b in self._bindings[binding.device] if b is not binding])
        return tuple(Removed(binding, expired=True) for binding in gone)

    def shift(self, by_s: float) -> list[Binding]:
        """Move every expiry with a clock that was set; return the bindings as they are now, oldest first."""
        for device, bindings in self._bindings.items():
            self._bindings[device] = [b._replace(expires_at=b.expires_at + by_s) for b in bindings]
        return [binding for bindings in self._bindings.values() for binding in bindings]

    def next_deadline(self, now: Moment) -> float:
        """Monotonic seconds of the next expiry."""
        first = min((b.expires_at for bindings in self._bindings.values() for b in bindings), default=FOREVER)
        return now.mono + max(0.0, first - now.wall.timestamp()) if first < FOREVER else FOREVER

    def _contact(self, text: str) -> NameAddr:
        if text.strip() == "*":
            return NameAddr("*")
        try:
            contact = parse_name_addr(text)
            _ = contact.parsed
        except BadUri as error:
            raise Malformed(400, f"bad Contact: {error}") from None
        return contact

    def _wildcard(self, request: Request, contacts: list[NameAddr], before: list[Binding]) -> list[Binding]:
        if len(contacts) != 1 or (request.get("Expires") or "").strip() != "0":
            raise Malformed(400, "Contact: * goes alone and with Expires: 0")
        self._in_order(request, before)
        return []

    def _apply(
        self,
        request: Request,
        contact: NameAddr,
        source: Peer,
        device: str,
        extension: str,
        path: list[str],
        wall: float,
        after: list[Binding],
    ) -> Registration | None:
        wanted = _seconds(contact.param("expires") or request.get("Expires"))
        if 0 < wanted < MIN_EXPIRES_S:
            return Registration(423, "Interval Too Brief", (("Min-Expires", str(MIN_EXPIRES_S)),), ())
        instance = (contact.param("+sip.instance") or "").strip('"')
        same = [b for b in after if b.contact == contact.uri or (instance and b.instance == instance)]
        self._in_order(request, same)
        for binding in same:
            after.remove(binding)
        if wanted:
            granted = min(wanted, MAX_EXPIRES_S)
            agent = (request.get("User-Agent") or "")[:200]
            after.append(
                Binding(
                    device, extension, contact.uri, source, wall + granted, request.call_id,
                    request.cseq.number, instance, agent, "\n".join(path),
                )
            )  # fmt: skip
        return None

    @staticmethod
    def _in_order(request: Request, touched: list[Binding]) -> None:
        for binding in touched:
            if binding.call_id == request.call_id and request.cseq.number <= binding.cseq:
                raise Malformed(500, "REGISTER out of order")

    def _keep(self, device: str, bindings: list[Binding]) -> None:
        if bindings:
            self._bindings[device] = bindings
        else:
            self._bindings.pop(device, None)


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    """RFC 3261 §20.17; one text serves every answer of a second."""
    return formatdate(second, usegmt=True)


def _seconds(text: str | None) -> int:
    """A bad value means the default (§10.3 step 6)."""
    asked_s = natural(text or "")
    return min(asked_s, 2**31) if asked_s is not None else DEFAULT_EXPIRES_S


def _changes(before: list[Binding], after: list[Binding]) -> tuple[Change, ...]:
    old = {b.contact: b for b in before}
    kept = {b.contact for b in after}
    changes: list[Change] = [Removed(b, expired=False) for b in before if b.contact not in kept]
    changes += [Added(b, refreshed=b.contact in old) for b in after if old.get(b.contact) is not b]
    return tuple(changes)
