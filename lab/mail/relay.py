"""One letter to a mail server (RFC 5321), and what its refusal means. It blocks: it runs in a thread."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Literal

from pydantic import SecretStr

TIMEOUT_S = 30.0
_NO_TLS = "it offers no STARTTLS, which mail.tls asks for"


@dataclass(frozen=True, slots=True)
class Relay:
    """Where mail goes."""

    host: str
    port: int
    tls: Literal["no", "opportunistic", "yes"] = "opportunistic"
    """STARTTLS: never, where it is offered, or else nothing is sent."""
    user: str = ""
    password: SecretStr = field(default_factory=lambda: SecretStr(""))

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class NotSent(Exception):
    """`for_good`: this letter will never be taken (a 5xx); else it may be later."""

    def __init__(self, reason: str, *, for_good: bool) -> None:
        super().__init__(reason)
        self.for_good = for_good


def send(relay: Relay, mail: EmailMessage) -> None:
    """Hand a letter over; NotSent says why not."""
    try:
        with smtplib.SMTP(relay.host, relay.port, timeout=TIMEOUT_S) as server:
            server.ehlo_or_helo_if_needed()
            if relay.tls != "no" and server.has_extn("starttls"):
                server.starttls(context=_context(relay))
            elif relay.tls == "yes":
                raise NotSent(f"{relay}: {_NO_TLS}", for_good=False)
            if relay.user:
                server.login(relay.user, relay.password.get_secret_value())
            server.send_message(mail)
    except smtplib.SMTPRecipientsRefused as refused:
        code, text = next(iter(refused.recipients.values()))
        raise NotSent(f"{relay}: {code} {_words(text)}", for_good=code >= 500) from None
    except smtplib.SMTPAuthenticationError as refused:  # a password that is mended later sends what waits
        raise NotSent(f"{relay}: {refused.smtp_code} {_words(refused.smtp_error)}", for_good=False) from None
    except smtplib.SMTPResponseException as refused:
        reason = f"{relay}: {refused.smtp_code} {_words(refused.smtp_error)}"
        raise NotSent(reason, for_good=refused.smtp_code >= 500) from None
    except (smtplib.SMTPException, OSError) as error:
        raise NotSent(f"{relay}: {error}", for_good=False) from None


def _context(relay: Relay) -> ssl.SSLContext:
    """Encrypt to whoever answers where it is a bonus (RFC 7435); to the right one where it is asked for."""
    context = ssl.create_default_context()
    if relay.tls == "opportunistic":
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _words(text: bytes | str) -> str:
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return " ".join(shown.split())[:200]
