"""`/api/v1/onboarding`: customers on their way from forms to live.

* `GET`: the cases. `POST`, a packet as YAML: begin one; `PUT /{domain}` hands newer forms in.
* `GET /{domain}`: stages, clocks, next moves, the audit, the final order, what has happened.
* `GET /{domain}/flow`: the approximate call flow, number by number, for approval (`flow approved`).
* `GET /{domain}/plan`: the test plan of its first week.
* `POST /{domain}/steps`, `{"step": "port requested", "note": "", "about": ""}`: take a step; 409 says what it awaits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from json import JSONDecodeError

from aiohttp import web

from lab.api.refusal import refused
from lab.onboarding.case import BY_HAND, Lack, NotYet
from lab.onboarding.desk import NoCase, OnboardingDesk, Opened, Status
from lab.onboarding.first_week import first_week
from lab.onboarding.reading import read_packet
from lab.portal.gate import ACTOR
from lab.seeds.located import SeedError
from pbx.access import Action, Thing, may

_AT = "/api/v1/onboarding"
_SEE = f"GET {_AT}"
ResellerOf = Callable[[str], str]
"""Whose a domain is or will be."""
MOST_BYTES = 1_000_000


class OnboardingApi:
    """Adds its routes to an application."""

    def __init__(self, desk: Callable[[], OnboardingDesk], reseller_of: ResellerOf) -> None:
        self._desk, self._reseller_of = desk, reseller_of

    def route(self, app: web.Application) -> None:
        app.router.add_get(_AT, self._list)
        app.router.add_post(_AT, self._open)
        app.router.add_get(f"{_AT}/{{domain}}", self._show)
        app.router.add_put(f"{_AT}/{{domain}}", self._hand_in)
        app.router.add_get(f"{_AT}/{{domain}}/flow", self._flow)
        app.router.add_get(f"{_AT}/{{domain}}/plan", self._plan)
        app.router.add_post(f"{_AT}/{{domain}}/steps", self._step)

    async def _list(self, request: web.Request) -> web.Response:
        desk = self._desk()
        return web.json_response(
            [
                shown(desk.status(case.domain))
                for case in desk.cases()
                if allowed(request, "view", case.domain, self._reseller_of)
            ]
        )

    async def _show(self, request: web.Request) -> web.Response:
        domain = request.match_info["domain"]
        try:
            return web.json_response(shown(self._desk().status(domain)))
        except NoCase as error:
            return refused(404, f"there is no case {domain!r}", str(error), _SEE)

    async def _flow(self, request: web.Request) -> web.Response:
        """The approximate call flow, number by number, for approval."""
        domain = request.match_info["domain"]
        try:
            self._desk().case(domain)
        except NoCase as error:
            return refused(404, f"there is no case {domain!r}", str(error), _SEE)
        return web.json_response([{"number": number, "ways": ways} for number, ways in self._desk().flow(domain)])

    async def _plan(self, request: web.Request) -> web.Response:
        """The Deployment Test Plan of this customer, for `POST /api/v1/runs` where its domain is served."""
        domain = request.match_info["domain"]
        try:
            text = first_week(self._desk().case(domain).packet)
        except NoCase as error:
            return refused(404, f"there is no case {domain!r}", str(error), _SEE)
        return web.Response(text=text, content_type="application/yaml")

    async def _open(self, request: web.Request) -> web.Response:
        return await self._with_packet(request, "")

    async def _hand_in(self, request: web.Request) -> web.Response:
        return await self._with_packet(request, request.match_info["domain"])

    async def _with_packet(self, request: web.Request, domain: str) -> web.Response:
        try:
            packet = read_packet((await request.read())[:MOST_BYTES].decode(), "packet")
            if domain and packet.domain != domain:
                return refused(
                    409, "the forms were not taken", f"they are of {packet.domain}", f"send those of {domain}"
                )
            case = self._desk().hand_in(packet) if domain else self._desk().open(packet, request[ACTOR].name)
            return web.json_response(shown(self._desk().status(case.domain)), status=200 if domain else 201)
        except SeedError as error:
            return refused(400, error.happened, error.why, error.remedy)
        except UnicodeDecodeError as error:
            return refused(400, "the packet was not read", f"byte {error.start} is not UTF-8", "send YAML as UTF-8")
        except NoCase as error:
            return refused(404, f"there is no case {domain!r}", str(error), _SEE)
        except Opened as error:
            return refused(409, "no case was opened", str(error), _SEE)

    async def _step(self, request: web.Request) -> web.Response:
        domain = request.match_info["domain"]
        try:
            told = await request.json()
            step, note, about = (str(told.get(name, "")) for name in ("step", "note", "about"))
        except (JSONDecodeError, UnicodeDecodeError, AttributeError):
            return refused(400, "no step was taken", "the body is no JSON object", '{"step": "port requested"}')
        if step not in BY_HAND:
            return refused(400, f"there is no step {step[:80]!r} to take", "it is none of them", ", ".join(BY_HAND))
        by = str(told.get("by", "")) or request[ACTOR].name
        try:
            self._desk().take(domain, step, by[:200], note[:200], about[:200])
            return web.json_response(shown(self._desk().status(domain)))
        except NoCase as error:
            return refused(404, f"there is no case {domain!r}", str(error), _SEE)
        except NotYet as error:
            lacks = [asdict(lack) for lack in error.lacks]
            happened = {
                "happened": f"{step} has to wait",
                "why": str(error),
                "remedy": _fixes(error.lacks),
                "lacks": lacks,
            }
            return web.json_response({"error": {**happened, "reference": "docs/onboarding.md"}}, status=409)
        except ValueError as error:
            return refused(400, "no step was taken", str(error).splitlines()[0], "one plain line of text each")


def _fixes(lacks: tuple[Lack, ...]) -> str:
    return "; ".join(dict.fromkeys(f"{lack.owner}{f': {lack.fix}' if lack.fix else ''}" for lack in lacks))


def allowed(request: web.Request, action: Action, domain: str, reseller_of: ResellerOf) -> bool:
    """Return whether who asks may do it to the case of a domain; `""` is one that is to be begun."""
    return bool(may(request[ACTOR], action, Thing("onboarding", domain, reseller_of(domain), domain)))


def shown(status: Status) -> dict[str, object]:
    return {
        "domain": status.case.domain,
        "company": status.case.packet.company,
        "now": status.now.isoformat(timespec="seconds"),
        "stages": [asdict(stage) for stage in status.stages],
        "clocks": [{"what": c.what, "due": c.due.isoformat(timespec="seconds"), "late": c.late} for c in status.clocks],
        "next_moves": [asdict(lack) for lack in status.moves],
        "audit": [
            {"line": line.name, "good": line.good, "count": line.total, "evidence": line.evidence,
             "gaps": [asdict(gap) for gap in line.gaps],
             "attested": status.case.attested[line.name].by if line.name in status.case.attested else ""}
            for line in status.lines
        ],
        "ready": status.ready,
        "partner_may_log_in": status.partner_may_log_in,
        "order": status.order,
        "marks": [mark.model_dump(mode="json") for mark in status.case.marks],
    }  # fmt: skip
