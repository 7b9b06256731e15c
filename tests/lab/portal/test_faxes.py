"""The page of faxes: what each role sees of them, and their pages as files."""

from __future__ import annotations

import pytest

from lab.faxes.paper import digests, sample
from pbx.domain.history import Fax
from tests.lab.portal.town import PERSONS, Town

RECEIVED = Fax(
    "fax-1",
    "office",
    "in",
    "received",
    "14165550142",
    1_800_000_000.0,
    "paper",
    2,
    2,
    station="+1 <b>416</b>",
    over="T.38",
)
FAILED = Fax(
    "fax-2", "office", "out", "failed", "14165550144", 1_800_000_100.0, "lost", 3, 1, problem="busy <script>", tries=3
)


@pytest.fixture
def town() -> Town:
    made = Town(lab=False)
    made.faxed = [FAILED, RECEIVED]
    made.paper["paper"] = sample(2, 9).tiff
    return made


@pytest.fixture
async def ask(town, aiohttp_client):
    client = await aiohttp_client(town.app)

    async def get(path: str, extension: str = "101") -> tuple[int, bytes, str]:
        async with client.get(path, cookies=town.session(extension), allow_redirects=False) as answer:
            return answer.status, await answer.read(), answer.headers.get("Content-Disposition", "")

    return get


async def test_an_office_manager_sees_what_came_and_went_and_why_it_failed(ask):
    status, page, _ = await ask("/d/acme.lab/faxes")
    text = page.decode()
    assert status == 200
    assert text.index("14165550144") < text.index("14165550142"), "newest first"
    for told in ("Received", "T.38", "1 of 3", "busy &lt;script&gt;", "+1 &lt;b&gt;416", "/d/acme.lab/faxes/fax-1/pdf"):
        assert told in text


async def test_what_is_looked_for_is_found_by_its_words(ask):
    _, page, _ = await ask("/d/acme.lab/faxes?q=failed+14165550144")
    assert (b"14165550144" in page, b"14165550142" in page) == (True, False)
    _, page, _ = await ask("/d/acme.lab/faxes?q=nothing")
    assert b"No fax fits" in page


async def test_pages_are_downloaded_as_pdf_and_tiff(ask):
    status, octets, named = await ask("/d/acme.lab/faxes/fax-1/tiff")
    assert (status, digests(octets)) == (200, digests(sample(2, 9).tiff))
    assert named.startswith('attachment; filename="fax-office-')
    assert named.endswith('.tif"')
    status, octets, _ = await ask("/d/acme.lab/faxes/fax-1/pdf")
    assert (status, octets[:4]) == (200, b"%PDF")


@pytest.mark.parametrize("path", ["fax-2/pdf", "nobody/pdf", "fax-1/exe"])
async def test_pages_that_are_gone_and_faxes_that_are_not_there_are_no_page(ask, path):
    assert (await ask(f"/d/acme.lab/faxes/{path}"))[0] == 404


@pytest.mark.parametrize("role", sorted(PERSONS.keys() - {"Office Manager"}))
async def test_who_has_no_right_to_fax_accounts_sees_neither_list_nor_pages(ask, role):
    for path in ("", "/fax-1/pdf", "/fax-1/tiff"):
        status, page, _ = await ask(f"/d/acme.lab/faxes{path}", PERSONS[role])
        assert (status in (403, 404), b"14165550142" in page) == (True, False)


async def test_nobody_sees_those_of_another_domain(ask):
    assert (await ask("/d/other.lab/faxes"))[0] in (403, 404)
