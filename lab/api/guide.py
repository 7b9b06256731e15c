"""`/api/v1/guide`: what a running plan asks of people.

* `GET /api/v1/guide`: the requests, open ones first. Who asks for them attends, for a quarter of a minute: without
  anybody, steps for people are blocked.
* `POST /api/v1/guide/{number}`, `{"answer": "yes" | "no" | "skip", "by": "who"}`: answer a question; of something to be
  done, `no` says that it cannot be done and `skip` leaves it out. Being done is observed, never told.
"""

from __future__ import annotations

from aiohttp import web

from lab.api.refusal import refused
from lab.people import Asked, People


class Guide:
    """Adds its routes to an application."""

    def __init__(self, people: People) -> None:
        self._people = people

    def route(self, app: web.Application) -> None:
        app.router.add_get("/api/v1/guide", self._list)
        app.router.add_post("/api/v1/guide/{number}", self._answer)

    async def _list(self, request: web.Request) -> web.Response:
        self._people.attend()
        return web.json_response([shown(asked) for asked in self._people.requests()])

    async def _answer(self, request: web.Request) -> web.Response:
        number = request.match_info["number"]
        try:
            document = await request.json()
            answer, by = str(document["answer"]), str(document["by"])
            asked = self._people.answer(int(number), answer, by)
        except KeyError as missing:
            if missing.args[0] in ("answer", "by"):
                return refused(400, "this is no answer", f"it has no {missing}", '{"answer": "yes", "by": "name"}')
            return refused(404, f"there is no open request {number}", "it is done or gone", "GET /api/v1/guide")
        except (ValueError, TypeError) as error:
            return refused(400, "this is no answer", str(error), '{"answer": "yes", "by": "name"}')
        return web.json_response(shown(asked))


def shown(asked: Asked) -> dict[str, object]:
    return {
        "number": asked.number,
        "text": asked.text,
        "device": asked.device,
        "question": asked.question,
        "asked": asked.at.wall.isoformat(),
        "state": asked.state,
        "seen": asked.seen,
        "answer": asked.answer,
        "by": asked.by,
        "answered": asked.answered_at.wall.isoformat() if asked.answered_at else None,
    }
