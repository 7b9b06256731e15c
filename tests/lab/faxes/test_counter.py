"""Handing faxes in: who may, what is a number, what is a document; and the same by SMTP and HTTP on real sockets."""

from __future__ import annotations

import asyncio
import smtplib
from email.message import EmailMessage
from pathlib import Path

import aiohttp
import pytest

from lab.cli.remote import fax_get, fax_send, faxes
from lab.errors import UserError
from lab.faxes.counter import NotTaken, Order, account_named, is_fax_address, number_of, orders_of
from lab.faxes.paper import digests, sample, to_pdf
from lab.lab_settings import LabSettings
from lab.office import Office
from lab.seeds.load import OFFICE, load_seed

SEED = load_seed(OFFICE.with_name("fax.yaml"))
DIRECTORY = SEED.directory
PAGES = sample(2, 4)


def letter(*files: tuple[str, str, bytes]) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = "Contract"
    mail.set_content("Please sign.")
    for name, kind, octets in files:
        main, _, sub = kind.partition("/")
        mail.add_attachment(octets, maintype=main, subtype=sub, filename=name)
    return mail


TIFF = ("contract.tif", "image/tiff", PAGES.tiff)


def test_mail_with_pages_is_an_order_of_the_account_its_sender_may_send_for() -> None:
    (order,) = orders_of(DIRECTORY, letter(TIFF), "ana@fax.lab", ["14165550156@fax.fax.lab"])
    assert order == Order("office", "14165550156", PAGES, "ana@fax.lab")


def test_pdf_and_tiff_go_together_to_each_number() -> None:
    pdf = ("more.pdf", "application/octet-stream", to_pdf(sample(1, 8).tiff))
    orders = orders_of(
        DIRECTORY, letter(TIFF, pdf), "plain@fax.lab", ["5550156@fax.fax.lab", "+442079460000@fax.fax.lab"]
    )
    assert [(order.account, order.number, order.document.pages) for order in orders] == [
        ("plain", "14165550156", 3), ("plain", "+442079460000", 3),
    ]  # fmt: skip
    assert digests(orders[0].document.tiff)[:2] == digests(PAGES.tiff)


@pytest.mark.parametrize(
    ("sender", "to", "files", "why"),
    [
        ("eve@evil.lab", "14165550156", (TIFF,), "eve@evil.lab may send faxes for no account of fax.lab"),
        ("", "14165550156", (TIFF,), "nobody may send"),
        ("ana@fax.lab", "911", (TIFF,), "'911' is no number a fax can be sent to"),
        ("ana@fax.lab", "301", (TIFF,), "'301' is no number"),
        ("ana@fax.lab", "office", (TIFF,), "'office' is no number"),
        ("ana@fax.lab", "14165550156", (), "no PDF or TIFF is attached"),
        ("ana@fax.lab", "14165550156", (("a.pdf", "application/pdf", b"MZ"),), "a.pdf is neither PDF nor TIFF"),
        ("ana@fax.lab", "14165550156", (TIFF, ("b.tif", "image/tiff", b"II*\0")), "b.tif cannot be read as TIFF"),
    ],
)
def test_what_cannot_be_faxed_is_refused_in_words(
    sender: str, to: str, files: tuple[tuple[str, str, bytes], ...], why: str
) -> None:
    with pytest.raises(NotTaken, match=why):
        orders_of(DIRECTORY, letter(*files), sender, [f"{to}@fax.fax.lab"])


def test_an_account_is_named_unless_there_is_one_alone() -> None:
    with pytest.raises(NotTaken, match="say which account: office, plain, archive"):
        account_named(DIRECTORY, "")
    with pytest.raises(NotTaken, match="there is no fax account 'home'"):
        account_named(DIRECTORY, "home")
    alone = DIRECTORY.replaced(numbers=(), fax_accounts=DIRECTORY.fax_accounts[:1])
    assert account_named(alone, "").name == "office"


def test_fax_addresses_are_those_of_the_domains_own_fax_host() -> None:
    assert is_fax_address(DIRECTORY, "14165550156@FAX.fax.lab")
    assert not is_fax_address(DIRECTORY, "ana@fax.lab")
    assert number_of(DIRECTORY, "416-555-0156") == "14165550156"


@pytest.mark.realtime
async def test_by_smtp_by_http_and_by_command(tmp_path: Path) -> None:
    def mailed(sender: str, mail: EmailMessage, *to: str) -> None:
        with smtplib.SMTP(office.lab.listening.host, office.lab.listening.smtp_port) as server:  # type: ignore[union-attr]
            server.send_message(mail, sender, list(to))

    async with Office(SEED, LabSettings(phones=False)) as office, aiohttp.ClientSession(office.console_url) as http:
        await asyncio.to_thread(mailed, "ana@fax.lab", letter(TIFF), "14165550156@fax.fax.lab", "bob@else.lab")
        with pytest.raises(smtplib.SMTPDataError) as refused:
            await asyncio.to_thread(mailed, "eve@evil.lab", letter(TIFF), "14165550156@fax.fax.lab")
        assert refused.value.smtp_code == 554
        assert b"eve@evil.lab may send faxes for no account" in refused.value.smtp_error
        assert [caught.to for caught in office.lab.outbox.letters("bob@else.lab")] == [("bob@else.lab",)]

        async with http.post(
            "/api/v1/faxes", params={"to": "5550157", "account": "archive"}, data=PAGES.tiff
        ) as answer:
            assert answer.status == 202
            handed_in = (await answer.json())["id"]
        for query, body, why in (
            ({"to": "5550157", "account": "archive"}, b"GIF89a", "neither PDF nor TIFF"),
            ({"to": "5550157"}, PAGES.tiff, "say which account"),
            ({"to": "911", "account": "archive"}, PAGES.tiff, "no number a fax can be sent to"),
        ):
            async with http.post("/api/v1/faxes", params=query, data=body) as answer:
                assert answer.status == 422
                assert why in (await answer.json())["error"]["why"]
        async with http.get("/api/v1/faxes") as answer:
            rows = await answer.json()
        assert [(row["account"], row["number"], row["pages"]) for row in rows] == [
            ("archive", "14165550157", 2), ("office", "14165550156", 2),
        ]  # fmt: skip
        async with http.get(f"/api/v1/faxes/{handed_in}/tiff") as answer:
            assert digests(await answer.read()) == digests(PAGES.tiff)
        async with http.get(f"/api/v1/faxes/{handed_in}/pdf") as answer:
            assert (await answer.read()).startswith(b"%PDF")
        async with http.get("/api/v1/faxes/none/pdf") as answer:
            assert answer.status == 404

        there, file = Path(office.console_url), tmp_path / "letter.tif"
        file.write_bytes(PAGES.tiff)
        said = await asyncio.to_thread(fax_send, there, file, "416 555 0156", "plain")
        assert said.endswith(": 2 pages to 14165550156")
        listed = await asyncio.to_thread(faxes, there, as_json=False)
        assert len(listed.splitlines()) == 3
        assert "plain" in listed.splitlines()[0]
        got = await asyncio.to_thread(fax_get, there, handed_in, tmp_path / "got.tif")
        assert digests(got.read_bytes()) == digests(PAGES.tiff)
        with pytest.raises(UserError, match="was not faxed"):
            await asyncio.to_thread(fax_send, there, tmp_path / "none.pdf", "5550156", "plain")
