"""`up`: everything on its ports until SIGTERM."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from lab import logs
from lab.addresses import REDIRECT, is_loopback, port_plan, write_ready
from lab.cli.inputs import mail_relay, rtpengine, switch_settings, the_seed
from lab.cli.outputs import look_at
from lab.cli.ports import who_holds
from lab.errors import NO_START, USAGE, UserError
from lab.lab_settings import LabSettings
from lab.office import Office
from lab.seeds.load import Seed
from lab.systemd import ServiceManager
from pbx.domain.registrations import host_and_port
from pbx.settings import Settings
from pbx.standing import what_stands_stays
from pbx.store.database import CannotOpen
from provisioning_server.bans import networks
from provisioning_server.pnp import PORT

_HOOK_S = 2.0
"""How long a command of --on-ready may take to end before it is killed."""


def run_up(settings: Settings, ready_file: Path | None, on_ready: str, *, reseed: bool) -> int:
    """Run until the end is asked for; `reseed` takes the seed's configuration even where the store keeps one.

    `on_ready` is a command of the shell that is run once everything listens; empty for none.
    """
    if on_ready and ready_file is None:
        raise UserError(
            "the command would not know where to go", "--on-ready is told the ready file, and there is none",
            "add --ready-file ready.json", "switchroom up --help", USAGE,
        )  # fmt: skip
    seed = the_seed(settings.lab.seed)
    host, base = settings.listen.address, settings.listen.port_base
    try:
        ports = port_plan(base)
    except ValueError as error:
        raise UserError(
            "the ports do not fit", str(error), "choose another --port-base", "switchroom up --help", USAGE
        ) from None
    chosen = settings.provisioning
    ports = replace(
        ports,
        redirect=(base + REDIRECT if base else 0) if chosen.redirect else None,
        pnp=PORT if chosen.pnp else None,
    )
    look_at([ready_file])
    lab = LabSettings(
        host=host,
        ports=ports,
        data=settings.store.folder,
        secret_file=settings.store.secret,
        reseed=reseed,
        sip=switch_settings(settings),
        proxies=tuple(networks(settings.provisioning.trusted_proxies)[0]),
        tls_key_log=settings.sip.tls_key_log,
        media_ports=settings.media.ports,
        fax_speed=settings.media.fax_speed,
        relay=mail_relay(settings),
        mail_from=settings.mail.sender,
        rtpengine=rtpengine(settings),
        console_host=console_host(settings),
        console_password=settings.console.password.get_secret_value(),
        console_open=settings.console.open,
        console_names=settings.console.names,
    )
    log = logs.configure(level=settings.log.level, form=settings.log.form)
    try:
        return asyncio.run(
            _up(seed, lab, log, ready_file and ready_file.absolute(), on_ready, phones=settings.lab.phones)
        )
    except OSError as error:
        why, remedy = _refused(error, host, base)
        raise UserError("switchroom could not start", why, remedy, "switchroom up --help", NO_START) from None
    except CannotOpen as error:
        raise UserError(
            "the store cannot be used",
            str(error),
            "name another --data folder, or move the file aside; nothing was changed",
            "README, data",
            NO_START,
        ) from None


def console_host(settings: Settings) -> str:
    """Return where the console listens; UserError where it would be open to a network without a password."""
    address = settings.console.address or ("" if is_loopback(settings.listen.address) else "127.0.0.1")
    if address and not is_loopback(address):
        if not settings.console.password.get_secret_value():
            raise UserError(
                "the console would be open to everybody",
                f"{address} is no loopback address, and there is no password",
                "set console.password (login `lab`), or leave console.address at 127.0.0.1",
                "docs/portal.md",
                USAGE,
            )
        print("the console listens without TLS: put a proxy before it that has", file=sys.stderr)
    return address


async def _up(
    seed: Seed, settings: LabSettings, log: logs.Log, ready_file: Path | None, on_ready: str, *, phones: bool
) -> int:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    manager = ServiceManager(os.environ.get("NOTIFY_SOCKET", ""))
    async with Office(seed, settings) as office:
        logs.follow(office.lab.bus, log, loop.call_soon)
        loop.add_signal_handler(signal.SIGHUP, office.lab.reload_certificates)
        office.lab.well = manager.alive
        if phones:
            await _booted(office, over)
        if not over.is_set():
            _say_ready(office, ready_file)
            manager.ready()
        what_stands_stays()
        if on_ready and ready_file is not None and not over.is_set():
            await _hooked(on_ready, ready_file, over)
        await over.wait()
        manager.stopping()
        print("draining", flush=True)
    return 0


async def _booted(office: Office, over: asyncio.Event) -> None:
    """Boot the phones, unless the end comes first."""
    loop = asyncio.get_running_loop()
    boot = loop.create_task(office.lab.boot_phones(), name="boot")
    ended = loop.create_task(over.wait(), name="over")
    await asyncio.wait([boot, ended], return_when=asyncio.FIRST_COMPLETED)
    if boot.done() and not boot.result():
        away = ", ".join(card.device for card in office.source.phones() if card.state != "idle")
        print(f"not every phone came up: {away}", file=sys.stderr)
    for task in (boot, ended):
        task.cancel()
    await asyncio.gather(boot, ended, return_exceptions=True)


async def _hooked(command: str, ready_file: Path, over: asyncio.Event) -> None:
    """Run a command of the operator's; one that fails is told and ends nothing, one that lasts ends with us."""
    environment = {**os.environ, "READY_FILE": str(ready_file)}
    process = await asyncio.create_subprocess_shell(command, env=environment, start_new_session=True)
    loop = asyncio.get_running_loop()
    done, ended = loop.create_task(process.wait(), name="on ready"), loop.create_task(over.wait(), name="over")
    await asyncio.wait([done, ended], return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    if process.returncode:
        print(f"the command of --on-ready ended with {process.returncode}: {command}", file=sys.stderr)
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not done.done():
            with suppress(ProcessLookupError):  # it ended just now
                os.killpg(process.pid, number)
            await asyncio.wait([done], timeout=_HOOK_S)


def _say_ready(office: Office, ready_file: Path | None) -> None:
    if ready_file is not None:
        write_ready(
            ready_file, office.lab.ready(office.console_port, office.console_host) | office.ns.ready(office.console_url)
        )
    at = office.lab.listening
    assert at is not None
    print(
        f"ready  console {office.console_url}  sip {host_and_port(at.host, at.sip_port)}  tls {at.sips_port}  "
        f"provisioning {at.provisioning_url}  tftp {at.tftp_port}  mirror {host_and_port(at.host, at.mirror_port)}",
        flush=True,
    )


def _refused(error: OSError, host: str, base: int) -> tuple[str, str]:
    """Return why it could not start and what to do."""
    text = error.strerror or str(error)
    if isinstance(error, TimeoutError):
        return "the media process did not come up in time", "is this machine overloaded? See `switchroom doctor`"
    if "rtpengine" in text:
        return text, "start it as docs/media.md says, or leave media.engine at `local`"
    if "in use" in text:
        return f"{text}: {who_holds(error, base)}", "use another --port-base, or stop what holds the port"
    if "assign" in text:
        return f"{host} is no address of this machine", "name one of its addresses with --listen"
    return text, "see what this machine lacks: switchroom doctor"
