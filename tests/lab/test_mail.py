"""Mail on its way: letters, the rounds of the postman, and SMTP to a server that takes it, puts it off, or is away."""

from __future__ import annotations

import asyncio
import email
import socket
import types
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email import policy
from itertools import count

import pytest
from aiosmtpd.smtp import SMTP

from lab.mail.catcher import Catcher
from lab.mail.letters import NoAddress, letter, sender_in
from lab.mail.outbox import Outbox
from lab.mail.postman import Postman
from lab.mail.relay import NotSent, Relay, send
from lab.mail.rounds import PAUSES_S, Rounds
from pbx.callflow.ports import MessageSaved, NoticeSaved
from pbx.clock import FOREVER
from pbx.domain.history import Message
from pbx.domain.kept import Notice
from pbx.events import MailDelayed, MailRefused, MailSent, VoicemailTranscribed
from pbx.media.wav import write_wav
from tests.switch.town import Town, directory

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
SOUND = b"\x55" * 8000
_NUMBERS = count(1)


def notice(**fields):
    values = {"to": ("ben@acme.lab",), "subject": "Voicemail from Ana", "text": "3 s from Ana.", **fields}
    return Notice(f"n{next(_NUMBERS)}", "102", "m1", **values)


# --- letters --------------------------------------------------------------------------------------------


def written(note, **more):
    made = letter(note, sender="switchroom@acme.lab", sent=NOON, **more)
    return email.message_from_bytes(made.as_bytes(), policy=policy.default)


def test_a_letter_has_what_mail_servers_ask_for():
    note = notice(subject="Voicemail from Zoé\r\nBcc: all@acme.lab")
    read = written(note)
    assert (read["From"], read["To"]) == ("switchroom@acme.lab", "ben@acme.lab")
    assert read["Subject"] == "Voicemail from Zoé Bcc: all@acme.lab"
    assert read["Bcc"] is None
    assert read["Message-ID"] == f"<{note.id}@acme.lab>"
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["Date"].datetime == NOON


def test_the_sound_goes_along_and_what_it_says():
    read = written(notice(recording="r1"), sound=b"RIFF", transcription="Call me.")
    (part,) = read.iter_attachments()
    assert (part.get_content_type(), part.get_filename()) == ("audio/wav", "m1.wav")
    assert part.get_payload(decode=True) == b"RIFF"
    assert read.get_body().get_content() == "3 s from Ana.\nCall me.\n"


def test_a_sound_that_is_gone_is_said_to_be():
    assert "not there any more" in written(notice(recording="r1")).get_body().get_content()


@pytest.mark.parametrize("to", [(), ("nobody at all",), ("a@b@c",)])
def test_there_is_no_writing_to_no_address(to):
    with pytest.raises(NoAddress):
        letter(notice(to=to), sender="switchroom@acme.lab", sent=NOON)


# --- rounds ---------------------------------------------------------------------------------------------


def test_what_failed_waits_ever_longer_and_nothing_is_given_up():
    rounds, note = Rounds(), notice()
    now, pauses = 0.0, []
    for tries in range(9):
        assert rounds.due([note], now) is not None
        rounds.failed(Notice(note.id, "", "", ("a",), "", "", tries=tries), now)
        pauses.append(rounds.next([note]) - now)
        now = rounds.next([note])
    assert pauses == [*PAUSES_S, PAUSES_S[-1], PAUSES_S[-1], PAUSES_S[-1]]


def test_one_that_waits_does_not_keep_the_others_back_and_what_was_refused_is_left_alone():
    rounds, first, second, never = Rounds(), notice(), notice(), notice(refused=True)
    rounds.failed(first, 0.0)
    assert rounds.due([never, first, second], 1.0) is second
    assert rounds.next([never]) == FOREVER


# --- SMTP -----------------------------------------------------------------------------------------------


@pytest.fixture
async def outbox() -> AsyncIterator[tuple[Outbox, Relay]]:
    kept = Outbox()
    catcher = Catcher(kept, lambda: 1.0)
    port = await catcher.start("127.0.0.1", 0)
    yield kept, Relay("127.0.0.1", port)
    await catcher.close()


class Grumpy:
    """A mail server that answers every recipient the same."""

    def __init__(self, answer: str) -> None:
        self.answer = answer

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's
        return self.answer


@pytest.fixture
async def grumpy() -> AsyncIterator[tuple[Grumpy, Relay]]:
    handler = Grumpy("250 fine")
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(handler, hostname="x"), "127.0.0.1", 0)
    yield handler, Relay("127.0.0.1", server.sockets[0].getsockname()[1])
    server.close()


def nobody_there() -> Relay:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return Relay("127.0.0.1", taken.getsockname()[1])


async def test_the_outbox_keeps_what_it_is_sent(outbox):
    kept, relay = outbox
    mail = letter(notice(), sender="switchroom@acme.lab", sent=NOON, sound=b"RIFF", transcription="Zoé rang")
    await asyncio.to_thread(send, relay, mail)
    (caught,) = kept.letters("ben@acme.lab")
    assert (caught.sender, caught.to, caught.subject) == (
        "switchroom@acme.lab", ("ben@acme.lab",), "Voicemail from Ana"
    )  # fmt: skip
    assert "Zoé rang" in caught.text
    assert caught.attachments == [("m1.wav", "audio/wav", b"RIFF")]
    assert kept.letters("ana@acme.lab") == []


