"""The documents' story in a running switchroom, forms to live: over the API alone, and by hand in chromium.

Phones, switch, provisioning and test plan are real; the weeks between are set on the office's clock.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from playwright.async_api import Page, expect

from lab.lab_settings import LabSettings
from lab.office import Office
from lab.onboarding.case import Step
from lab.onboarding.packet import final_order
from lab.onboarding.reading import NORTHSIDE, read_packet
from lab.seeds.load import load_seed
from tests.conftest import need
from tests.lab.console.chromium import chromium, opened, unfit_for_everybody
from tests.lab.onboarding.story import ADMIN, BILLING, IT, PACKET

pytestmark = [pytest.mark.soak, pytest.mark.no_cover]
TORONTO = ZoneInfo(PACKET.time_zone)
AT, DOMAIN, NS = "/api/v1/onboarding", "northside.lab", "/ns-api/v2/domains/northside.lab"
BOXES = {"805ec0a10201": ("T54W", "201"), "805ec0a10202": ("T54W", "202"), "64167fa20203": ("VVX450", "203")}
SHEET = """\
extension,first name,last name,email,site,telephone
205,Tove,Berg,tove@northside.example,Laval,softphone
911,Never,Ever,,,
"""
NUMBERS_LIVE = "{plan: 1, id: live, title: Numbers live, include: {office: {}}, cases: [{of: office/D01}]}"
"""Somebody outside calls a number that was ported: its user's telephone rings."""
LETTERS = [
    "welcome, and what we need", "onboarding complete", "10DLC brand registered", "10DLC campaign submitted",
    "welcome", "hardware shipped", "training session", "test week over", "port submitted", "port rejected",
    "port date confirmed (FOC)", "users created is not ready for the port", "numbers are here", "you are live",
]  # fmt: skip


class Hands(Protocol):
    """Who does what a customer, a partner and the provider do."""

    async def begin(self, packet: str) -> None: ...

    async def take(self, step: Step, by: str = "", about: str = "", note: str = "") -> None: ...

    async def refused(self, step: Step, by: str = "") -> str:
        """Take a step that has to wait; return what is told."""
        ...

    async def hand_in_users(self, sheet: Path) -> str: ...

    async def put_into_service(self) -> None: ...

    async def audit(self) -> str:
        """What the page or the answer shows of the lines that are not good, with the address of the fix."""
        ...


class ByApi:
    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def begin(self, packet: str) -> None:
        answer = await self._http.post(AT, data=packet)
        assert answer.status == 201, await answer.text()

    async def take(self, step: Step, by: str = "", about: str = "", note: str = "") -> None:
        answer = await self._step(step, by, about, note)
        assert answer.status == 200, f"{step}: {await answer.text()}"

    async def refused(self, step: Step, by: str = "") -> str:
        answer = await self._step(step, by, "", "")
        assert answer.status == 409
        return str((await answer.json())["error"]["why"])

    async def hand_in_users(self, sheet: Path) -> str:
        told = await (await self._http.post(f"{AT}/{DOMAIN}/users", data=SHEET)).json()
        return f"{told['added']} added {told['problems']}"

    async def put_into_service(self) -> None:
        answer = await self._http.post(f"/api/v1/exchanges/{DOMAIN}")
        assert answer.status == 201, await answer.text()

    async def audit(self) -> str:
        told = await (await self._http.get(f"{AT}/{DOMAIN}")).json()
        return f"{told['ready']} of {len(told['audit'])} {[line for line in told['audit'] if not line['good']]}"

    async def _step(self, step: Step, by: str, about: str, note: str) -> aiohttp.ClientResponse:
        body = {"step": step, "about": about, "note": note} | ({"by": by} if by else {})
        return await self._http.post(f"{AT}/{DOMAIN}/steps", json=body)


