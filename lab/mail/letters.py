"""A notice as a letter (RFC 5322), with the sound of its message where that is wanted."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from lab.faxes.paper import BadDocument, to_pdf
from pbx.domain.kept import Notice
from pbx.domain.tenancy import Domain

GONE = "The recording of the message is not there any more.\n"


NO_PAGES = "The pages of the fax are not there any more.\n"


class NoAddress(ValueError):
    """Nobody can be written to at that address."""


def sender_in(domain: Domain, usual: str = "") -> str:
    """Return from whom a domain's notices come, `usual` where it says nothing itself."""
    return domain.mail_sender or usual or f"switchroom@{domain.name}"


def letter(
    notice: Notice,
    *,
    sender: str,
    sent: datetime,
    sound: bytes | None = None,
    transcription: str = "",
    fax: bytes | None = None,
) -> EmailMessage:
    """Return the letter of a notice that has one address; NoAddress when that is none.

    `sound` is a WAV file, `fax` a TIFF; None when the notice wants none, or it is gone. It blocks while a PDF is made.
    """
    mail = EmailMessage()
    try:
        mail["From"] = Address(addr_spec=sender)
        mail["To"] = Address(addr_spec=notice.to[0])
    except (ValueError, IndexError, MessageError) as error:
        raise NoAddress(f"{', '.join(notice.to) or 'nobody'} from {sender}: {error}") from None
    mail["Subject"] = " ".join(notice.subject.split())
    mail["Date"] = format_datetime(sent)
    mail["Message-ID"] = f"<{notice.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    text = notice.text
    if transcription:
        text = f"{text}\n{transcription}\n"
    if notice.recording and sound is None:
        text = f"{text}\n{GONE}"
    if notice.document and fax is None:
        text = f"{text}\n{NO_PAGES}"
    mail.set_content(text)
    if fax is not None:
        _attach_fax(mail, notice, fax)
    if sound is not None:
        mail.add_attachment(sound, maintype="audio", subtype="wav", filename=f"{notice.message}.wav")
    return mail


def _attach_fax(mail: EmailMessage, notice: Notice, tiff: bytes) -> None:
    """As the account wants it; pages that make no PDF go as they are."""
    pdf = b""
    if "pdf" in notice.attach:
        with suppress(BadDocument):
            pdf = to_pdf(tiff)
    if pdf:
        mail.add_attachment(pdf, maintype="application", subtype="pdf", filename=f"{notice.document}.pdf")
    if "tiff" in notice.attach or not pdf:
        mail.add_attachment(tiff, maintype="image", subtype="tiff", filename=f"{notice.document}.tif")