@pytest.mark.parametrize(
    ("answer", "for_good"), [("451 4.3.0 later", False), ("550 5.1.1 no such user", True)]
)  # fmt: skip
async def test_a_refusal_is_for_now_or_for_good(grumpy, answer, for_good):
    handler, relay = grumpy
    handler.answer = answer
    with pytest.raises(NotSent, match=answer) as refused:
        await asyncio.to_thread(send, relay, letter(notice(), sender="a@acme.lab", sent=NOON))
    assert refused.value.for_good is for_good


async def test_a_server_that_is_away_or_cannot_encrypt_is_so_for_now(outbox):
    mail = letter(notice(), sender="a@acme.lab", sent=NOON)
    for relay in (nobody_there(), Relay(outbox[1].host, outbox[1].port, tls="yes")):
        with pytest.raises(NotSent) as refused:
            await asyncio.to_thread(send, relay, mail)
        assert not refused.value.for_good


# --- the postman ----------------------------------------------------------------------------------------


class House:
    """A switch with its store, for a postman to serve."""

    alive = True

    def __init__(self) -> None:
        self.town = Town(directory(users={"102": {"email": "ben@acme.lab", "mailbox": {"notify": "attsave"}}}))
        self.bus, self.history = self.town.bus, self.town.history
        self.history.submit(MessageSaved(Message("m1", "102", "new", "r1", 1.0, "101", "silence", 1.0)))

    @property
    def now(self):
        return self.town.now

    @property
    def directory(self):
        return self.town.switch.directory

    def command_switch(self, command):
        return command(self.town.switch, self.town.now)

    def owes(self, **fields):
        self.history.submit(NoticeSaved(notice(**fields)))

    async def sees(self, kind):
        """Wait for an event of a class."""
        came = asyncio.Event()
        end = self.bus.subscribe(lambda stamped: came.set(), [kind])
        try:
            async with asyncio.timeout(20):
                while not self.town.seen(kind):
                    await came.wait()
        finally:
            end()
        return self.town.last(kind)


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
async def postman(house, outbox, tmp_path) -> AsyncIterator[Postman]:
    write_wav(tmp_path / "r1.wav", SOUND)
    engine = types.ModuleType("parrot")
    engine.transcribe = lambda path: f"heard {path.stem}"
    broken = types.ModuleType("broken")
    broken.transcribe = lambda path: 1 / 0
    made = Postman(house, outbox[1], "switchroom@acme.lab", tmp_path, {"parrot": engine, "broken": broken})
    task = asyncio.get_running_loop().create_task(made.run())
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_is_owed_is_sent_with_its_sound_and_put_away(house, outbox, postman):
    house.owes(recording="r1")
    postman.again()
    event = await house.sees(MailSent)
    assert (event.to, event.attached, event.folder) == ("ben@acme.lab", True, "saved")
    ((name, kind, octets),) = outbox[0].letters()[0].attachments
    assert (name, kind, octets[:4], len(octets)) == ("m1.wav", "audio/wav", b"RIFF", 8044)
    assert house.history.notices() == []


@pytest.mark.parametrize(
    ("own", "usual", "sender"),
    [
        ("", "", "switchroom@acme.lab"),
        ("", "pbx@provider.lab", "pbx@provider.lab"),
        ("office@acme.lab", "pbx@provider.lab", "office@acme.lab"),
    ],
)
def test_mail_comes_from_whom_the_domain_says_else_the_house(own, usual, sender):
    assert sender_in(directory(domain={"name": "acme.lab", "mail_sender": own}).domain, usual) == sender


async def test_while_the_server_puts_it_off_it_waits_and_then_goes(house, outbox, postman):
    outbox[0].takes = False
    house.owes()
    postman.again()
    event = await house.sees(MailDelayed)
    assert "451" in event.reason
    assert len(house.history.notices()) == 1
    outbox[0].takes = True
    house.town.run(PAUSES_S[0])
    postman.again()
    await house.sees(MailSent)
    assert [caught.subject for caught in outbox[0].letters()] == ["Voicemail from Ana"]


async def test_an_address_that_is_none_is_refused_and_keeps_nobody_back(house, outbox, postman):
    house.owes(to=("nowhere",))
    house.owes()
    postman.again()
    assert "nowhere" in (await house.sees(MailRefused)).reason
    await house.sees(MailSent)
    assert [kept.to for kept in house.history.notices()] == [("nowhere",)]


@pytest.mark.parametrize(
    ("engine", "text", "problem"),
    [
        ("parrot", "heard r1", ""),
        ("broken", "", "broken: ZeroDivisionError"),
        ("google", "", "no transcription engine 'google' is installed"),
    ],
)
async def test_a_message_is_turned_into_text_before_it_is_sent(house, outbox, postman, engine, text, problem):
    house.owes(transcriber=engine)
    postman.again()
    assert (await house.sees(VoicemailTranscribed)).problem.startswith(problem)
    await house.sees(MailSent)
    assert [message.transcription for message in house.history.messages("102")] == [text]
    assert text in outbox[0].letters()[0].text
