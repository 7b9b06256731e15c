"""Whoever watches a state of ours: SUBSCRIBE, the NOTIFYs that follow, and what of it outlives a restart (RFC 6665).

What may be watched are the event packages in `packages/`. What changes within one input is told once, and no
subscriber more often than its package allows: the rest waits and is told together. A subscription is on the disk before
its 200 leaves.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

from pbx.callflow.ports import SubscriptionRemoved, SubscriptionSaved
from pbx.catalogue import plug_ins
from pbx.clock import Moment
from pbx.domain.devices import Device
from pbx.domain.registrations import KeptSubscription
from pbx.events import Event, SubscriptionChanged
from pbx.sip.address import Peer
from pbx.sip.message import Malformed
from pbx.sip.request_handle import RequestHandle
from pbx.sip.subscriptions import Notifier, Subscription
from pbx.sip.transaction import ServerTransaction
from pbx.sip.uri import NameAddr, parse_name_addr
from pbx.switch.event_package import EventPackage, Writing

if TYPE_CHECKING:
    from pbx.switch.switch import Switch

PACKAGES: dict[str, EventPackage[Any]] = {
    module.PACKAGE.name: module.PACKAGE for module in plug_ins("pbx.switch.packages", needs="PACKAGE").values()
}
ALLOW_EVENTS = ", ".join(sorted(PACKAGES))
CHECK_SYNC = "check-sync"
_RESTART_GAP = 100_000
"""CSeq and version after a restart are so much beyond what was kept: nobody sends as many between two refreshes."""
_CATCH_UP_S = 0.01
"""Between the NOTIFYs that tell the present state after a restart."""
MOST_AT_ONCE = 100
"""Subscriptions looked at after one input: what is left follows at once, and whatever arrives comes in between."""
_BY_EVENT: dict[type[Event], list[EventPackage[Any]]] = {}
for _package in PACKAGES.values():
    for _kind in _package.changed_by:
        _BY_EVENT.setdefault(_kind, []).append(_package)


class Watchers:
    """Owns the subscriptions of devices; `flush` ends every input of the switch."""

    def __init__(self, switch: Switch, notifier: Notifier, kept: Iterable[KeptSubscription]) -> None:
        self._switch = switch
        self.notifier = notifier
        self._pending: dict[Subscription, None] = {}
        self._recall(kept)

    # --- SUBSCRIBE ------------------------------------------------------------------------------------

    def subscribe(self, transaction: ServerTransaction, source: Peer) -> None:
        """Serve a SUBSCRIBE: an authenticated device, what the package lets it watch."""
        switch, now = self._switch, self._switch.now
        request = transaction.request
        device, verdict = switch.registration.prove(request, source)
        if device is None:
            switch.registration.refuse(transaction, source, verdict)
            return
        name = (request.get("Event") or "").partition(";")[0].strip().lower()
        package = PACKAGES.get(name)
        if package is None:
            switch.stack.respond(transaction, 489, headers=[("Allow-Events", ALLOW_EVENTS)], now=now.mono)
            return
        if not package.acceptable(request.get("Accept") or ""):
            headers = [("Accept", ", ".join(package.content_types))]
            switch.stack.respond(transaction, 406, headers=headers, now=now.mono)
            return
        try:
            known = self.notifier.known(request)
            resource = known.resource if known is not None else package.resource(switch, device, request)
            subscription = self.notifier.subscribe(transaction, source, device.id, name, resource, now.mono)
        except Malformed as error:
            switch.stack.respond(transaction, error.status, error.reason[:60], now=now.mono)
            return
        if subscription is not None:
            self._granted(transaction, subscription)

    def _granted(self, transaction: ServerTransaction, subscription: Subscription) -> None:
        switch, now = self._switch, self._switch.now
        over = subscription.left_s(now.mono) <= 0
        ticket = 0 if over else switch.submit(SubscriptionSaved(self._kept(subscription)))
        self.notifier.grant(transaction, subscription, now.mono, ticket or None)
        if not over:
            switch.publish(SubscriptionChanged(subscription.device, subscription.package, "active"))
        switch.durability.then(ticket, lambda: self._notify(subscription, again=True))

    # --- what changes ---------------------------------------------------------------------------------

    def take(self, event: Event) -> None:
        """Note what an event changes for whom."""
        if len(self.notifier):
            for package in _BY_EVENT.get(type(event), ()):
                for resource in package.changes(self._switch, event):
                    self.changed(package.name, resource)

    def changed(self, package: str, resource: str) -> None:
        for subscription in self.notifier.watching(package, resource):
            self._pending[subscription] = None

    def clock_stepped(self) -> None:
        """On disk an expiry is wall time: it moves with a clock that was set."""
        for subscription in self.notifier:
            self._switch.submit(SubscriptionSaved(self._kept(subscription)))

    def directory_changed(self) -> None:
        """Who may watch, and what there is to watch, may be different for everybody."""
        self._pending.update(dict.fromkeys(self.notifier))

    def desk_changed(self, device: str) -> None:
        """A telephone is another user's: its lamp is the lamp of that one's box."""
        known = self._switch.directory.devices_by_id.get(device)
        if known is None:
            return
        for subscription in self.notifier.of(device, "message-summary"):
            self.notifier.move(subscription, known.extension)
            self._switch.submit(SubscriptionSaved(self._kept(subscription)))
            self._pending[subscription] = None
        self._tell_unasked(known)

    def box_changed(self, box: str) -> None:
        """Messages of a mailbox have come, gone or been heard."""
        self.changed("message-summary", box)
        for device in self._switch.directory.devices_by_extension.get(box, ()):
            self._tell_unasked(device)

    def flush(self) -> None:
        """Tell what has changed to everybody who may be told again; learn who is gone."""
        if self._pending:
            now = self._switch.now.mono
            for subscription in list(islice((s for s in self._pending if s.quiet_until <= now), MOST_AT_ONCE)):
                del self._pending[subscription]
                self._notify(subscription)
        self._settle()

    def tick(self, now: Moment) -> None:
        for subscription in self.notifier.due(now.mono):
            self._notify(subscription, again=True)

    def next_deadline(self) -> float:
        due = self.notifier.next_deadline()
        return min(due, *(subscription.quiet_until for subscription in self._pending)) if self._pending else due

    def resync(self, device: str, event: str, content_type: str, body: bytes) -> list[RequestHandle]:
        """Tell a phone that has subscribed to it to fetch its configuration again; nothing when it has not."""
        handles = []
        for subscription in self.notifier.of(device, CHECK_SYNC):
            _, semicolon, own = subscription.event.partition(";")
            said = f"{event}{semicolon}{own}"
            handles.append(self.notifier.notify(subscription, content_type, body, self._switch.now.mono, event=said))
        return handles

    # --- who is there ---------------------------------------------------------------------------------

    def registered(self, device: str) -> None:
        """A phone is back: over another connection, where its subscriptions go on; from elsewhere, as another."""
        binding = self._switch.binding(device)
        if binding is None:
            return
        for subscription in self.notifier.of_device(device):
            peer = subscription.peer
            if binding.peer == peer:
                continue
            if peer.reliable and (peer.transport, peer.host) == (binding.peer.transport, binding.peer.host):
                subscription.peer, subscription.shown = binding.peer, None
                self._pending[subscription] = None
            else:
                self.notifier.end(subscription)  # it started anew and will subscribe again
        known = self._switch.directory.devices_by_id.get(device)
        if known is not None:
            self._tell_unasked(known)

    def _tell_unasked(self, device: Device) -> None:
        """Light the lamp of a phone that has not subscribed, where it is to be told all the same."""
        switch, package = self._switch, PACKAGES["message-summary"]
        binding = switch.binding(device.id) if device.unsolicited_mwi else None
        if binding is None or self.notifier.of(device.id, package.name):
            return
        state = package.state(switch, device.extension)
        writing = Writing(switch.realm, 0, device.extension, switch.now.wall.timestamp(), "")
        document = package.document(state, None, writing)
        who = NameAddr(f"sip:{device.id}@{switch.realm}")
        headers = [("Event", package.name), ("Subscription-State", "terminated"), *binding.routes]
        switch.stack.request(
            "NOTIFY",
            binding.contact,
            binding.peer,
            from_=who,
            to=who,
            now=switch.now.mono,
            headers=headers,
            body=document.body,
            content_type=document.content_type,
        )
        told = package.told(device.id, device.extension, state)
        if told is not None:
            switch.publish(told)

    def answered(self, handle: RequestHandle, status: int) -> None:
        self.notifier.answered(handle, status)

    # --- parts ----------------------------------------------------------------------------------------

    def _notify(self, subscription: Subscription, *, again: bool = False) -> None:
        """Tell the present state, if it is another than was told last or wanted again."""
        switch, now = self._switch, self._switch.now
        if subscription not in self.notifier:
            return
        package = PACKAGES[subscription.package]
        known = subscription.device in switch.directory.devices_by_id
        state = package.state(switch, subscription.resource) if known else None
        if state is None:
            self.notifier.notify(subscription, "", b"", now.mono, over="noresource")
            return
        if state == subscription.shown and not again:
            return
        subscription.version += 1
        writing = Writing(
            switch.realm, subscription.version, subscription.resource, now.wall.timestamp(), subscription.accept
        )
        document = package.document(state, subscription.shown, writing)
        subscription.shown = state
        subscription.quiet_until = now.mono + package.interval_s
        self._pending.pop(subscription, None)
        self.notifier.notify(subscription, document.content_type, document.body, now.mono)
        told = package.told(subscription.device, subscription.resource, state)
        if told is not None:
            switch.publish(told)

    def _settle(self) -> None:
        for subscription in self.notifier.take_ended():
            self._pending.pop(subscription, None)
            self._switch.submit(SubscriptionRemoved(subscription.call_id, str(subscription.local)))
            self._switch.publish(SubscriptionChanged(subscription.device, subscription.package, "terminated"))

    def _kept(self, subscription: Subscription) -> KeptSubscription:
        now = self._switch.now
        return KeptSubscription(
            subscription.call_id,
            str(subscription.local),
            str(subscription.remote),
            subscription.device,
            subscription.package,
            subscription.resource,
            subscription.target,
            "\n".join(subscription.routes),
            subscription.peer,
            subscription.event,
            subscription.accept,
            now.wall.timestamp() + subscription.left_s(now.mono),
            subscription.cseq,
            subscription.remote_cseq,
            subscription.version,
        )

    def _recall(self, kept: Iterable[KeptSubscription]) -> None:
        """Go on with what an earlier process had; each is told the present state, one after the other."""
        now = self._switch.now
        for at, known in enumerate(kept):
            left_s = known.expires_at - now.wall.timestamp()
            if known.package not in PACKAGES or left_s <= 0:
                self._switch.submit(SubscriptionRemoved(known.call_id, known.local))
                continue
            subscription = Subscription(
                known.device,
                known.package,
                known.resource,
                known.call_id,
                parse_name_addr(known.local),
                parse_name_addr(known.remote),
                known.target,
                tuple(known.routes.splitlines()),
                known.peer,
                now.mono + left_s,
                known.event,
                known.accept,
                known.cseq + _RESTART_GAP,
                known.remote_cseq,
                known.version + _RESTART_GAP,
                quiet_until=now.mono + at * _CATCH_UP_S,
            )
            self.notifier.load([subscription])
            self._switch.submit(SubscriptionSaved(self._kept(subscription)))
            if not known.peer.reliable:  # a connection is gone with the process: its phone comes back by itself
                self._pending[subscription] = None
