"""The page of the users' spreadsheet: what is wrong row by row, which column is what, and the good rows applied."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable, Mapping, Sequence

from aiohttp import web

from lab.api.onboarding_users import MOST_BYTES, take_back, take_in
from lab.console.faults_page import Form, Frame
from lab.onboarding.desk import Moved, NoCase, OnboardingDesk
from lab.onboarding.user_import import CannotUndo, Outcome
from lab.onboarding.user_sheet import COLUMNS
from lab.portal.gate import ACTOR
from provisioning_server.spreadsheet import BadTable, TableRow, read_rows

SHOWN = 200
"""Problems of a page; all of them are in the answer of the API."""
_FORM_BYTES = 2 * MOST_BYTES + 100_000


class OnboardingUsersPage:
    """Adds its routes to an application."""

    def __init__(self, frame: Frame, form: Form, desk: Callable[[], OnboardingDesk]) -> None:
        self._frame, self._form, self._desk = frame, form, desk

    def route(self, app: web.Application) -> None:
        app.router.add_post("/onboard/{domain}/users", self._table)
        app.router.add_post("/onboard/{domain}/users/undo", self._undo)

    async def _table(self, request: web.Request) -> web.StreamResponse:
        domain, back = request.match_info["domain"], f"/onboard/{request.match_info['domain']}"
        form = await self._form(request.clone(client_max_size=_FORM_BYTES))
        data, name = _sent(form)
        dry = form.get("do") != "apply"
        try:
            self._desk().case(domain)
            rows = await asyncio.to_thread(read_rows, data[: MOST_BYTES + 1])
        except NoCase as error:
            return self._frame.refusal(request, 404, f"There is no case {domain[:80]}", str(error), "/onboard")
        except BadTable as bad:
            return self._frame.refusal(request, 400, "The table was not read", f"{str(bad).capitalize()}.", back)
        named = _named(form, rows)
        outcome: Outcome | None = None
        wrong = ""
        try:
            done = await take_in(self._desk(), domain, data, named, request[ACTOR], name, dry=dry)
            outcome = done.outcome
        except (BadTable, Moved) as error:
            wrong, dry = str(error), True
        heads = rows[0].cells if rows else ()
        columns = {heading.text: heading.column for heading in outcome.headings} if outcome is not None else named
        return self._frame.page(
            request, "onboard_users.html", status=400 if wrong else 200, room="onboard", regions="none",
            domain_of=domain, outcome=outcome, wrong=wrong, dry=dry, name=name,
            heads=[(head, columns.get(head, "")) for head in heads],
            columns={column: words[0] for column, words in COLUMNS.items()}, shown=SHOWN, table=_as_text(rows),
        )  # fmt: skip

    async def _undo(self, request: web.Request) -> web.StreamResponse:
        domain, back = request.match_info["domain"], f"/onboard/{request.match_info['domain']}"
        try:
            take_back(self._desk(), domain, request[ACTOR])
        except NoCase as error:
            return self._frame.refusal(request, 404, f"There is no case {domain[:80]}", str(error), "/onboard")
        except CannotUndo as error:
            return self._frame.refusal(request, 409, "The import was not undone", f"{error}.", back)
        raise web.HTTPSeeOther(back)


def _sent(form: Mapping[str, object]) -> tuple[bytes, str]:
    """Return the table and the name of its file; the second time a page brings it along as text."""
    file = form.get("table")
    if isinstance(file, web.FileField):
        return file.file.read(MOST_BYTES + 1), file.filename[:200]
    return str(form.get("text", "")).encode(), str(form.get("name", ""))[:200]


def _named(form: Mapping[str, object], rows: Sequence[TableRow]) -> dict[str, str]:
    """Return what was chosen for each heading; nothing the first time."""
    heads = rows[0].cells if rows else ()
    return {head: str(form[f"column-{place}"]) for place, head in enumerate(heads) if f"column-{place}" in form}


def _as_text(rows: Sequence[TableRow]) -> str:
    """The table as CSV, with its empty lines, so that lines keep their numbers."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    last = 0
    for row in rows:
        text.write("\r\n" * (row.line - last - 1))
        writer.writerow(row.cells)
        last = row.line
    return text.getvalue()
