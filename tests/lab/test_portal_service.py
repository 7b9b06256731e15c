"""The portal of a lab on real sockets: a mailed link becomes a password, and what was done is there after a restart."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp
import pytest

from lab.lab_settings import LabSettings
from lab.office import Office
from lab.seeds.load import load_seed
from pbx.events import MailSent

pytestmark = pytest.mark.realtime
WORD = "seven wet umbrellas"


def browser(office: Office, jar: aiohttp.CookieJar) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(office.console_url, cookie_jar=jar)


async def test_a_mailed_link_a_login_an_edit_and_all_of_it_after_a_restart(tmp_path: Path):
    jar, sent = aiohttp.CookieJar(unsafe=True), []
    settings = LabSettings(phones=False, data=tmp_path / "data", console_open=False, console_password="lab word")
    async with Office(load_seed(), settings) as office:
        office.lab.bus.subscribe(lambda stamped: sent.append(stamped.event), [MailSent])
        async with browser(office, aiohttp.CookieJar(unsafe=True)) as engineer:
            assert (await engineer.get("/d/acme.lab/users", allow_redirects=False)).status == 303
            assert (await engineer.post("/login", data={"login": "lab", "password": "wrong"})).status == 401
            assert (await engineer.post("/login", data={"login": "lab", "password": "lab word"})).status == 200
            assert (await engineer.post("/d/acme.lab/users/101/invite")).status == 200
        assert await office.lab.until(lambda: bool(sent), 20)
        letter = str(office.lab.outbox.letters()[0].letter.get_content())
        address = re.search(r"http://[^/]+(/link/\S+)", letter)[1]
        async with browser(office, jar) as ana:
            await ana.post(address, data={"password": WORD})
            await ana.post("/login", data={"login": "101@acme.lab", "password": WORD})
            page = await (await ana.get("/d/acme.lab/users/102")).text()
            form = {"tag": re.search(r'name="tag" value="([0-9a-f]+)"', page)[1], "first_name": "Benedict"}
            assert (await ana.post("/d/acme.lab/users/102", data=form)).status == 200
            asked = {"grant_type": "password", "username": "101@acme.lab", "password": WORD,
                     "client_id": "x", "client_secret": "x"}  # fmt: skip
            token = (await (await ana.post("/ns-api/v2/tokens", json=asked)).json())["access_token"]
            named = {"Authorization": f"Bearer {token}"}
            new = {"domain": "other.lab", "reseller": "Switchroom Telecom"}
            assert (await ana.post("/ns-api/v2/domains", json=new, headers=named)).status == 403
        before = office.lab.store
        office.lab.restart_switch()
        assert await office.lab.until(lambda: office.lab.alive and office.lab.store is not before, 20)
        assert next((one.actor, one.kind) for one in office.lab.store.audit()) == ("101@acme.lab", "profile")
        kept = office.lab.store.directory("acme.lab")
        assert kept is not None
        assert "Benedict" in kept.document
        async with browser(office, jar) as ana:
            assert (await ana.get("/d/acme.lab/numbers", allow_redirects=False)).status == 200
            assert (await ana.get("/d/other.lab/users")).status == 404
