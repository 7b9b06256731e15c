"""`/api/v1`: what scripts ask of a running lab: calls, and test runs. JSON in and out; errors in four parts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from aiohttp import web

from lab.api.refusal import refused
from lab.console.views import ConsoleSource
from lab.evidence.archive import ARCHIVE, archived
from lab.live_run import LiveRun, RunStarter
from lab.terms import EVIDENCE, Terms
from test_plans.plan import BadPlan, Case, Plan, read_plan
from test_plans.report.documents import FORMS
from test_plans.runner import GO, LEAVE_OUT, STOP, VERBS
from test_plans.selection import of_query

MOST_BYTES = 1_000_000
LONGEST_WAIT_S = 25.0
"""Shorter than what stands between a client and us is patient for."""
_KINDS = {"results.json": "application/json", "junit.xml": "application/xml", "report.html": "text/html; charset=utf-8",
          "summary.md": "text/markdown; charset=utf-8"}  # fmt: skip


@dataclass(slots=True)
class Api:
    """Adds its routes to an application; owns the run in progress, of which there is one at a time."""

    source: ConsoleSource
    start_run: RunStarter
    preview: Callable[[Plan, Callable[[Case], bool]], list[str]]
    _runs: dict[str, LiveRun] = field(default_factory=dict)
    _task: asyncio.Task[None] | None = None

    def route(self, app: web.Application) -> None:
        app.router.add_get("/api/v1/calls", self._calls)
        app.router.add_get("/api/v1/calls/{call}", self._call)
        app.router.add_post("/api/v1/runs", self._run)
        app.router.add_post("/api/v1/previews", self._preview)
        app.router.add_get("/api/v1/runs/{run}", self._progress)
        app.router.add_get("/api/v1/runs/{run}/evidence.zip", self._evidence)
        app.router.add_get("/api/v1/runs/{run}/{document}", self._document)
        app.router.add_post("/api/v1/runs/{run}/{word}", self._say)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _calls(self, request: web.Request) -> web.Response:
        return web.json_response([asdict(row) for row in self.source.calls()])

    async def _call(self, request: web.Request) -> web.Response:
        name = request.match_info["call"]
        page = self.source.call(name)
        if page is None:
            return refused(404, f"there is no call {name!r}", "it is not among the calls kept", "GET /api/v1/calls")
        document = asdict(page)
        del document["ladder_svg"]
        return web.json_response(document)

    async def _run(self, request: web.Request) -> web.Response:
        if self._task is not None and not self._task.done():
            return refused(409, "a run is in progress", "one plan runs at a time", "wait until it is done")
        asked = await _asked(request)
        if isinstance(asked, web.Response):
            return asked
        asked_evidence = request.query.get("evidence", EVIDENCE[0])
        if asked_evidence not in EVIDENCE:
            return refused(
                400, f"evidence={asked_evidence!r} is not understood", "of which cases it is kept", ", ".join(EVIDENCE)
            )
        terms = Terms(request.query.get("tester", "")[:80], request.query.get("step", "") == "1", asked_evidence)
        live = self.start_run(*asked, terms)
        assert live.done is not None, "a run that was started has work to do"
        self._runs = {live.run: live}  # the one before is in its folder
        self._task = asyncio.get_running_loop().create_task(live.done, name=live.run)
        return web.json_response({"run": live.run}, status=202)

    async def _preview(self, request: web.Request) -> web.Response:
        asked = await _asked(request)
        if isinstance(asked, web.Response):
            return asked
        return web.json_response({"lines": self.preview(*asked)})

    async def _progress(self, request: web.Request) -> web.Response:
        live = self._runs.get(request.match_info["run"])
        if live is None:
            return _no_run(request)
        after = request.query.get("after")
        if after is not None:
            if not after.isdecimal():
                return refused(400, f"after={after!r} is no number of lines", "it counts lines", "after=0 or more")
            await live.beyond(int(after), LONGEST_WAIT_S)
        state = {"run": live.run, "lines": live.lines, "done": live.over, "exit_code": live.exit_code}
        told = request.query.get("told", "")
        if told.isdecimal():
            state["journal"] = live.journal[int(told) :]
        return web.json_response(state | {"fault": live.fault, "waiting": live.waiting})

    async def _say(self, request: web.Request) -> web.Response:
        """`stop`, or of the case that waits: `go`, `skip`."""
        live, word = self._runs.get(request.match_info["run"]), request.match_info["word"]
        if live is None:
            return _no_run(request)
        if word not in (GO, LEAVE_OUT, STOP):
            return refused(404, f"a run takes no {word!r}", "it is nothing to say to one", f"{GO}, {LEAVE_OUT}, {STOP}")
        if live.reins is None or live.over:
            return refused(409, "the run does not go on", "it is over, or has not begun", "GET /api/v1/runs/{run}")
        if word == STOP:
            live.reins.stop(request.query.get("why", "")[:80] or "stopped by whoever ran it")
        elif not live.waiting:
            return refused(409, "no case waits", "the run was not started with step=1, or one goes on", "wait for it")
        else:
            live.reins.decide(word)
        return web.json_response({"run": live.run})

    async def _evidence(self, request: web.Request) -> web.StreamResponse:
        """All evidence of the run as one archive."""
        live = self._runs.get(request.match_info["run"])
        if live is None:
            return _no_run(request)
        if not live.over:
            return refused(404, "the run has no evidence yet", "it is not over", "wait until it is done")
        archive = live.folder / ARCHIVE
        try:
            await asyncio.to_thread(archived, live.folder, archive)
        except OSError as error:
            return refused(507, "the evidence could not be packed", error.strerror or str(error), "make room")
        return web.FileResponse(archive, headers={"Content-Type": "application/zip"})

    async def _document(self, request: web.Request) -> web.StreamResponse:
        live, name = self._runs.get(request.match_info["run"]), request.match_info["document"]
        if live is None:
            return _no_run(request)
        if name not in FORMS or not (live.folder / name).is_file():
            return refused(404, f"the run has no {name!r} (yet)", "it is not over", f"one of {', '.join(_KINDS)}")
        return web.FileResponse(live.folder / name, headers={"Content-Type": _KINDS[name]})


async def _asked(request: web.Request) -> tuple[Plan, Callable[[Case], bool]] | web.Response:
    """Read the plan in the body and the selection in the address; the refusal when one is not understood."""
    if (request.content_length or 0) > MOST_BYTES:
        return refused(413, "the plan is too long", f"more than {MOST_BYTES} bytes", "send a shorter plan")
    try:
        plan = read_plan(await request.text(), request.query.get("name", "plan"), VERBS)
    except (BadPlan, UnicodeDecodeError) as error:
        why = "; ".join(error.problems[:20]) if isinstance(error, BadPlan) else str(error)
        return refused(400, "the plan cannot be run", why, "mend the lines named")
    try:
        selection = of_query(request.query.items())
    except ValueError as error:
        return refused(400, "what to run is not understood", str(error), "only, tag, case, shuffle, repeat")
    return selection.arrange(plan), selection.takes


def _no_run(request: web.Request) -> web.Response:
    name = request.match_info["run"]
    return refused(404, f"there is no run {name!r}", "no run of this process has that name", "POST /api/v1/runs")
