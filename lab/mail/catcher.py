"""The outbox as a mail server: SMTP in, letters kept, nothing goes on to anybody."""

from __future__ import annotations

import asyncio
import email
from collections.abc import Callable
from email import policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session

from lab.mail.outbox import REFUSAL, Outbox

MOST_BYTES = 40_000_000
"""An hour of sound, as mail writes it."""


class Catcher:
    """Owns the listening socket."""

    def __init__(self, outbox: Outbox, wall: Callable[[], float]) -> None:
        """`wall` tells POSIX seconds."""
        self._outbox, self._wall = outbox, wall
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
        self._outbox.put(letter, envelope.mail_from or "", envelope.rcpt_tos, self._wall())
        return "250 2.0.0 kept in the outbox"
