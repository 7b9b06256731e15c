"""REGISTER and who may ask for anything: digest against the directory, the registrar, durable answers.

Unknown user, wrong password and wrong realm get the same answer, and who guesses is slowed down.
"""

from __future__ import annotations

import heapq
import ipaddress
from collections.abc import Callable, Collection, Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pbx.callflow.ports import BindingRemoved, BindingSaved
from pbx.clock import FOREVER
from pbx.domain.devices import Device
from pbx.events import (
    DeviceRefreshed,
    DeviceRegistered,
    DeviceUnregistered,
    GuessingSlowed,
    RegistrationExpired,
    RegistrationRefused,
)
from pbx.sip.address import Peer
from pbx.sip.digest import DigestServer, Verdict
from pbx.sip.guesses import Guesses, Key
from pbx.sip.message import Malformed, Request
from pbx.sip.registrar import Added, Binding, Change, Registrar, Removed
from pbx.sip.tolerances import Tolerance
from pbx.sip.transaction import ServerTransaction
from pbx.sip.uri import parse_uri
from pbx.switch.emergency import warn_of_missing_address

if TYPE_CHECKING:
    from pbx.switch.switch import Switch


STORE_RETRY_S = 5
_CHALLENGED = frozenset({"REGISTER", "INVITE"})
"""Most of what comes, and half of it without a proof: the others are challenged where they are served."""


