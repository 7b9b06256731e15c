"""What phones send: off unless a setting says so, for the holder of the device's key, capped, and kept whole."""

from __future__ import annotations

import aiohttp
import pytest

from pbx.events import ConfigUploaded, Event, ServerFault
from provisioning_server.app import ProvisioningService
from provisioning_server.ledger import Ledger
from provisioning_server.respond import ConfigRequest, unused
from provisioning_server.upload_folder import UploadFolder
from provisioning_server.uploads import LARGEST, UPLOADS, Sent
from tests.provisioning.provisioned import (
    AT,
    FAMILIES,
    POLY,
    WRONG,
    YEALINK,
    Counter,
    first,
    reason,
    small_domain,
    with_device,
)  # fmt: skip

OPEN_DOMAIN = small_domain(settings={"domain": {UPLOADS: True}})


# --- who may send what --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize(
    ("mac", "name", "kind"),
    [
        (POLY, f"{POLY}-boot.log", "log"),
        (POLY, f"{POLY.upper()}-PHONE.CFG", "overrides"),
        (YEALINK, f"{YEALINK}-contact.xml", "directory"),
        (YEALINK, f"{YEALINK}-calllog.xml", "calls"),
    ],
)
def test_a_phone_sends_under_the_names_of_its_maker(method, mac, name, kind):
    answer = Counter(OPEN_DOMAIN).ask(name, first(mac), method=method)
    assert answer.sent is not None
    assert (answer.sent.mac, answer.sent.kind) == (mac, kind)
    assert answer.sent.name.lower() == name.lower()


@pytest.mark.parametrize(
    ("name", "token", "why"),
    [
        (f"{POLY}-boot.log", WRONG, "wrong token"),
        (f"{POLY}-boot.log", first(YEALINK), "wrong token"),
        (f"{POLY}-boot.log", "", "no token"),
        (f"{YEALINK}-boot.log", first(YEALINK), "the device is of another family"),
        ("64167fffffff-boot.log", WRONG, "unknown MAC"),
        (f"{POLY}.cfg", first(POLY), "nothing of that name is taken"),
        (f"x/{POLY}-boot.log", first(POLY), "no family has a file of that name"),
    ],
)
def test_whatever_else_is_sent_is_refused_alike(name, token, why):
    answer = Counter(OPEN_DOMAIN).ask(name, token, method="PUT")
    assert (answer.status, answer.body, answer.sent) == (405, b"405 Method Not Allowed\n", None)
    assert reason(answer) == why


@pytest.mark.parametrize(
    ("owner", "taken"), [("domain", True), ("site:Toronto", True), ("user:102", True), ("user:101", False)]
)
def test_uploads_are_off_until_a_layer_of_the_device_says_otherwise(owner, taken):
    answer = Counter(small_domain(settings={owner: {UPLOADS: True}})).ask(f"{POLY}-boot.log", first(POLY), method="PUT")
    assert (answer.sent is not None) is taken
    if not taken:
        assert reason(answer) == "provisioning.uploads is off"


def test_guesses_by_upload_are_guesses():
    desk = Counter(OPEN_DOMAIN)
    for number in range(desk.office.bans.limit):
        desk.ask(f"64167f{number:06x}-boot.log", WRONG, method="PUT")
    assert desk.ask("site.cfg").status == 404


# --- where they lie -----------------------------------------------------------------------------------------


