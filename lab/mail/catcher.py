"""The outbox as a mail server: SMTP in, letters kept, nothing goes on to anybody; what is addressed to fax is faxed."""

from __future__ import annotations

import asyncio
import email
from collections.abc import Callable
from email import policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session

from lab.faxes.counter import Desk, NotTaken, hand_in, is_fax_address, orders_of
from lab.mail.outbox import REFUSAL, Outbox

MOST_BYTES = 40_000_000
"""An hour of sound, as mail writes it."""


class Catcher:
    """Owns the listening socket."""

    def __init__(self, outbox: Outbox, wall: Callable[[], float], desk: Desk | None = None) -> None:
        """`wall` tells POSIX seconds; `desk` takes faxes."""
        self._outbox, self._wall, self._desk = outbox, wall, desk
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port. OSError when it is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="outbox.lab", ident="Switchroom outbox", data_size_limit=MOST_BYTES,
                         enable_SMTPUTF8=True, loop=loop),
            host, port,
        )  # fmt: skip
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        if not self._outbox.takes:
            return REFUSAL
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        letter = email.message_from_bytes(content, EmailMessage, policy=policy.default)
        faxed: list[str] = []
        if self._desk is not None:
            faxed = [to for to in envelope.rcpt_tos if is_fax_address(self._desk.directory, to)]
            try:
                await self._fax(self._desk, letter, envelope.mail_from or "", faxed)
            except NotTaken as error:
                return f"554 5.7.1 not faxed: {' '.join(str(error).split())}"[:500]
        others = [to for to in envelope.rcpt_tos if to not in faxed]
        if not others:
            return "250 2.0.0 to be faxed"
        self._outbox.put(letter, envelope.mail_from or "", others, self._wall())
        return "250 2.0.0 kept in the outbox"

    async def _fax(self, desk: Desk, letter: EmailMessage, sender: str, to: list[str]) -> None:
        if to:
            for order in await asyncio.to_thread(orders_of, desk.directory, letter, sender, to):
                await hand_in(desk, order)