class Registration:
    """Owns the digest nonces and the registrar, and what must be known of bindings without a search."""

    def __init__(self, switch: Switch, digest: DigestServer, kept: Iterable[Binding]) -> None:
        self._switch = switch
        self._digest = digest
        self._guesses = Guesses()
        self.registrar = Registrar()
        self._known: dict[tuple[str, str], Binding] = {}
        self._contacts_at: dict[Peer, dict[str, dict[str, None]]] = {}
        """Peer → device → its contacts."""
        self._expiries: list[tuple[float, str, str]] = []
        self._online: frozenset[str] | None = None
        kept = tuple(kept)
        self.registrar.load(kept)
        for binding in kept:
            self._note(binding)

    # --- who is there ---------------------------------------------------------------------------------

    def registered(self) -> frozenset[str]:
        """Device ids with a live contact."""
        if self._online is None or self.next_deadline() <= self._switch.now.mono:
            self._online = self.registrar.registered(self._switch.now)
        return self._online

    def devices_at(self, peer: Peer) -> Collection[str]:
        """The devices that registered from an address: the ports of an adapter share one, all of a load test do."""
        return self._contacts_at.get(peer, {}).keys()

    def next_deadline(self) -> float:
        """Monotonic seconds of the next expiry."""
        while self._expiries:
            expires_at, device, contact = self._expiries[0]
            known = self._known.get((device, contact))
            if known is not None and known.expires_at == expires_at:
                now = self._switch.now
                return now.mono + max(0.0, expires_at - now.wall.timestamp())
            heapq.heappop(self._expiries)
        return FOREVER

    def clock_stepped(self, by_s: float) -> None:
        """Expiries are wall time, to survive a restart: they move with the clock, here and on disk."""
        moved = self.registrar.shift(by_s)
        self._expiries.clear()
        for binding in moved:
            self._note(binding)
            self._switch.submit(BindingSaved(binding))

    def prune(self) -> None:
        """Forget the contacts of devices the directory no longer has."""
        known = self._switch.directory.devices_by_id
        self._remove([key for key in self._known if key[0] not in known])

    # --- who asks -------------------------------------------------------------------------------------

    def challenge(self, request: Request, source: Peer) -> tuple[int, list[tuple[str, str]]] | None:
        """Return the challenge of a REGISTER or INVITE that proves nothing; None for any other request."""
        if request.method not in _CHALLENGED or source in self._switch.settings.trunks or self._answer_of(request):
            return None
        return self.refusal(request, source, Verdict.MISSING)

    def prove(self, request: Request, source: Peer) -> tuple[Device | None, Verdict]:
        """Check the request's digest; the device it proves, or why not. It must own From (and To of a REGISTER)."""
        now = self._switch.now.mono
        value = self._answer_of(request, self._switch.stack.tolerances.forgives)
        if not value:
            return None, Verdict.MISSING
        user = self._digest.user(value)
        keys = self._guesser_keys(user, source)
        if not self._guesses.may_try(keys, now):
            return None, Verdict.TOO_SOON
        device = self._switch.directory.devices_by_id.get(user)
        verdict = self._verified(value, request.method, device, source)
        if verdict is Verdict.OK and (device is None or not _speaks_for_itself(request, device)):
            verdict = Verdict.WRONG
        if verdict is Verdict.WRONG:
            for kind, name in self._guesses.wrong(keys, now):
                self._switch.publish(GuessingSlowed(kind, name[:64], str(source)))
        return (device, verdict) if verdict is Verdict.OK else (None, verdict)

    def _verified(self, value: str, method: str, device: Device | None, source: Peer) -> Verdict:
        """Try the device's password, then a former one that is still taken."""
        now, verdict = self._switch.now, Verdict.WRONG
        for password in device.passwords_at(now.wall) if device is not None else (None,):
            verdict = self._digest.verify(value, method, password, now.mono, host=source.host)
            if verdict is not Verdict.WRONG:
                break
        return verdict

    def refusal(self, request: Request, source: Peer, verdict: Verdict) -> tuple[int, list[tuple[str, str]]]:
        """Return (status, headers) for a request that proved nothing: a challenge, or why there is none."""
        if verdict is Verdict.TOO_SOON:
            return 503, [("Retry-After", "1")]
        if verdict is Verdict.WRONG:
            who = self._digest.user(self._answer_of(request))
            self._switch.publish(RegistrationRefused(who[:64], str(source), 403, "wrong user or password"))
            return 403, []
        status = self._switch.settings.challenge
        name = "Proxy-Authenticate" if status == 407 else "WWW-Authenticate"
        stale = verdict in (Verdict.STALE, Verdict.REPLAYED)
        values = self._digest.challenge(self._switch.now.mono, stale=stale, host=source.host)
        return status, [(name, value) for value in values]

    def refuse(self, transaction: ServerTransaction, source: Peer, verdict: Verdict) -> None:
        status, headers = self.refusal(transaction.request, source, verdict)
        self._switch.stack.respond(transaction, status, headers=headers, now=self._switch.now.mono)

    def _answer_of(self, request: Request, forgives: Callable[[Tolerance], bool] = lambda fault: True) -> str | None:
        asked, other = ("Proxy-Authorization", "Authorization")
        if self._switch.settings.challenge != 407:
            asked, other = other, asked
        value = request.get(asked)
        if value or not (stray := request.get(other)):
            return value
        return stray if forgives(Tolerance.OTHER_HEADER) else None

    def _guesser_keys(self, user: str, source: Peer) -> tuple[Key, ...]:
        """Whose guess a failure would be: of a registered phone's flow nobody's, from its address its own."""
        peers = {b.peer for b in self.registrar.bindings(user, self._switch.now)}
        if source in peers:
            return ()
        if any(peer.host == source.host for peer in peers):
            return (("user at address", f"{user}@{source.host}"),)
        return ("address", source.host), ("user", user)

    # --- REGISTER -------------------------------------------------------------------------------------

    def register(self, transaction: ServerTransaction, source: Peer) -> None:
        now = self._switch.now
        request = transaction.request
        device, verdict = self.prove(request, source)
        if device is None:
            self.refuse(transaction, source, verdict)
            return
        agent = request.get("User-Agent") or ""
        if device.user_agents and not any(fnmatchcase(agent, pattern) for pattern in device.user_agents):
            self._switch.publish(RegistrationRefused(device.id, str(source), 403, f"User-Agent {agent[:64]!r}"))
            self._switch.stack.respond(transaction, 403, now=now.mono)
            return
        try:
            result = self.registrar.register(request, source, device.id, device.extension, now)
        except Malformed as error:
            self._switch.stack.respond(transaction, error.status, error.reason[:60], now=now.mono)
            return
        ticket = self._store(result.changes)
        if result.changes and not self._switch.history.writes:
            # Not to be promised while the disk refuses, but taken: the phone is there, and it can be called.
            headers = [("Retry-After", str(STORE_RETRY_S))]
            self._switch.stack.respond(transaction, 503, "Cannot Be Stored", headers=headers, now=now.mono)
        else:
            self._switch.stack.respond(
                transaction, result.status, result.reason, headers=result.headers, now=now.mono, ticket=ticket or None
            )
        self.tell(result.changes)

    def expire(self) -> None:
        if self.next_deadline() <= self._switch.now.mono:
            changes = self.registrar.expire(self._switch.now)
            self._store(changes)
            self.tell(changes)

    def lost(self, peer: Peer) -> None:
        """A connection is gone: what was registered over it cannot be reached any more."""
        if peer.reliable:
            found = self._contacts_at.get(peer, {})
            self._remove([(device, contact) for device, contacts in found.items() for contact in contacts])

    def forget(self, device: str) -> bool:
        """Drop every contact of a device, at the operator's word; False when it has none."""
        contacts = [(device, binding.contact) for binding in self.registrar.bindings(device, self._switch.now)]
        self._remove(contacts)
        return bool(contacts)

    def _remove(self, contacts: Iterable[tuple[str, str]]) -> None:
        for device, contact in contacts:
            change = self.registrar.remove(device, contact)
            if change is not None:
                self._store((change,))
                self.tell((change,))

    def _store(self, changes: tuple[Change, ...]) -> int:
        ticket = 0
        for change in changes:
            match change:
                case Added(binding=binding):
                    ticket = self._switch.submit(BindingSaved(binding))
                case Removed(binding=binding):
                    ticket = self._switch.submit(BindingRemoved(binding.device, binding.contact))
        return ticket

    def tell(self, changes: tuple[Change, ...]) -> None:
        wall = self._switch.now.wall.timestamp()
        for change in changes:
            b = change.binding
            if isinstance(change, Removed) or (self._online is not None and b.device not in self._online):
                self._online = None
            match change:
                case Added(refreshed=refreshed):
                    self._note(b)
                    event = DeviceRefreshed if refreshed else DeviceRegistered
                    left = max(0, round(b.expires_at - wall))
                    self._switch.publish(event(b.device, b.extension, b.contact, str(b.peer), left, b.user_agent))
                    if not refreshed:
                        self._switch.watchers.registered(b.device)
                        warn_of_missing_address(self._switch, b.device)
                case Removed(expired=True):
                    self._forget(b)
                    self._switch.publish(RegistrationExpired(b.device, b.extension, b.contact))
                case Removed():
                    self._forget(b)
                    self._switch.publish(DeviceUnregistered(b.device, b.extension, b.contact))

    def _note(self, binding: Binding) -> None:
        self._forget(binding)
        key = (binding.device, binding.contact)
        self._known[key] = binding
        self._contacts_at.setdefault(binding.peer, {}).setdefault(binding.device, {})[binding.contact] = None
        heapq.heappush(self._expiries, (binding.expires_at, *key))

    def _forget(self, binding: Binding) -> None:
        key = (binding.device, binding.contact)
        known = self._known.pop(key, None)
        if known is None:
            return
        devices = self._contacts_at[known.peer]
        contacts = devices[known.device]
        del contacts[known.contact]
        if not contacts:
            del devices[known.device]
        if not devices:
            del self._contacts_at[known.peer]


def _speaks_for_itself(request: Request, device: Device) -> bool:
    return request.from_.user == device.id and (request.method != "REGISTER" or request.to.user == device.id)


def as_reached(binding: Binding, device: Device | None) -> Binding:
    """Return a contact with the address its requests go to: where its REGISTER came from, or the one it names, for a
    device that is never behind a NAT. A connection is kept, and a name is not looked up."""
    if device is None or device.nat != "never" or binding.peer.reliable:
        return binding
    try:
        uri = parse_uri(binding.contact)
        ipaddress.ip_address(uri.host.strip("[]"))
    except ValueError:
        return binding
    return binding._replace(peer=Peer(binding.peer.transport, uri.host.strip("[]"), uri.port or 5060))
