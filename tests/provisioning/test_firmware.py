"""Firmware: who is told of which image, step by step and share by share; served whole, in parts, and by TFTP."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import aiohttp
import pytest

from lab.phones import tftp_client
from pbx.events import ConfigServed, Event, ServerFault
from provisioning_server.app import ProvisioningService
from provisioning_server.firmware import Image, is_in, next_step
from provisioning_server.firmware_folder import load_images
from provisioning_server.ledger import Ledger
from provisioning_server.respond import unused
from tests.provisioning.provisioned import (
    AT,
    FAMILIES,
    POLY,
    YEALINK,
    Counter,
    first,
    served,
    small_domain,
    with_device,
)

FAMILY = "yealink/t4x_t5x"
IMAGES = tuple(
    Image(FAMILY, version, Path(f"/x/{version}.rom"), models, needs)
    for version, models, needs in [
        ("66.84.0.15", ("T46S",), ""),
        ("66.86.0.15", ("T46S",), "66.84.0.0"),
        ("96.86.0.100", ("T54W",), ""),
    ]
)
AGENT = "Yealink SIP-T46S {} 80:5e:c0:00:01:01"


# --- which image --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("running", "target", "told"),
    [
        ("66.82.0.1", "66.86.0.15", "66.84.0.15"),  # the path goes by 84
        ("66.84.0.15", "66.86.0.15", "66.86.0.15"),
        ("66.86.0.15", "66.86.0.15", "66.86.0.15"),  # stays told what it has
        ("66.86.0.15", "66.84.0.15", "66.84.0.15"),  # back, as the operator says
        ("", "66.86.0.15", "66.84.0.15"),  # nothing known of it: what any can take
        ("66.82.0.1", "66.83", None),
    ],
)
def test_a_phone_is_told_of_the_newest_image_it_can_take(running, target, told):
    found = next_step(IMAGES, FAMILY, "T46S", running, target)
    assert (found.version if found else None) == told


def test_images_of_another_model_or_family_are_none():
    assert next_step(IMAGES, FAMILY, "T42S", "", "99") is None
    assert next_step(IMAGES, "yealink/cp", "T46S", "", "99") is None


def test_a_share_grows_and_nobody_who_is_in_goes_out():
    macs = [f"805ec0{n:06x}" for n in range(1000)]
    before: set[str] = set()
    for share in (0, 10, 50, 100):
        now = {mac for mac in macs if is_in(mac, "66.86.0.15", share)}
        assert before <= now
        assert abs(len(now) - share * 10) <= 50
        before = now


# --- what the phone is told -----------------------------------------------------------------------------------


def desk(**settings: object) -> Counter:
    it = Counter(with_device(small_domain(), "101", settings=settings))
    it.office.images = IMAGES
    return it


def told(it: Counter, running: str = "66.82.0.1") -> str:
    body = it.ask(f"{YEALINK}.cfg", first(YEALINK), agent=AGENT.format(running)).body.decode()
    found = re.search(r"static\.firmware\.url = (\S+)", body)
    return found[1] if found else ""


def test_the_next_step_follows_what_the_phone_runs():
    it = desk(**{"firmware.target": "66.86.0.15"})
    assert told(it) == "http://192.0.2.10:8080/p/fw/yealink/t4x_t5x/66.84.0.15/66.84.0.15.rom"
    assert told(it, "66.84.0.15").endswith("/66.86.0.15.rom")


def test_what_a_phone_said_over_http_still_holds_when_it_comes_by_tftp():
    it = desk(**{"firmware.target": "66.86.0.15", "provisioning.open": True})
    told(it, "66.84.0.15")
    body = it.ask(f"{YEALINK}.cfg", protocol="tftp").body
    assert b"/66.86.0.15.rom" in body


def test_without_a_target_or_outside_of_the_share_nothing_is_said():
    assert told(desk()) == ""
    assert told(desk(**{"firmware.target": "66.86.0.15", "firmware.share": 0})) == ""


def test_a_share_that_is_none_is_refused_by_its_name_and_layer():
    it = desk(**{"firmware.target": "66.86.0.15", "firmware.share": 400})
    answer = it.ask(f"{YEALINK}.cfg", first(YEALINK))
    assert answer.status == 404
    assert "firmware.share = 400 (device 101) is not a number from 0 to 100" in answer.why


def test_a_target_is_no_unused_setting_where_the_family_writes_an_image():
    it = desk(**{"firmware.target": "66.86.0.15"})
    assert unused(it.office, it.directory, it.directory.devices_by_id["101"], it.now) == []
    poly = with_device(small_domain(), "102", settings={"firmware.target": "6.4"})
    assert unused(it.office, poly, poly.devices_by_id["102"], it.now) == ["firmware.target"]


# --- the folder -----------------------------------------------------------------------------------------------


def folder_with(tmp_path: Path, text: str) -> Path:
    (tmp_path / "firmware.yaml").write_text(text)
    (tmp_path / "t46s.rom").write_bytes(bytes(range(256)) * 400)
    return tmp_path


SOUND = "- {family: yealink/t4x_t5x, version: 66.86.0.15, file: t46s.rom, models: [T46S]}\n"


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("- {family: yealink/t4x_t5x, version: 66.86.0.15, file: gone.rom}", "entry 2: file: "),
        ("- {family: yealink/t9, version: 66.86.0.15, file: t46s.rom}", "entry 2: family: there is no 'yealink/t9'"),
        ("- {family: yealink/t4x_t5x, version: ../x, file: t46s.rom}", "entry 2: version: String should match"),
        ("- {family: yealink/t4x_t5x, version: 1, file: ../../etc/passwd}", "entry 2: "),
        ("- {family: yealink/t4x_t5x, version: '1', file: t46s.rom, modles: []}", "entry 2: modles: Extra inputs"),
        ("- rubbish", "entry 2: : Input should be"),
    ],
)
def test_an_image_that_is_none_is_told_and_the_others_are_used(tmp_path, entry, why):
    images, wrong = load_images(folder_with(tmp_path, SOUND + entry + "\n"), frozenset(FAMILIES.by_id))
    assert [image.version for image in images] == ["66.86.0.15"]
    assert len(wrong) == 1
    assert wrong[0].startswith(f"{tmp_path}/firmware.yaml: {why}")


@pytest.mark.parametrize("text", ["a: b", "[", "\x00"])
def test_a_list_that_is_none_is_told_and_there_are_no_images(tmp_path, text):
    images, wrong = load_images(folder_with(tmp_path, text), frozenset(FAMILIES.by_id))
    assert (images, len(wrong)) == ((), 1)


def test_no_list_is_no_fault(tmp_path):
    assert load_images(tmp_path, frozenset(FAMILIES.by_id)) == ((), ())


# --- how it is served -------------------------------------------------------------------------------------------


class Serving:
    def __init__(self, folder: Path) -> None:
        self.domain, self.events = small_domain(), list[Event]()
        self.service = ProvisioningService(
            FAMILIES, lambda: self.domain, at=AT, ledger=Ledger(b"x"), publish=self.events.append,
            now=lambda: Counter().now,
        )  # fmt: skip
        self.service.office.images, _ = load_images(folder_with(folder, SOUND), frozenset(FAMILIES.by_id))
        self.image = folder / "t46s.rom"


@pytest.fixture
async def serving(tmp_path):
    made = Serving(tmp_path)
    made.http, made.tftp = await made.service.start("127.0.0.1", 0, 0)
    made.url = f"http://127.0.0.1:{made.http[1]}/p/fw/yealink/t4x_t5x/66.86.0.15/t46s.rom"
    yield made
    await made.service.close()


@pytest.mark.realtime
async def test_a_download_that_broke_off_goes_on_where_it_was(serving):
    whole = serving.image.read_bytes()
    async with aiohttp.ClientSession() as session:
        got = await session.get(serving.url)
        assert (got.status, await got.read()) == (200, whole)
        rest = await session.get(serving.url, headers={"Range": "bytes=100000-", "If-Range": got.headers["ETag"]})
        assert (rest.status, await rest.read()) == (206, whole[100_000:])
        assert rest.headers["Content-Range"] == f"bytes 100000-{len(whole) - 1}/{len(whole)}"
        other = await session.get(serving.url, headers={"Range": "bytes=100000-", "If-Range": '"another"'})
        assert (other.status, len(await other.read())) == (200, len(whole))
        assert (await session.get(serving.url, headers={"Range": "bytes=999999-"})).status == 416
        head = await session.head(serving.url)
        assert (head.status, head.headers["Content-Length"]) == (200, str(len(whole)))
        same = await session.get(serving.url, headers={"If-None-Match": got.headers["ETag"]})
        assert same.status == 304
    events = [event for event in serving.events if isinstance(event, ConfigServed)]
    assert {(event.file, event.file_kind) for event in events} == {("t46s.rom", "firmware")}


@pytest.mark.realtime
async def test_the_same_image_comes_by_tftp(serving):
    async with asyncio.timeout(20):
        got = await tftp_client.read(
            "127.0.0.1", serving.tftp[1], "fw/yealink/t4x_t5x/66.86.0.15/t46s.rom", source="127.0.0.1"
        )
    assert (got.status, got.body) == (200, serving.image.read_bytes())


@pytest.mark.realtime
async def test_an_image_that_has_vanished_is_told_and_the_rest_is_served(serving):
    serving.image.unlink()
    async with aiohttp.ClientSession() as session:
        gone = await session.get(serving.url)
        assert (gone.status, await gone.read()) == (404, b"404 Not Found\n")
        base = f"http://127.0.0.1:{serving.http[1]}/p"
        assert (await session.get(f"{base}/{first(POLY)}/{POLY}-settings.cfg")).status == 200
    (fault,) = [event for event in serving.events if isinstance(event, ServerFault)]
    assert "t46s.rom has vanished" in fault.message


def test_nothing_beside_the_images_is_served(tmp_path):
    it = desk()
    for name in ("fw/../firmware.yaml", "fw/yealink/t4x_t5x/66.86.0.15/../../x", "fw/", "fw/firmware.yaml"):
        assert it.ask(name).status == 404
    assert served(it.ask("fw/yealink/t4x_t5x/66.84.0.15/66.84.0.15.rom")).family == FAMILY