class Sending:
    def __init__(self, folder) -> None:
        self.domain, self.events = OPEN_DOMAIN, list[Event]()
        self.folder = UploadFolder(folder)
        self.service = ProvisioningService(
            FAMILIES, lambda: self.domain, at=AT, ledger=Ledger(b"x"), publish=self.events.append,
            now=lambda: Counter().now, uploads=self.folder,
        )  # fmt: skip

    def seen(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def sending(tmp_path) -> Sending:
    return Sending(tmp_path / "uploads")


@pytest.fixture
async def base(sending):
    (host, port), _ = await sending.service.start("127.0.0.1", 0, 0)
    yield f"http://{host}:{port}/p/{first(POLY)}"
    await sending.service.close()


@pytest.mark.realtime
async def test_a_log_is_kept_and_told_and_the_next_one_takes_its_place(sending, base):
    async with aiohttp.ClientSession() as session:
        for body in (b"first", b"second and longer"):
            assert (await session.put(f"{base}/{POLY}-boot.log", data=body)).status == 201
        assert (await session.get(f"{base}/{POLY}-boot.log")).status == 404  # a log is for the operator
    (kept,) = sending.folder.of(POLY)
    assert (kept.name, kept.size) == (f"{POLY}-boot.log", 17)
    assert [(e.mac, e.device, e.file_kind, e.size) for e in sending.seen(ConfigUploaded)] == [
        (POLY, "102", "log", 5), (POLY, "102", "log", 17),
    ]  # fmt: skip


@pytest.mark.realtime
async def test_what_was_changed_at_the_phone_is_given_back_when_it_boots(sending, base):
    body = b"<PHONE_CONFIG><OVERRIDES ringer='3'/></PHONE_CONFIG>"
    async with aiohttp.ClientSession() as session:
        assert (await session.get(f"{base}/{POLY}-phone.cfg")).status == 404
        assert (await session.put(f"{base}/{POLY}-phone.cfg", data=body)).status == 201
        assert await (await session.get(f"{base}/{POLY}-phone.cfg")).read() == body
    answer = sending.service.answer(ConfigRequest("http", f"/p/{WRONG}/{POLY}-phone.cfg", "192.0.2.1:1"))
    assert answer.status == 404


@pytest.mark.realtime
async def test_an_upload_that_is_too_large_is_refused_announced_or_not(sending, base):
    async def endless():
        for _ in range(40):
            yield b"x" * (LARGEST // 32)

    async with aiohttp.ClientSession() as session:
        for body in (b"x" * (LARGEST + 1), endless()):
            assert (await session.put(f"{base}/{POLY}-app.log", data=body)).status == 413
        assert (await session.put(f"{base}/{POLY}-app.log", data=b"x" * LARGEST)).status == 201
    assert [kept.size for kept in sending.folder.of(POLY)] == [LARGEST]


@pytest.mark.realtime
async def test_a_disk_that_refuses_is_told_and_phones_are_served_on(sending, base, tmp_path):
    (tmp_path / "uploads").write_text("no folder at all")
    async with aiohttp.ClientSession() as session:
        assert (await session.put(f"{base}/{POLY}-boot.log", data=b"x")).status == 507
        assert (await session.get(f"{base}/site.cfg")).status == 200
    (fault,) = sending.seen(ServerFault)
    assert fault.message.startswith(f"the log of {POLY} is not kept: ")


def test_an_upload_that_breaks_off_leaves_the_one_before(tmp_path, monkeypatch):
    folder, sent = UploadFolder(tmp_path), Sent(POLY, f"{POLY}-boot.log", "log")
    folder.keep(sent, b"whole")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        folder.keep(sent, b"another")
    assert folder.read(POLY, f"{POLY}-boot.log") == b"whole"
    assert [path.name for path in (tmp_path / POLY).iterdir()] == [f"{POLY}-boot.log"]


async def test_without_a_folder_nothing_is_taken(sending):
    sending.service.uploads = None
    request = ConfigRequest("http", f"/p/{first(POLY)}/{POLY}-boot.log", "192.0.2.1:1", method="PUT")
    answer = await sending.service.keep(request, sending.service.answer(request), b"x")
    assert answer.status == 405


def test_the_switch_for_uploads_is_no_setting_that_a_family_forgot():
    desk = Counter(with_device(small_domain(), "102", settings={UPLOADS: True}))
    assert unused(desk.office, desk.directory, desk.directory.devices_by_id["102"], desk.now) == []
