"""Every address of the console's port × every role: 200, 403 or 404, over the whole router and every object."""

import re
from itertools import chain

import pytest
from aiohttp import web

from lab.lab_settings import LabSettings
from lab.office import Office
from lab.portal.rights import PUBLIC, RIGHTS
from lab.portal.sections import SECTIONS
from lab.seeds.load import load_seed
from tests.lab.portal.town import PERSONS, Town

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time

ROLES = tuple(PERSONS)

# What each address lets in, written down once more: Office Manager, Call Center Supervisor, Site Manager, Call Center
# Agent, Basic User. y: the page is there (for what it shows see below), - is 403.
ADDRESSES = """
GET  /                                    y y y y y
GET  /stream                              y y y y y
GET  /account                             y y y y y
POST /account/password                    y y y y y
POST /account/sign-out-everywhere         y y y y y
POST /view-as                             y y y y y
POST /view-as/stop                        y y y y y
GET  /floor                               y y y y y
GET  /calls                               y y y y y
GET  /calls/{call}                        y y y y y
GET  /devices                             y - y - -
GET  /devices/{mac}                       y - y - -
GET  /runs                                y - y - -
GET  /runs/{run}                          y - y - -
GET  /runs/{run}/report                   y - y - -
GET  /runs/{run}/evidence/{case}/{name}   y - - - -
GET  /phones/{device}                     y y y y y
POST /phones/{device}                     y y y y y
GET  /api/v1/phones/{device}/handset      y y y y y
POST /api/v1/phones/{device}/press        y y y y y
GET  /search                              y y y y y
GET  /outbox                              y y y y y
GET  /outbox/{number}                     y y y y y
GET  /outbox/{number}/{place}             y y y y y
POST /outbox                              - - - - -
GET  /clock                               - - - - -
POST /clock                               - - - - -
GET  /faults                              - - - - -
POST /faults                              - - - - -
GET  /onboard                             y - - - -
POST /onboard                             - - - - -
GET  /onboard/{domain}                    y - - - -
POST /onboard/{domain}/steps              y - - - -
POST /onboard/{domain}/forms              y - - - -
POST /onboard/{domain}/users              y - - - -
POST /onboard/{domain}/users/undo         y - - - -
GET  /api/v1/onboarding                   y - - - -
POST /api/v1/onboarding                   - - - - -
GET  /api/v1/onboarding/{domain}          y - - - -
PUT  /api/v1/onboarding/{domain}          y - - - -
POST /api/v1/onboarding/{domain}/steps    y - - - -
GET  /api/v1/onboarding/{domain}/flow     y - - - -
GET  /api/v1/onboarding/{domain}/plan     y - - - -
GET  /api/v1/onboarding/{domain}/users.csv y - - - -
GET  /api/v1/onboarding/{domain}/users.xlsx y - - - -
POST /api/v1/onboarding/{domain}/users    y - - - -
POST /api/v1/onboarding/{domain}/users/undo y - - - -
POST /guide/me                            y - y - -
POST /guide/{number}                      y - y - -
GET  /d/{domain}/users                    y - y - -
POST /d/{domain}/users                    y - - - -
POST /d/{domain}/site-assignment          y - - - -
GET  /d/{domain}/users/{key}              y y y y y
POST /d/{domain}/users/{key}              y y y y y
GET  /d/{domain}/users/{key}/rules        y y y y y
POST /d/{domain}/users/{key}/rules        y y y y y
POST /d/{domain}/users/{key}/invite       y - - - -
POST /d/{domain}/users/{key}/delete       y - - - -
GET  /d/{domain}/sites                    y - y - -
POST /d/{domain}/sites                    - - - - -
POST /d/{domain}/sites-feature            - - - - -
GET  /d/{domain}/sites/{key}              y - y - -
POST /d/{domain}/sites/{key}              y - - - -
GET  /d/{domain}/timeframes               y y y y y
GET  /d/{domain}/timeframes/{key}         y y y y y
POST /d/{domain}/timeframes/{key}         y y y y y
GET  /d/{domain}/attendants               y - y - -
GET  /d/{domain}/attendants/{key}         y - y - -
POST /d/{domain}/attendants/{key}         y - y - -
GET  /d/{domain}/queues                   y y y - -
GET  /d/{domain}/queues/{key}             y y y - -
POST /d/{domain}/queues/{key}             y y y - -
GET  /d/{domain}/conferences              y y y y y
GET  /d/{domain}/conferences/{key}        y y y y y
POST /d/{domain}/conferences/{key}        y y y y y
GET  /d/{domain}/numbers                  y - - - -
GET  /d/{domain}/numbers/{key}            y - - - -
POST /d/{domain}/numbers/{key}            y - - - -
GET  /d/{domain}/faxes                    y - - - -
GET  /d/{domain}/faxes/{id}/{kind}        y - - - -
GET  /d/{domain}/map                      y y y y y
GET  /d/{domain}/what-if                  y y y y y
GET  /d/{domain}/history                  y y y y y
GET  /d/{domain}/audit                    y - - - -
GET  /d/{domain}/roles                    y y y y y
GET  /d/{domain}/why-may-i                y y y y y
"""
"""An address that is not here is the lab's own, and 403 for all five."""
TABLE = {
    (method, path): dict(zip(ROLES, cells, strict=True))
    for method, path, *cells in (line.split() for line in ADDRESSES.strip().splitlines())
}