class ByHand:
    """In a browser, with the pages of the console alone."""

    def __init__(self, page: Page, url: str) -> None:
        self._page, self._url = page, url

    async def begin(self, packet: str) -> None:
        await self._page.goto(f"{self._url}/onboard")
        await self._page.get_by_label("Forms, as YAML").fill(packet)
        await self._page.get_by_role("button", name="Begin").click()
        await expect(self._page).to_have_url(f"{self._url}/onboard/{DOMAIN}")

    async def take(self, step: Step, by: str = "", about: str = "", note: str = "") -> None:
        await self._step(step, by, about, note)
        await expect(self._page.locator("section", has_text="What has happened").locator("li").first).to_contain_text(
            step
        )

    async def refused(self, step: Step, by: str = "") -> str:
        await self._step(step, by, "", "")
        await expect(self._page.get_by_role("heading", level=1)).to_contain_text("has to wait")
        return await self._page.locator("main").inner_text()

    async def hand_in_users(self, sheet: Path) -> str:
        await self._page.goto(f"{self._url}/onboard/{DOMAIN}")
        await self._page.get_by_label("Filled in").set_input_files(sheet)
        await self._page.get_by_role("button", name="Look at it").click()
        await expect(self._page.locator("#outcome")).to_contain_text("Would come of it")
        assert await unfit_for_everybody(self._page) == []
        await self._page.get_by_role("button", name="Apply the good rows").click()
        await expect(self._page.locator("#outcome")).to_contain_text("Done")
        return await self._page.locator("main").inner_text()

    async def put_into_service(self) -> None:
        await self._page.goto(f"{self._url}/onboard/{DOMAIN}")
        await self._page.get_by_role("button", name="Put into service").click()
        await expect(self._page.get_by_text("Served:")).to_be_visible(timeout=60_000)

    async def audit(self) -> str:
        await self._page.goto(f"{self._url}/onboard/{DOMAIN}")
        assert await unfit_for_everybody(self._page) == []
        section = self._page.locator("section", has_text="FOC audit")
        fixes = [await one.get_attribute("href") for one in await section.get_by_role("link").all()]
        return f"{await section.inner_text()} {fixes}"

    async def _step(self, step: Step, by: str, about: str, note: str) -> None:
        await self._page.goto(f"{self._url}/onboard/{DOMAIN}")
        form = self._page.locator("section", has=self._page.get_by_role("heading", name="Take a step"))
        await form.get_by_label("Step").select_option(step)
        for label, text in (("About", about), ("By", by), ("Note", note)):
            await form.get_by_label(label, exact=True).fill(text)
        await form.get_by_role("button", name="Take it").click()


@asynccontextmanager
async def house(tmp_path: Path) -> AsyncIterator[tuple[Office, aiohttp.ClientSession]]:
    async with (
        Office(load_seed(), LabSettings(data=tmp_path / "data")) as office,
        aiohttp.ClientSession(office.console_url) as http,
    ):
        yield office, http


async def test_over_the_api_alone(tmp_path):
    async with house(tmp_path) as (office, http):
        await the_story(ByApi(http), office, http, tmp_path)


@pytest.mark.browser
async def test_in_chromium(tmp_path):
    async with AsyncExitStack() as stack:
        office, http = await stack.enter_async_context(house(tmp_path))
        browser = await stack.enter_async_context(chromium(need("chromium")))
        # A step that has to wait is a 409, which the browser itself tells as an error.
        page = await stack.enter_async_context(opened(browser, f"{office.console_url}/onboard", faults_allowed=True))
        await the_story(ByHand(page, office.console_url), office, http, tmp_path)


