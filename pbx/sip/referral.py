"""A REFER outside its call: what it began, and the NOTIFYs of its implicit subscription (RFC 3515 §2.4, RFC 4538)."""

from __future__ import annotations

from typing import Protocol

from pbx.sip.address import Peer
from pbx.sip.message import Malformed
from pbx.sip.replaces import Replaces
from pbx.sip.stack import Stack
from pbx.sip.transaction import ServerTransaction
from pbx.sip.uri import BadUri, parse_name_addr


class Referrer(Protocol):
    """Whoever asked for a transfer, in a call (a `Session`) or beside it (a `Referral`)."""

    def accept_refer(self, now: float) -> None: ...

    def reject_refer(self, status: int, now: float) -> None: ...

    def notify_refer(self, status_line: str, final: bool, now: float) -> None:
        """Tell what has become of it; `status_line` like `SIP/2.0 200 OK`."""
        ...


class Referral:
    """One REFER; `target` is where it leads."""

    def __init__(self, stack: Stack, transaction: ServerTransaction, source: Peer, tag: str) -> None:
        """Malformed(400) when it has no single Refer-To, or no Contact."""
        request = transaction.request
        values = request.all("Refer-To")
        try:
            if len(values) != 1:
                raise Malformed(400, "exactly one Refer-To")
            self.target = parse_name_addr(values[0]).uri
            self._contact = parse_name_addr(request.all("Contact")[0]).uri
        except (IndexError, BadUri):
            raise Malformed(400, "Refer-To and Contact are one address each") from None
        self._stack = stack
        self._transaction = transaction
        self._request = request
        self._peer = source
        self._local = request.to.with_tag(tag)
        self._cseq = 0

    def accept_refer(self, now: float) -> None:
        headers = [("Contact", f"<{self._stack.origin.contact(self._local, self._peer)}>")]
        self._stack.respond(self._transaction, 202, headers=headers, to_tag=self._local.tag, now=now)

    def reject_refer(self, status: int, now: float) -> None:
        self._stack.respond(self._transaction, status, now=now)

    def notify_refer(self, status_line: str, final: bool, now: float) -> None:
        request = self._request
        self._cseq += 1
        state = "terminated;reason=noresource" if final else "active;expires=60"
        headers = [("Event", "refer"), ("Subscription-State", state)]
        headers += [("Route", route) for route in request.all("Record-Route")]
        headers.append(("Contact", f"<{self._stack.origin.contact(self._local, self._peer)}>"))
        self._stack.request(
            "NOTIFY",
            self._contact,
            self._peer,
            from_=self._local,
            to=request.from_,
            now=now,
            headers=headers,
            body=status_line.encode() + b"\r\n",
            content_type="message/sipfrag;version=2.0",
            call_id=request.call_id,
            cseq=self._cseq,
        )


def parse_target_dialog(value: str) -> Replaces | None:
    """Return the dialog a Target-Dialog value names, its tags as its recipient has them (RFC 4538 §7)."""
    call_id, *params = (part.strip() for part in value.split(";"))
    tags = dict(param.partition("=")[::2] for param in params)
    local, remote = tags.get("local-tag", ""), tags.get("remote-tag", "")
    return Replaces(call_id, local, remote) if call_id and local and remote else None
