"""MESSAGE: a text from one extension to another, to every phone it has (RFC 3428).

Pager mode and no store: who is not there does not get it, and the sender is told so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.domain.devices import Device
from pbx.events import MessageRelayed
from pbx.sip.address import Peer
from pbx.sip.bodies import media_type
from pbx.sip.transaction import ServerTransaction
from pbx.sip.uri import NameAddr, parse_uri
from pbx.switch.registration import as_reached

if TYPE_CHECKING:
    from pbx.sip.request_handle import RequestHandle
    from pbx.switch.switch import Switch

TYPES = ("text/plain", "message/cpim")
MAX_TEXT = 1300
"""Octets (RFC 3428 §8)."""
MAX_LIVE = 500
"""Texts on their way at once; more get 503."""
PATIENCE_S = 20.0
"""An answer later than this finds a sender who has given up (RFC 4320)."""
_NOT_THERE = 480


class Texts:
    """Owns the texts on their way."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._live: set[_Text] = set()

    def live(self) -> int:
        return len(self._live)

    def take(self, transaction: ServerTransaction, source: Peer) -> None:
        """Serve a MESSAGE outside any call."""
        switch, now = self._switch, self._switch.now.mono
        request = transaction.request
        device, verdict = switch.registration.prove(request, source)
        if device is None:
            switch.registration.refuse(transaction, source, verdict)
            return
        respond = switch.stack.respond
        kind = media_type(request.get("Content-Type")) or TYPES[0]
        if kind not in TYPES:
            respond(transaction, 415, headers=[("Accept", ", ".join(TYPES))], now=now)
            return
        if len(request.body) > MAX_TEXT:
            respond(transaction, 513, now=now)
            return
        if len(self._live) >= MAX_LIVE:
            respond(transaction, 503, headers=[("Retry-After", "5")], now=now)
            return
        to = parse_uri(request.uri).user
        called = switch.directory.devices_by_extension.get(to, ()) or tuple(
            found for found in (switch.directory.devices_by_id.get(to),) if found is not None
        )
        if not called and to not in switch.directory.users_by_extension:
            respond(transaction, 404, now=now)
            return
        text = _Text(self, switch, transaction, device, to)
        self._live.add(text)
        text.send(called, request.get("Content-Type") or TYPES[0])

    def over(self, text: _Text) -> None:
        self._live.discard(text)


class _Text:
    """One text and the phones that have not answered yet."""

    def __init__(self, texts: Texts, switch: Switch, transaction: ServerTransaction, sender: Device, to: str) -> None:
        self._texts = texts
        self._switch = switch
        self._transaction = transaction
        self._body = transaction.request.body
        self._sender = sender
        self._to = to
        self._open: dict[int, str] = {}
        self._worst = _NOT_THERE
        self._answered = False

    def send(self, called: tuple[Device, ...], content_type: str) -> None:
        switch, now = self._switch, self._switch.now
        user = switch.directory.users_by_extension.get(self._sender.extension)
        who = NameAddr(f"sip:{self._sender.extension}@{switch.realm}", user.name if user else "")
        for device in called:
            for newest in switch.registration.registrar.bindings(device.id, now):
                binding = as_reached(newest, device)
                handle = switch.stack.request(
                    "MESSAGE",
                    binding.contact,
                    binding.peer,
                    from_=who,
                    to=NameAddr(f"sip:{self._to}@{switch.realm}"),
                    now=now.mono,
                    headers=binding.routes,
                    body=self._body,
                    content_type=content_type,
                )
                self._open[id(handle)] = device.id
                switch.when_answered(handle, self._answer)
        if self._open:
            switch.timers.arm(self, "patience", now.mono + PATIENCE_S)
        else:
            self._finish(_NOT_THERE, "")

    def _answer(self, handle: RequestHandle, status: int) -> None:
        device = self._open.pop(id(handle), "")
        if 200 <= status < 300:
            self._finish(status, device)
        elif status not in (401, 407, 408):  # a challenge nobody can answer, or silence, is "not there" to the sender
            self._worst = status
        if not self._open:
            self._finish(self._worst, "")

    def fired(self, name: str, now: float) -> None:
        self._finish(self._worst, "")

    def _finish(self, status: int, device: str) -> None:
        """Answer the sender, once."""
        if self._answered:
            return
        self._answered = True
        switch = self._switch
        switch.timers.cancel(self, "patience")
        switch.stack.respond(self._transaction, status, now=switch.now.mono)
        octets = len(self._body)
        switch.publish(MessageRelayed(self._sender.id, self._sender.extension, self._to, device, status, octets))
        self._texts.over(self)