async def the_story(hands: Hands, office: Office, http: aiohttp.ClientSession, folder: Path) -> None:
    lab, desk = office.lab, office.onboarding.desk
    today = datetime.now(UTC).date()  # noqa: TID251 - as a person
    packet = NORTHSIDE.read_text().replace("bill_dated: 2026-10-20", f"bill_dated: {today}")
    (sheet := folder / "users.csv").write_text(SHEET)

    def hour() -> datetime:
        return lab.hours.now().wall.astimezone(TORONTO)

    async def at(moment: datetime) -> None:
        """Set the office's hour; the desk looks at its clocks each minute, and here at once."""
        await well(http.post("/api/v1/clock", json={"do": "jump", "at": f"{moment:%Y-%m-%dT%H:%M:%S}"}))
        desk.tick()

    async def after(**span: float) -> None:
        await at(hour() + timedelta(**span))

    async def mail() -> list[dict[str, object]]:
        await lab.until(lambda: not lab.store.notices(), 30)
        return list((await (await http.get("/api/v1/outbox")).json())["letters"])

    # Forms, order, domain.
    await hands.begin(packet)
    assert "1 added" in (told := await hands.hand_in_users(sheet))
    assert "911 is reserved" in told
    await hands.take("forms returned", by=ADMIN)
    await after(hours=1)
    assert "first comes: welcome sent" in await hands.refused("configured")
    users = await ns(office, http, "GET", "/users")
    assert {user["user"] for user in users if not user["service-code"]} == {"201", "202", "203", "204", "205"}
    assert {one["phonenumber"] for one in await ns(office, http, "GET", "/phonenumbers")} >= {
        "14165550160",
        "14165550180",
    }
    assert (
        len(await ns(office, http, "GET", "/autoattendants")) == len(await ns(office, http, "GET", "/callqueues")) == 1
    )
    assert [(one["number"], one["dest"]) for one in await ns(office, http, "GET", "/smsnumbers")] == [
        ("14165550160", "201")
    ]
    await hands.take("flow approved", by=ADMIN)
    await hands.take("brand registered")
    await hands.take("campaign submitted")
    await after(hours=2)
    assert (await (await http.get(f"{AT}/{DOMAIN}")).json())["partner_may_log_in"]

    # Hardware is shipped, assigned, plugged in: every phone shows its extension.
    await hands.put_into_service()
    beside = office.exchanges.offices()[DOMAIN]
    async with aiohttp.ClientSession(beside.console_url) as there:
        boxes = [{"mac": mac, "model": model} for mac, (model, _) in BOXES.items()]
        await well(there.post(f"/api/v1/orders/ONB-{DOMAIN}/shipments", json={"number": "T-1", "boxes": boxes}))
        await hands.take("hardware shipped", about="T-1")
        await well(there.post("/api/v1/shipments/T-1/arrived", json={}))
        for mac, (_, extension) in BOXES.items():
            await well(there.post(f"/api/v1/devices/{mac}/assign", json={"extension": extension}))
        await well(there.post("/api/v1/phones"))
        assert await beside.lab.until(lambda: len(beside.lab.switch.registered()) == 5, 60)
        await hands.take("hardware received", by=ADMIN)
        await hands.take("configured")

        # Training, network, the test week and its plan.
        booked = f"{hour() + timedelta(days=1):%Y-%m-%d %H:%M}"
        await hands.take("training booked", about=booked)
        assert "has not been held" in await hands.refused("test begun")
        await after(days=1, minutes=1)
        await hands.take("training held")
        assert f"{BILLING} is no it or admin contact" in await hands.refused("network assessed", by=BILLING)
        await hands.take("network assessed", by=IT)
        await hands.take("test begun")
        plan = await (await http.get(f"{AT}/{DOMAIN}/plan")).text()
        await passed(there, plan)
        assert beside.plan_is_good()
        assert "this is day 1 of 7" in await hands.refused("test passed")
        assert "first comes: test passed" in await hands.refused("port requested")
        await after(days=7)
        await hands.take("test passed", by=ADMIN)

        # The port, rejected once; on its day one line is not in order.
        await hands.take("port requested")
        await hands.take("port rejected", note="the account number is another")
        await hands.take("port resubmitted")
        day = (hour() + timedelta(days=7)).date()
        await hands.take("foc received", about=str(day))
        await ns(office, http, "PUT", "/users/202", {"email-address": "", "synchronous": "yes"})
        await at(datetime.combine(day, time(9)))
        assert "9 of 10" in (audit := await hands.audit())
        assert f"/d/{DOMAIN}/users/202" in audit
        assert "users created" in await hands.refused("numbers moved")
        await ns(office, http, "PUT", "/users/202", {"email-address": "q@northside.example", "synchronous": "yes"})
        assert "10 of 10" in await hands.audit()
        await hands.take("numbers moved", by="Example Telecom")
        await hands.take("live")
        numbers = {one["phonenumber"] for one in await ns(office, http, "GET", "/phonenumbers")}
        assert "14165550180" not in numbers, "the lent one is given back"
        assert beside.lab.switch.directory.domain.caller_id == PACKET.main_number, "the switch shows the own one"
        await passed(there, NUMBERS_LIVE)

    stages = by_letter(await mail())
    assert [subject for subject, _ in stages] == LETTERS
    partner = PACKET.partner
    assert partner is not None
    for (subject, _), readers in stages.items():
        assert readers == ({partner.email} if "not ready" in subject else {partner.email, ADMIN}), subject
    assert any(f"fix: {office.console_url}/d/{DOMAIN}/users/202" in text for _, text in stages)
    order = next(text for _, text in stages if "Final order:" in text)
    assert all(f"{name}: {value}".rstrip() in order for name, value in final_order(read_packet(packet)).items())

    await after(days=31)
    statements = [readers for (subject, _), readers in by_letter(await mail()).items() if "statement of" in subject]
    assert statements == [{BILLING}], "one for the account, to the billing contact"


async def well(asked: object) -> aiohttp.ClientResponse:
    answer = await asked  # type: ignore[misc]
    assert answer.status < 300, await answer.text()
    return answer


async def passed(there: aiohttp.ClientSession, plan: str) -> None:
    """Run a plan where the domain is served; every case passes."""
    begun = await well(there.post("/api/v1/runs", params={"name": "plan.yaml"}, data=plan))
    run, state, shown = (await begun.json())["run"], {"done": False, "lines": []}, 0
    while not state["done"]:
        state = await (await there.get(f"/api/v1/runs/{run}", params={"after": str(shown)})).json()
        shown = len(state["lines"])
    lines = [line for line in state["lines"] if not line.startswith("✓")]
    assert state["exit_code"] == 0, lines


async def ns(
    office: Office, http: aiohttp.ClientSession, method: str, path: str, body: dict[str, str] | None = None
) -> list[dict[str, str]]:
    headers = {"Authorization": f"Bearer {office.ns.key}"}
    answer = await well(http.request(method, f"{NS}{path}", headers=headers, json=body))
    return list(await answer.json())


def by_letter(letters: list[dict[str, object]]) -> dict[tuple[str, str], set[str]]:
    """(subject without the company, text) → who got it, in the order they went out."""
    found: dict[tuple[str, str], set[str]] = {}
    for one in sorted(letters, key=lambda one: int(str(one["number"]))):
        company, _, subject = str(one["subject"]).partition(": ")
        if company == PACKET.company:
            found.setdefault((subject, str(one["text"])), set()).update(map(str, one["to"]))  # type: ignore[call-overload]
    return found
