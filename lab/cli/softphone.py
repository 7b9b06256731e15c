"""`switchroom softphone`: boot baresip or linphone as a device of a running switchroom, for plans to press."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lab.cli.remote import post
from lab.errors import BAD_INPUT, NO_START, USAGE, UserError
from lab.softphones.baresip import Baresip
from lab.softphones.linphone import Linphone
from lab.softphones.listening import labels_of
from lab.softphones.program import NotStarted, Site
from lab.softphones.remote import Making, Remote

PROGRAMS: dict[str, Making] = {"generic/baresip": Baresip, "linphone/desktop": Linphone}
"""By the family whose files it reads."""


def run_softphone(against: Path | None, device: str, address: str, home: Path | None) -> int:
    """Run it until Ctrl-C, SIGTERM or the program's end; return 0."""
    known = _known(against, device)
    make = PROGRAMS.get(str(known["family"]))
    if make is None:
        raise UserError(
            f"{device} is no softphone", f"its family is {known['family']}",
            f"give it one of {', '.join(PROGRAMS)}", "docs/drivers.md", BAD_INPUT,
        )  # fmt: skip
    with ExitStack() as stack:
        if home is None:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"softphone-{device}-")))
        home.mkdir(parents=True, exist_ok=True)
        site = Site(
            device, str(known["domain"]), home.resolve(), address or own_address(os.getpid()), str(known["config_url"])
        )
        try:
            asyncio.run(_run(against, site, str(known["mac"]), make))
        except NotStarted as fault:
            raise UserError(
                f"{device} did not start", str(fault), "see docs/drivers.md", "docs/drivers.md", NO_START
            ) from None
    return 0


def own_address(pid: int) -> str:
    """An address of 127/8 for each process: every phone may have port 5060."""
    return f"127.{60 + pid // 62_500 % 60}.{pid // 250 % 250}.{pid % 250 + 1}"


def _known(against: Path | None, device: str) -> dict[str, Any]:
    if against is None:
        raise UserError(
            "no running switchroom is named", "--against was not given",
            "start `switchroom up --ready-file F` and add --against F", "switchroom softphone --help", USAGE,
        )  # fmt: skip
    try:
        ready = json.loads(against.read_text("utf-8"))
        devices, domain = ready["devices"], ready["domain"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{against} is no ready file", str(error), "name the file `switchroom up --ready-file` wrote",
            "switchroom softphone --help", BAD_INPUT,
        ) from None  # fmt: skip
    if device not in devices:
        soft = [name for name, known in devices.items() if known["family"] in PROGRAMS]
        raise UserError(
            f"there is no device {device!r}", "the domain has none of that id",
            f"its softphones are {', '.join(soft) or 'none'}", "docs/drivers.md", BAD_INPUT,
        )  # fmt: skip
    return {**devices[device], "domain": domain}


async def _run(against: Path | None, site: Site, mac: str, make: Making) -> None:
    path = f"/api/v1/phones/{quote(site.device, safe='')}/control"
    told = await asyncio.to_thread(post, against, path)
    folder, file = str(told["folder"]), site.config_url.partition("/p/")[2].partition("/")[2]
    # By the token that is its own: the first one is good for one boot, and a softphone may be started again.
    remote = Remote(replace(site, config_url=f"{folder}/{file}"), f"{folder}/{mac}.said", make)
    ending, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ending.set)
    try:
        url = await remote.listen()
        await remote.boot()
        await asyncio.to_thread(post, against, path, {"url": url})
        print(f"{site.device} is registered from {site.address}; its remote control: {url}", flush=True)
        running = loop.create_task(remote.run(labels_of(told["parties"], told["music"])), name="softphone")
        ended = loop.create_task(ending.wait(), name="ending")
        await asyncio.wait([running, ended], return_when=asyncio.FIRST_COMPLETED)
        for task in (running, ended):
            task.cancel()
        await asyncio.gather(running, ended, return_exceptions=True)
    finally:
        await remote.close()
