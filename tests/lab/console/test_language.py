"""The console in two languages: one catalogue, nothing outside of it, chosen by the reader or by the browser."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest
from aiohttp.test_utils import make_mocked_request

from lab.console import app, clock_page, phone_page
from lab.console.language import LANGUAGES, language_of, saying, texts
from lab.console.views import RESULTS, STANDINGS, STATES, VERDICTS
from lab.phones.boot import PARTS
from lab.portal import nav, search
from lab.portal.sections import RULE_FIELDS, SECTIONS
from pbx.access import SCOPES
from tests.lab.portal.town import Town

TEMPLATES = Path(app.__file__).parent / "templates"
SOURCES = {path.name: path.read_text() for path in TEMPLATES.rglob("*.html")}
_TOKEN = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
_SAID = re.compile(r'_\(\s*"((?:[^"\\]|\\.)*)"')
_UNTRANSLATED = re.compile(r"<(code|kbd|svg)\b.*?</\1>", re.DOTALL)
OF_ALL_LANGUAGES = {"Switchroom", "KB", "s", "Ctrl", "Enter", "Esc", "K", "j", "k", "g", "h", "t", "e", "y", "n"}
"""Names, units and keys."""


def said() -> set[str]:
    """Every text the console says through the catalogue."""
    found = {text.replace('\\"', '"') for source in SOURCES.values() for text in _SAID.findall(source)}
    for looks in (STATES, VERDICTS, STANDINGS, RESULTS):
        found |= {look.word for look in looks.values()}
    found |= {title for (_, _, title, _), _ in nav.LAB} | {title for _, _, title, _ in nav.FAULTS}
    found |= {title for table in (nav._PORTAL, nav._TOOLS) for _, title, _, _ in table}
    for section in SECTIONS:
        found |= {section.title, section.one, section.empty, *section.columns}
        found |= {text for field in section.fields for text in (field.label, field.help)}
    found |= {field.label for field in RULE_FIELDS} | {words for pair in app._REFUSALS.values() for words in pair}
    found |= {*phone_page.WORDS.values(), *PARTS, *SCOPES, *STANDINGS} | {what for _, what in search._COMMANDS}
    found |= {name for name, _ in clock_page._STEPS}
    return found - {""}


def test_whatever_the_console_says_has_its_french_with_the_same_values():
    french = texts("fr")
    assert said() - french.keys() == set()
    names = lambda text: {name for _, name, _, _ in Formatter().parse(text) if name}  # noqa: E731 - asked twice
    assert [text for text, told in french.items() if names(text) != names(told)] == []
    assert [text for text, told in french.items() if not told.strip() or re.search(r" [:;!?]", told)] == []


@pytest.mark.parametrize("name", SOURCES)
def test_no_text_of_a_template_passes_the_catalogue_by(name):
    source = _UNTRANSLATED.sub("", _TOKEN.sub("", SOURCES[name]))
    visible = re.sub(r"<!?/?[a-z](?:[^<>\"]|\"[^\"]*\")*>", "\n", source)
    attributes = re.findall(r'\b(?:aria-label|placeholder|title)="([^"]*)"', source)
    words = {word for text in [visible, *attributes] for word in re.findall(r"[^\W\d_]+", text)}
    assert words - OF_ALL_LANGUAGES == set()


@pytest.mark.parametrize(
    ("accepted", "cookie", "language"),
    [
        ("", "", "en"), ("fr-CA,fr;q=0.9,en;q=0.8", "", "fr"), ("en;q=0.5,fr;q=0.4", "", "en"),
        ("de, fr;q=0.1", "", "fr"),
        ("fr;q=0", "", "en"), ("fr;q=x,en", "", "en"), ("*", "", "en"), ("en", "fr", "fr"), ("fr", "en", "en"),
        ("fr", "kl", "fr"), ("fr" * 30_000, "", "en"),
    ],
)  # fmt: skip
def test_the_language_is_the_one_chosen_else_the_one_preferred(accepted, cookie, language):
    headers = {"Accept-Language": accepted} | ({"Cookie": f"language={cookie}"} if cookie else {})
    assert language_of(make_mocked_request("GET", "/floor", headers=headers)) == language


async def test_a_choice_is_kept_and_a_live_card_comes_in_the_readers_language(aiohttp_client):
    town = Town()
    page = await aiohttp_client(town.app)
    answer = await page.post("/language", data={"language": "fr", "back": "/floor"}, allow_redirects=False)
    assert (answer.status, answer.cookies["language"].value) == (303, "fr")
    text = await (await page.get("/floor", cookies={"language": "fr"})).text()
    assert ('<html lang="fr-CA"' in text, "Plancher du labo" in text) == (True, True)
    foreign = await page.post("/language", data={"language": "kl"}, allow_redirects=False)
    assert foreign.cookies["language"].value == "en"
    for language, word in (("fr", "Au repos"), ("en", "Idle")):
        page.session.cookie_jar.clear()
        stream = await page.get("/stream?regions=phone-", cookies={"language": language})
        town.console.phone_changed(town.office.cards["101"])
        async for line in stream.content:
            if b'"region": "phone-101"' in line:
                assert word in line.decode("unicode-escape", "replace") or word.encode() in line
                break
        stream.close()


def test_a_text_nobody_has_translated_is_said_as_it_is():
    assert [saying(language)("{n} zebras", n=3) for language in LANGUAGES] == ["3 zebras", "3 zebras"]