def every_address() -> list[tuple[str, str]]:
    """Every method and path of the real console's port."""
    app = Office(load_seed(), LabSettings()).console.app
    return sorted({(route.method, route.resource.canonical) for route in app.router.routes() if route.method != "HEAD"})


ALL = every_address()


def test_every_right_belongs_to_an_address_and_is_written_down_here():
    assert TABLE.keys() == RIGHTS.keys(), "each right has a line in ADDRESSES, and each line a right"
    assert TABLE.keys() <= set(ALL)


class Doors:
    """The real addresses, each with a handler that says it was reached, behind the real gate of a town."""

    def __init__(self, town: Town) -> None:
        known = {(route.method, route.resource.canonical) for route in town.app.router.routes()}
        for method, path in ALL:
            if (method, path) not in known and not path.startswith(("/static", "/htmx", "/ns-api")):
                town.app.router.add_route(method, path, self._reached)

    @staticmethod
    async def _reached(request: web.Request) -> web.Response:
        return web.Response(text="reached")


def filled(path: str, domain: str = "acme.lab", key: str = "none") -> str:
    return re.sub(r"\{[^}]*\}", key, path.replace("{domain}", domain).replace("{kind}", "pdf"))


async def test_every_address_lets_in_whom_the_table_names(aiohttp_client):
    town = Town()
    Doors(town)
    client = await aiohttp_client(town.app)
    wrong = []
    for role, extension in PERSONS.items():
        cookies = town.session(extension)
        for method, path in ALL:
            if path in PUBLIC or path.startswith(("/static", "/htmx", "/ns-api")) or path == "/stream":
                continue
            answer = await client.request(method, filled(path), cookies=cookies, allow_redirects=False)
            let_in = TABLE.get((method, path), {}).get(role, "-") == "y"
            if (answer.status == 403) is let_in:
                wrong.append((role, method, path, answer.status))
            answer.release()
            if path == "/account/sign-out-everywhere":
                cookies = town.session(extension)
    assert wrong == []


async def test_a_stranger_is_let_in_nowhere_and_the_lab_engineer_at_the_labs_own_too(aiohttp_client):
    strict, lab = Town(lab=False), Town()
    Doors(strict)
    Doors(lab)
    stranger, engineer = await aiohttp_client(strict.app), await aiohttp_client(lab.app)
    for method, path in ALL:
        if path in PUBLIC or path.startswith(("/static", "/htmx", "/ns-api")):
            continue
        answer = await stranger.request(method, filled(path), allow_redirects=False)
        page = method == "GET" and not path.startswith(("/api/", "/stream", "/metrics"))
        assert (answer.status, answer.headers.get("Location", "")[:12]) == (
            (303, "/login?back=") if page else (401, "")
        ), path
        if (method, path) not in TABLE:
            assert (await engineer.request(method, filled(path), allow_redirects=False)).status != 403, path


