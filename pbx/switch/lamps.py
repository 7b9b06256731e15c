"""Message-waiting lamps: SUBSCRIBE to `message-summary` and the NOTIFYs that follow (RFC 3842)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.clock import Moment
from pbx.events import LampSent, SubscriptionChanged
from pbx.sip.address import Peer
from pbx.sip.message import Malformed
from pbx.sip.stack import RequestHandle
from pbx.sip.subscriptions import Notifier, Subscription
from pbx.sip.transaction import ServerTransaction

if TYPE_CHECKING:
    from pbx.switch.switch import Switch

PACKAGE = "message-summary"
BODY = "application/simple-message-summary"


class Lamps:
    """Owns the lamp subscriptions."""

    def __init__(self, switch: Switch, notifier: Notifier) -> None:
        self._switch = switch
        self.notifier = notifier

    def subscribe(self, transaction: ServerTransaction, source: Peer) -> None:
        """Serve a SUBSCRIBE: only an authenticated device, only its own lamp."""
        switch, now = self._switch, self._switch.now
        request = transaction.request
        package = (request.get("Event") or "").partition(";")[0].strip().lower()
        device, verdict = switch.registration.prove(request, source)
        if device is None:
            switch.registration.refuse(transaction, source, verdict)
            return
        if package != PACKAGE:
            switch.stack.respond(transaction, 489, headers=[("Allow-Events", PACKAGE)], now=now.mono)
            return
        try:
            subscription = self.notifier.subscribe(transaction, source, device.id, PACKAGE, now.mono)
        except Malformed as error:
            switch.stack.respond(transaction, error.status, error.reason[:60], now=now.mono)
            return
        if subscription is None:
            return
        over = subscription.expires_at <= now.mono
        switch.publish(SubscriptionChanged(device.id, PACKAGE, "terminated" if over else "active"))
        self._notify(subscription, now)

    def box_changed(self, box: str, now: Moment) -> None:
        """Tell every lamp of a mailbox how many messages wait."""
        for device in self._switch.directory.devices_by_extension.get(box, ()):
            for subscription in self.notifier.of(device.id, PACKAGE):
                self._notify(subscription, now)

    def registered(self, device: str) -> None:
        """A phone is back: its lamp is set again without waiting for its refresh."""
        for subscription in self.notifier.of(device, PACKAGE):
            binding = self._switch.binding(device)
            if binding is not None and binding.peer != subscription.peer:
                self.notifier.drop(device)  # it started anew and will subscribe again
                self._switch.publish(SubscriptionChanged(device, PACKAGE, "terminated"))
                return

    def answered(self, handle: RequestHandle, status: int) -> None:
        gone = self.notifier.answered(handle, status)
        if gone is not None:
            self._switch.publish(SubscriptionChanged(gone.device, PACKAGE, "terminated"))

    def tick(self, now: Moment) -> None:
        for subscription in self.notifier.due(now.mono):
            self._notify(subscription, now)
            self._switch.publish(SubscriptionChanged(subscription.device, PACKAGE, "terminated"))

    def counts(self, box: str) -> tuple[int, int]:
        """Return (new, saved)."""
        messages = self._switch.history.messages(box)
        new = sum(message.folder == "new" for message in messages)
        return new, len(messages) - new

    def _notify(self, subscription: Subscription, now: Moment) -> None:
        device = self._switch.directory.devices_by_id.get(subscription.device)
        if device is None:
            return
        new, saved = self.counts(device.extension)
        body = summary(device.extension, self._switch.realm, new, saved)
        self.notifier.notify(subscription, BODY, body, now.mono)
        self._switch.publish(LampSent(device.id, device.extension, new, saved, new > 0))


def summary(box: str, domain: str, new: int, saved: int) -> bytes:
    """Return the body of RFC 3842 §5.2."""
    waiting = "yes" if new else "no"
    return (
        f"Messages-Waiting: {waiting}\r\nMessage-Account: sip:{box}@{domain}\r\nVoice-Message: {new}/{saved} (0/0)\r\n"
    ).encode()
