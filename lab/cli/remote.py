"""Commands against a running switchroom, found by its ready file, over its `/api/v1`."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from lab.call_export import ARCHIVE, PLAN
from lab.cli.outputs import look_at, write_all
from lab.cli.stepping import asked_of
from lab.errors import BAD_INPUT, NO_START, USAGE, UserError
from lab.evidence.archive import ARCHIVE as PACKED
from lab.evidence.archive import unpacked
from lab.terms import BY_HAND, Terms
from pbx.settings import PREFIX
from test_plans.selection import Selection

_URL = re.compile(r"(https?):/+([^/]+)/?")
"""The console itself instead of its ready file: a path has folded the slashes."""


def run_there(
    against: Path,
    plan: Path,
    selection: Selection,
    terms: Terms,
    say: Callable[[str], None],
    beside: Path | None = None,
) -> str:
    """Run a plan there, print each case as it ends, hand each line of its journal to `say`; return the fault, if any.

    Its evidence is fetched into a folder `beside` the page. Ctrl-C stops the run there, and its journal is still read
    to the end.
    """
    return asyncio.run(_run(_console(against), plan, selection, terms, say, beside))


def preview_there(against: Path, plan: Path, selection: Selection) -> int:
    """Print what a run there would do, with the devices it has now; return 0."""
    query = [("name", str(plan)), *selection.query()]
    for line in asyncio.run(_send_plan(_console(against), "/api/v1/previews", query, plan))["lines"]:
        print(line)
    return 0


def calls(against: Path | None, *, as_json: bool) -> str:
    rows = asyncio.run(_get(_console(against), "/api/v1/calls"))
    if as_json:
        return json.dumps(rows, indent=1)
    lines = [f"{r['started']}  {r['call']:<12} {r['caller']:>12} → {r['dialled']:<12} {r['result']}" for r in rows]
    return "\n".join(lines) or "no calls yet"


def call(against: Path | None, name: str, *, as_json: bool) -> str:
    page = asyncio.run(_get(_console(against), f"/api/v1/calls/{name}"))
    if as_json:
        return json.dumps(page, indent=1)
    lines = [f"{page['row']['caller']} → {page['row']['dialled']}   {page['row']['result']}"]
    for route in page["routes"]:
        lines += ["", route["title"], *(f"  {line[0]} {line[1]}: {line[2]}" for line in route["lines"])]
        lines.append(f"  → {route['outcome']}")
    return "\n".join([*lines, "", *(message[0] for message in page["messages"])])


def phone(against: Path, name: str) -> Any:
    """Return what provisioning gives a device there, as `lab.explained` says it."""
    return asyncio.run(_get(_console(against), f"/api/v1/phones/{quote(name, safe='')}"))


def resync(against: Path | None, mac: str, *, reboot: bool) -> str:
    """Ask the box of a MAC or device to fetch its configuration; return what was sent to whom."""
    query = {"reboot": "1"} if reboot else {}
    said = asyncio.run(_post(_console(against), f"/api/v1/phones/{quote(mac, safe='')}/resync", query))
    answer = "no answer" if said["status"] == 408 else f"it answered {said['status']}"
    return f"NOTIFY {said['event']} sent to {said['device']}: {answer}"


def provision(against: Path | None, mac: str, part: str = "", **query: str) -> Any:
    """Ask what the box of a MAC or device is given there: all of it, or `why`, `files`, `file`."""
    path = f"/api/v1/phones/{quote(mac, safe='')}/provision" + (f"/{part}" if part else "")
    return get(against, path, **query)


def get(against: Path | None, path: str, **query: str) -> Any:
    return asyncio.run(_one("GET", _console(against), path, {name: value for name, value in query.items() if value}))


def post(against: Path | None, path: str, body: object = None, *, data: bytes = b"", **query: str) -> Any:
    """Send JSON, or `data` as it is."""
    told: dict[str, Any] = {"data": data} if data else {"json": body if body is not None else {}}
    return asyncio.run(_one("POST", _console(against), path, query, **told))


def fetch(against: Path | None, path: str, out: Path) -> None:
    """Write what is at an address into a file."""
    look_at([out])
    asyncio.run(_fetch(_console(against), path, out))


def delete(against: Path | None, path: str, **query: str) -> Any:
    return asyncio.run(_one("DELETE", _console(against), path, query))


def rotate(against: Path | None, mac: str, overlap_h: int) -> str:
    """Give the box of a MAC or device new credentials; return which of its lines were told to fetch them."""
    path = f"/api/v1/phones/{quote(mac, safe='')}/rotate"
    said = asyncio.run(_post(_console(against), path, {"overlap_h": str(overlap_h)}))
    told = ", ".join(said["told"]) or "none of its lines, which are not registered"
    return f"{said['mac']} has new credentials, the old ones are taken for {overlap_h} h more; told: {told}"


def uploads(against: Path | None, mac: str, name: str, out: Path | None) -> str:
    """List what a box has sent, or fetch one of it into a file of its name."""
    path = f"/api/v1/phones/{quote(mac, safe='')}/uploads"
    if name:
        to = out or Path(name)
        look_at([to])
        asyncio.run(_fetch(_console(against), f"{path}/{quote(name, safe='')}", to))
        return str(to)
    rows = asyncio.run(_get(_console(against), path))
    return "\n".join(f"{r['at'][:19]}  {r['size']:>8}  {r['name']}" for r in rows) or "it has sent nothing"


def bans(against: Path | None, lift: str) -> str:
    """List who is banned from provisioning, or let one in again."""
    if lift:
        delete(against, f"/api/v1/provisioning/bans/{quote(lift, safe='/')}")
        return f"{lift} is let in again"
    rows = asyncio.run(_get(_console(against), "/api/v1/provisioning/bans"))
    return "\n".join(f"{r['place']:<40} {r['for_s']:>5} s  {r['guesses']} guesses" for r in rows) or "nobody is banned"


def reveal(against: Path | None, mac: str, by: str) -> str:
    """Return the passwords and the URL of a box; who asks is written down there."""
    path = f"/api/v1/phones/{quote(mac, safe='')}/reveal"
    said = asyncio.run(_post(_console(against), path, {}, {"by": by}))
    lines = [f"{device}  {password}" for device, password in said["passwords"].items()]
    return "\n".join([*lines, *([said["config_url"]] if said["config_url"] else [])])


def fax_send(against: Path | None, file: Path, to: str, account: str) -> str:
    """Hand in a document; return what it is known by there."""
    try:
        octets = file.read_bytes()
    except OSError as error:
        raise UserError(
            f"{file} was not faxed", error.strerror or str(error), "name a PDF or TIFF file", "switchroom fax --help",
            BAD_INPUT,
        ) from None  # fmt: skip
    said = post(against, "/api/v1/faxes", data=octets or b"\n", to=to, account=account, name=file.name)
    return f"{said['id']}: {said['pages']} page{'s'[: said['pages'] != 1]} to {said['number']}"


def faxes(against: Path | None, *, as_json: bool) -> str:
    rows = get(against, "/api/v1/faxes")
    if as_json:
        return json.dumps(rows, indent=1)
    return (
        "\n".join(
            f"{r['when']}  {r['id']:<20} {r['account']:<12} {'from' if r['direction'] == 'in' else 'to':>4} "
            f"{r['number']:<12} {r['pages']:>3} p  {r['status']:<9} {r['over']:<6} {r['problem']}".rstrip()
            for r in rows
        )
        or "no faxes yet"
    )


def fax_get(against: Path | None, fax: str, out: Path | None) -> Path:
    """Fetch the pages of a fax; return where they lie."""
    to = out or Path(f"{fax}.pdf")
    look_at([to])
    kind = "tiff" if to.suffix in (".tif", ".tiff") else "pdf"
    asyncio.run(_fetch(_console(against), f"/api/v1/faxes/{quote(fax, safe='')}/{kind}", to))
    return to


def plan_of(against: Path | None, name: str, out: Path | None) -> None:
    """Print or save the plan of a call there."""
    text = asyncio.run(_text(_console(against), f"/api/v1/calls/{quote(name, safe='')}/{PLAN}"))
    if out is None:
        print(text, end="")
        return
    look_at([out])
    write_all({out: text})
    print(f"{out}: the plan of {name}; see what it says with `switchroom plan check {out}`")


def export(against: Path | None, name: str, out: Path | None) -> Path:
    """Fetch everything kept of a call as one archive; return where it lies."""
    to = out or Path(f"{name}.zip")
    look_at([to])
    asyncio.run(_fetch(_console(against), f"/api/v1/calls/{name}/{ARCHIVE}", to))
    return to


def trace(against: Path | None, call: str, *, plain: bool) -> None:
    """Print lines as they come, until the call is over or the switchroom ends."""
    query = {key: value for key, value in (("call", call), ("plain", "1" if plain else "")) if value}
    asyncio.run(_follow(_console(against), "/api/v1/trace", query))


def _console(against: Path | None) -> str:
    if against is None:
        raise UserError(
            "no running switchroom is named", "--against was not given",
            "start `switchroom up --ready-file F` and add --against F", "switchroom calls --help", USAGE,
        )  # fmt: skip
    if named := _URL.fullmatch(str(against)):
        return f"{named[1]}://{named[2]}"
    try:
        console = URL(json.loads(against.read_text("utf-8"))["console"])
        if not console.host:
            raise ValueError(f"its console {str(console)!r} is no address")
        return str(console)
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = f"it names no {error}" if isinstance(error, KeyError) else str(error)
        raise UserError(
            f"{against} is no ready file", why, "name the file `switchroom up --ready-file` wrote",
            "switchroom up --help", BAD_INPUT,
        ) from None  # fmt: skip


def _session(console: str, **options: Any) -> aiohttp.ClientSession:
    """A session with a console; one on another machine wants its password, which the environment may hold."""
    password = os.environ.get(f"{PREFIX}CONSOLE__PASSWORD", "")
    headers = {"Authorization": f"Bearer {password}"} if password else {}
    return aiohttp.ClientSession(console, headers=headers, **options)


async def _send_plan(console: str, path: str, query: list[tuple[str, str]], plan: Path) -> Any:
    text = await asyncio.to_thread(plan.read_bytes)
    async with _session(console) as session:
        return await _ask(session, "POST", path, params=query, data=text)


async def _run(
    console: str,
    plan: Path,
    selection: Selection,
    terms: Terms,
    say: Callable[[str], None],
    beside: Path | None,
) -> str:
    text = await asyncio.to_thread(plan.read_bytes)
    async with _session(console) as session:
        query = [
            ("name", str(plan)),
            ("tester", terms.tester),
            ("step", str(int(terms.one_by_one))),
            ("evidence", terms.evidence),
            *selection.query(),
        ]
        run = (await _ask(session, "POST", "/api/v1/runs", params=query, data=text))["run"]
        stopping = asyncio.Event()
        with _signalled(stopping):
            fault = await _watched(session, run, stopping, say)
            if beside is not None and terms.evidence != "none":
                await _fetch_evidence(session, run, beside)
            return fault


async def _fetch_evidence(session: aiohttp.ClientSession, run: str, beside: Path) -> None:
    archive = beside / f".{run}-{PACKED}"
    try:
        async with _answered(session, "GET", f"/api/v1/runs/{run}/{PACKED}") as answer:
            with archive.open("wb") as file:
                async for octets in answer.content.iter_chunked(1 << 16):
                    file.write(octets)
        await asyncio.to_thread(unpacked, archive, beside)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        print(f"⚠ the evidence could not be kept beside the report: {why}", file=sys.stderr)
    finally:
        archive.unlink(missing_ok=True)


@contextmanager
def _signalled(stopping: asyncio.Event) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM set an event; where another thread has the signals they stay its own."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    for number in numbers:
        loop.add_signal_handler(number, stopping.set)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


async def _watched(
    session: aiohttp.ClientSession, run: str, stopping: asyncio.Event, say: Callable[[str], None]
) -> str:
    loop, stopped = asyncio.get_running_loop(), False
    shown = told = 0
    while True:
        query = {"after": shown, "told": told}
        asked = loop.create_task(_ask(session, "GET", f"/api/v1/runs/{run}", params=query), name="asked")
        end = loop.create_task(stopping.wait(), name="end")
        await asyncio.wait([asked] if stopped else [asked, end], return_when=asyncio.FIRST_COMPLETED)
        end.cancel()
        if stopping.is_set() and not stopped:
            stopped = True
            print("stopping: what goes on is broken off and cleared up", flush=True)
            await _ask(session, "POST", f"/api/v1/runs/{run}/stop", params={"why": BY_HAND})
        state = await asked
        for line in state["journal"]:
            say(line)
        for line in state["lines"][shown:]:
            print(line, flush=True)
        shown, told = len(state["lines"]), told + len(state["journal"])
        if state["done"]:
            return str(state["fault"])
        if state["waiting"]:
            await _ask(session, "POST", f"/api/v1/runs/{run}/{await asyncio.to_thread(asked_of, state['waiting'])}")


async def _one(method: str, console: str, path: str, query: dict[str, str], **told: Any) -> Any:
    async with _session(console) as session:
        return await _ask(session, method, path, params=query, **told)


async def _get(console: str, path: str) -> Any:
    async with _session(console) as session:
        return await _ask(session, "GET", path)


async def _post(console: str, path: str, query: dict[str, str], body: object = None) -> Any:
    async with _session(console) as session:
        return await _ask(session, "POST", path, params=query, json=body)


async def _fetch(console: str, path: str, to: Path) -> None:
    async with _session(console) as session, _answered(session, "GET", path) as answer:
        write_all({to: await answer.read()})


async def _text(console: str, path: str) -> str:
    async with _session(console) as session, _answered(session, "GET", path) as answer:
        return await answer.text()


async def _follow(console: str, path: str, query: dict[str, str]) -> None:
    patient = aiohttp.ClientTimeout(total=None)
    async with (
        _session(console, timeout=patient) as session,
        _answered(session, "GET", path, params=query) as answer,
    ):
        async for line in answer.content:
            print(line.decode("utf-8", "replace"), end="", flush=True)


async def _ask(session: aiohttp.ClientSession, method: str, path: str, **options: Any) -> Any:
    async with _answered(session, method, path, **options) as answer:
        return await answer.json()


@asynccontextmanager
async def _answered(
    session: aiohttp.ClientSession, method: str, path: str, **options: Any
) -> AsyncIterator[aiohttp.ClientResponse]:
    """One request and its answer; UserError when nobody answers, or when the answer is an error in four parts."""
    try:
        async with session.request(method, path, **options) as answer:
            if answer.status >= 400:
                said = (await answer.json())["error"]
                raise UserError(said["happened"], said["why"], said["remedy"], said["reference"], BAD_INPUT)
            yield answer
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise UserError(
            "the running switchroom does not answer", str(error), "is `switchroom up` still running?",
            "switchroom up --help", NO_START,
        ) from None  # fmt: skip
