"""`/api/v1/prompts` over a lab on real sockets: upload, speech, listing, sound, deleting, refusals."""

from __future__ import annotations

import aiohttp
import pytest
import pytest_asyncio

from lab.lab_settings import LabSettings
from lab.office import Office
from lab.prompts.speech import engine
from lab.seeds.load import load_seed
from pbx.media.wav import read_wav
from tests.lab.test_prompt_sounds import tone

pytestmark = [pytest.mark.realtime, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office():
    async with Office(load_seed(), LabSettings(phones=False)) as made:
        yield made


async def ask(office, method, path="", **sent):
    url = f"{office.console_url}/api/v1/prompts{path}"
    async with aiohttp.ClientSession() as session, session.request(method, url, **sent) as answer:
        return answer.status, (await answer.json()) if "json" in answer.content_type else await answer.read()


async def test_a_file_is_kept_listed_heard_and_deleted(office, tmp_path):
    status, kept = await ask(office, "PUT", "/welcome", data=tone(rate=44_100, kind="MP3"))
    assert (status, kept["name"], kept["origin"]) == (201, "welcome", "upload")
    assert kept["seconds"] == pytest.approx(1.0, abs=0.1)
    _, told = await ask(office, "GET")
    assert told["prompts"] == [kept]
    assert {"name": "goodbye", "text": "Goodbye."} in told["shipped"]
    status, octets = await ask(office, "GET", "/welcome/sound")
    (tmp_path / "heard.wav").write_bytes(octets)
    assert len(read_wav(tmp_path / "heard.wav")) == round(kept["seconds"] * 8000)
    (office.lab.recordings / f"{kept['recording']}.wav").unlink()
    assert (await ask(office, "GET", "/welcome/sound"))[0] == 410
    assert (await ask(office, "DELETE", "/welcome"))[0] == 204
    assert (await ask(office, "DELETE", "/welcome"))[0] == 404
    assert (await ask(office, "GET", "/welcome/sound"))[0] == 404


async def test_a_mailbox_gets_a_greeting(office):
    assert (await ask(office, "PUT", "/1?owner=101", data=tone()))[0] == 201
    assert list(office.lab.history.prompts("101")) == ["1"]
    _, told = await ask(office, "GET", "?owner=101")
    assert [one["owner"] for one in told["prompts"]] == ["101"]


async def test_text_is_spoken_where_something_can_speak(office):
    status, kept = await ask(office, "PUT", "/hours", json={"text": "We are open."})
    if engine():
        assert (status, kept["origin"], kept["text"]) == (201, "speech", "We are open.")
    else:
        assert (status, "install" in kept["error"]["why"]) == (503, True)


@pytest.mark.parametrize(
    ("path", "sent", "status", "why"),
    [
        ("/welcome", {"data": b"no sound"}, 400, "none of WAV"),
        ("/welcome", {"json": {"txt": "?"}}, 400, "no text"),
        ("/welcome", {"data": b"{", "headers": {"Content-Type": "application/json"}}, 400, "no text"),
        ("/Wel%20come", {"data": b""}, 400, "a name is of"),
        ("/..%2Fescape", {"data": b""}, 400, "a name is of"),
        ("/10?owner=101", {"data": b""}, 400, "1 to 9"),
        ("/1?owner=112", {"data": b""}, 404, "has none"),
        ("/1?owner=999", {"data": b""}, 404, "has none"),
    ],
)
async def test_what_is_refused_says_why(office, path, sent, status, why):
    got, told = await ask(office, "PUT", path, **sent)
    assert got == status
    assert why in told["error"]["why"]


async def test_nobody_is_rung_who_is_not_registered(office):
    for body in ({"json": {"extension": "101"}}, {"json": {}}, {"data": b"["}):
        assert (await ask(office, "POST", "/welcome/call", **body))[0] == 409
