"""The page of onboarding (console.md S6): is this customer ready to port, and if not, whose move is it?"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from lab.api.onboarding import ResellerOf, allowed
from lab.console.faults_page import Form, Frame
from lab.exchanges import CannotServe, Exchanges
from lab.onboarding.case import BY_HAND, NotYet, old_bill
from lab.onboarding.desk import NoCase, OnboardingDesk, Opened
from lab.onboarding.reading import NORTHSIDE, read_packet
from lab.portal.gate import ACTOR
from lab.seeds.located import SeedError

OWNERS = ("client", "partner", "provider", "carrier")
_BY_HAND = tuple(step for step in BY_HAND if step != "line attested")
"""Steps of the form; a line is attested beside it."""


class OnboardingPage:
    """Adds its routes to an application."""

    def __init__(
        self,
        frame: Frame,
        form: Form,
        desk: Callable[[], OnboardingDesk],
        reseller_of: ResellerOf,
        exchanges: Exchanges | None = None,
    ) -> None:
        """`exchanges`: where the domain of a case can be put into service; None where it cannot."""
        self._frame, self._form, self._desk, self._reseller_of = frame, form, desk, reseller_of
        self._exchanges = exchanges

    def route(self, app: web.Application) -> None:
        app.router.add_get("/onboard", self._list)
        app.router.add_post("/onboard", self._open)
        app.router.add_get("/onboard/{domain}", self._show)
        app.router.add_post("/onboard/{domain}/steps", self._step)
        app.router.add_post("/onboard/{domain}/forms", self._hand_in)
        app.router.add_post("/onboard/{domain}/service", self._serve)

    async def _list(self, request: web.Request) -> web.Response:
        desk = self._desk()
        return self._frame.page(
            request,
            "onboard.html",
            room="onboard",
            regions="none",
            statuses=[
                desk.status(case.domain)
                for case in desk.cases()
                if allowed(request, "view", case.domain, self._reseller_of)
            ],
            begins=allowed(request, "create", "", self._reseller_of),
            example=NORTHSIDE.read_text(encoding="utf-8"),
        )

    async def _show(self, request: web.Request) -> web.Response:
        domain = request.match_info["domain"]
        try:
            status = self._desk().status(domain)
        except NoCase as error:
            return self._frame.refusal(request, 404, f"There is no case {domain[:80]}", str(error), "/onboard")
        moves = {owner: [lack for lack in status.moves if lack.owner == owner] for owner in OWNERS}
        return self._frame.page(
            request,
            "onboard_case.html",
            room="onboard",
            regions="none",
            it=status,
            case=status.case,
            packet=status.case.packet,
            bill_is_old=old_bill(status.case.packet, status.now),
            moves={owner: lacks for owner, lacks in moves.items() if lacks},
            steps=_BY_HAND,
            flow=self._desk().flow(domain),
            approved=status.case.done("flow approved"),
            exchange=self._exchanges.offices().get(domain) if self._exchanges is not None else None,
            serves=self._exchanges is not None and bool(status.lines) and request[ACTOR].scope == "Super User",
            edits=allowed(request, "edit", domain, self._reseller_of),
        )

    async def _open(self, request: web.Request) -> web.StreamResponse:
        form = await self._form(request)
        try:
            case = self._desk().open(read_packet(str(form.get("packet", "")), "packet"), request[ACTOR].name)
        except SeedError as error:
            return self._frame.refusal(request, 400, error.happened, error.why, "/onboard")
        except Opened as error:
            return self._frame.refusal(request, 409, "No case was opened", str(error), "/onboard")
        raise web.HTTPSeeOther(f"/onboard/{case.domain}")

    async def _hand_in(self, request: web.Request) -> web.StreamResponse:
        domain, back = request.match_info["domain"], f"/onboard/{request.match_info['domain']}"
        form = await self._form(request)
        try:
            packet = read_packet(str(form.get("packet", "")), "packet")
            if packet.domain != domain:
                raise NoCase(f"the forms are of {packet.domain}, the case is {domain}")
            self._desk().hand_in(packet)
        except SeedError as error:
            return self._frame.refusal(request, 400, error.happened, error.why, back)
        except NoCase as error:
            return self._frame.refusal(request, 409, "The forms were not taken", str(error), back)
        raise web.HTTPSeeOther(back)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        """The lab engineer's: it starts processes."""
        domain, back = request.match_info["domain"], f"/onboard/{request.match_info['domain']}"
        end = (await self._form(request)).get("do") == "end"
        try:
            if self._exchanges is None:
                raise CannotServe("this house serves one domain")
            await (self._exchanges.end(domain) if end else self._exchanges.serve(domain))
        except (CannotServe, OSError) as error:
            return self._frame.refusal(request, 409, "The service is as it was", f"{error}.", back)
        raise web.HTTPSeeOther(back)

    async def _step(self, request: web.Request) -> web.StreamResponse:
        domain, back = request.match_info["domain"], f"/onboard/{request.match_info['domain']}"
        form = {name: str(value).strip()[:200] for name, value in (await self._form(request)).items()}
        step = form.get("step", "")
        if step not in BY_HAND:
            return self._frame.refusal(request, 400, "No step was taken", f"{step!r} is none.", back)
        by = form.get("by") or request[ACTOR].name
        try:
            self._desk().take(domain, step, by, form.get("note", ""), form.get("about", ""))
        except NoCase as error:
            return self._frame.refusal(request, 404, f"There is no case {domain[:80]}", str(error), "/onboard")
        except NotYet as error:
            why = " ".join(f"{lack.owner.capitalize()}: {lack.sentence}." for lack in error.lacks)
            return self._frame.refusal(request, 409, f"{step.capitalize()} has to wait", why, back)
        except ValueError as error:
            return self._frame.refusal(request, 400, "No step was taken", str(error).splitlines()[0], back)
        raise web.HTTPSeeOther(back)