async def test_another_domain_is_as_unknown_as_one_there_is_not(aiohttp_client):
    town = Town()
    client = await aiohttp_client(town.app)
    items = {section.path: [getattr(item, section.key) for item in section.all(town.acme)] for section in SECTIONS}
    for extension in PERSONS.values():
        cookies = town.session(extension)
        for method, path in TABLE:
            if "{domain}" not in path:
                continue
            keys = items.get(path.split("/")[3], ["-"]) if "{key}" in path else ["-"]
            for key in keys[:1]:
                there = await client.request(method, filled(path, "other.lab", key), cookies=cookies)
                nowhere = await client.request(method, filled(path, "none.lab", key), cookies=cookies)
                assert (there.status, nowhere.status) == (404, 404), (extension, method, path)
                text = (await there.text()).replace("other.lab", "none.lab")
                assert text == await nowhere.text()
    assert town.directories["other.lab"].revision == Town().directories["other.lab"].revision


def view(role: str, section: str, item: object, key: str) -> int:
    """What opening an object answers, by the role matrix (generic): the oracle, written by hand."""
    me, site = PERSONS[role], getattr(item, "site", "")
    mine = key == me or getattr(item, "owner", "") == me
    if role == "Office Manager":
        return 200
    match section, role:
        case "users", "Site Manager":
            return 200 if site == "Laval" else 404
        case ("users" | "rules", _):
            return 200 if mine else 404
        case "sites", "Site Manager":
            return 200 if key == "Laval" else 404
        case "attendants" | "queues", "Site Manager":
            return 200 if site == "Laval" else 404
        case "queues", "Call Center Supervisor":
            return 200 if "103" in item.supervisors else 404  # type: ignore[attr-defined]
        case "conferences", "Site Manager":
            return 200 if site == "Laval" or mine else 404
        case "conferences", _:
            return 200 if mine else 404
        case "timeframes", "Site Manager":
            return 200
        case _:
            return 403


def edit(role: str, section: str, item: object, key: str) -> int:
    """What an edit without the tag of what was seen answers: 412 to who may, who may not is refused before."""
    seen = view(role, section, item, key)
    if section in ("sites", "timeframes") and role != "Office Manager":
        return 403
    return 412 if seen == 200 else seen


@pytest.mark.parametrize("role", ROLES)
async def test_every_object_of_the_domain_is_seen_and_changed_by_whom_the_matrix_says(aiohttp_client, role):
    town = Town()
    before = town.acme
    client, cookies = await aiohttp_client(town.app), town.session(PERSONS[role])
    objects = chain.from_iterable(((section, item) for item in section.all(before)) for section in SECTIONS)
    wrong = []
    for section, item in objects:
        key = getattr(item, section.key)
        for tab in ("", "/rules") if section.path == "users" else ("",):
            address = f"/d/acme.lab/{section.path}/{key}{tab}"
            seen = await client.get(address, cookies=cookies)
            changed = await client.post(address, cookies=cookies, data={"name": "taken over", "do": "remove"})
            told = (seen.status, changed.status)
            due = (view(role, section.path, item, key), edit(role, section.path, item, key))
            if told != due:
                wrong.append((address, told, due))
            seen.release()
            changed.release()
    assert wrong == []
    assert town.acme is before


@pytest.mark.parametrize("role", ROLES)
async def test_lists_hold_what_the_reader_may_open_and_nothing_else(aiohttp_client, role):
    town = Town()
    client, cookies = await aiohttp_client(town.app), town.session(PERSONS[role])
    for section in SECTIONS:
        answer = await client.get(f"/d/acme.lab/{section.path}", cookies=cookies)
        text = await answer.text()
        listed = set(re.findall(rf'<th scope="row"><a href="/d/acme.lab/{section.path}/([^"/]+)"', text))
        due = {
            getattr(item, section.key)
            for item in section.all(town.acme)
            if view(role, section.path, item, getattr(item, section.key)) == 200
        }
        assert listed == (due if answer.status == 200 else set()), section.path
