"""`demo`: rehearse in virtual time, run for real, compare, report."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from pathlib import Path

from lab.cli.inputs import switch_settings, the_seed
from lab.cli.outputs import look_at
from lab.cli.plans import the_plan
from lab.cli.run import Wanted, print_case
from lab.errors import INTERRUPTED, NO_START, TIMED_OUT, UserError
from lab.evidence.bundle import FOLDER
from lab.lab_settings import LabSettings
from lab.office import Office
from lab.phones.pyvoip_phone import PyvoipPhone
from lab.rehearsal import rehearse
from lab.runs import Overrun, Reins
from lab.seeds.load import Seed
from lab.terms import BY_HAND
from pbx.events import CallRouted
from pbx.settings import Settings
from pbx.standing import what_stands_stays
from pbx.store.database import CannotOpen
from test_plans.plan import Plan
from test_plans.report import documents
from test_plans.report.console import summary
from test_plans.report.document import document
from test_plans.verdicts import RunResult, differences

BOOT_S = 45.0
FOREIGN_CASES = 3
"""So many cases at least a phone of another make takes part in."""


PLAN = Path("office")


def run_demo(settings: Settings, out: Path, *, keep: bool) -> int:
    plan, seed = the_plan(PLAN), the_seed(settings.lab.seed)
    number, sip = settings.lab.number, switch_settings(settings)
    lab = LabSettings(sip=sip, tls_key_log=settings.sip.tls_key_log, media_ports=settings.media.ports)
    look_at(out / name for name in ("report.json", "junit.xml", "report.html", "rehearsal.json"))
    print(f"switchroom demo · {seed.directory.domain.name} · loopback only · seed {number}")
    began = time.monotonic()
    what_stands_stays()
    virtual = rehearse(plan, seed, number=number, sip=sip)
    good = sum(case.good for case in virtual.cases)
    print(
        f" rehearsal  {good}/{len(virtual.cases)} cases in {time.monotonic() - began:.1f} s "
        f"(lab time {virtual.seconds:.0f} s)"
    )
    try:
        return asyncio.run(_live(plan, seed, lab, virtual, out, keep=keep))
    except Overrun as error:
        raise UserError(
            "the run did not come to its end", str(error), "see the cases printed; run it again", "README, exit codes",
            TIMED_OUT,
        ) from None  # fmt: skip
    except (OSError, CannotOpen) as error:
        raise UserError(
            "the office could not start", str(error), "see what this machine lacks: switchroom doctor",
            "switchroom demo --help", NO_START,
        ) from None  # fmt: skip


async def _live(plan: Plan, seed: Seed, settings: LabSettings, virtual: RunResult, out: Path, *, keep: bool) -> int:
    began = time.monotonic()
    async with Office(seed, settings) as office:
        at = office.lab.listening
        assert at is not None
        print(
            f" ready      console {office.console_url}  sip {at.sip_port}  provisioning {at.provisioning_port}  "
            f"tftp {at.tftp_port}   {time.monotonic() - began:.1f} s",
            flush=True,
        )
        began = time.monotonic()
        booted = await office.lab.boot_phones(BOOT_S)
        shown = sum(card.state == "idle" for card in office.source.phones())
        total = len(seed.directory.devices)
        print(f" boot       {shown}/{total} phones show their extension   {time.monotonic() - began:.1f} s")
        if not booted:
            for card in office.source.phones():
                if card.state != "idle":
                    print(f"   {card.sentence}")
            return 1
        loop = asyncio.get_running_loop()

        def held(reins: Reins) -> None:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, reins.stop, BY_HAND)

        result = await office.desk.run(plan, progress=print_case, begun=held)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        code = _tell(office, virtual, result, out)
        if keep:
            await _stay(office)
        return code


def _tell(office: Office, virtual: RunResult, result: RunResult, out: Path) -> int:
    it, rehearsed = document(result), document(virtual)
    wanted = Wanted(out / "report.json", out / "junit.xml", out / "report.html", out / "summary.md")
    problem = documents.write(it, wanted.forms(), rehearsed)
    problem = problem or documents.write(rehearsed, Wanted(out / "rehearsal.json").forms())
    problem = problem or _evidence_beside(office, out)
    if problem:
        print(f" missing    {problem}")
    print(summary(it))
    if result.interrupted:
        print(" result     INTERRUPTED")
        return INTERRUPTED
    different = differences(virtual, result)
    for line in different:
        print(f" differs    {line} (virtual / real)")
    bound = [case.case for one, case in zip(virtual.cases, result.cases, strict=True) if one.binding != case.binding]
    if bound:
        print(f" bindings   {len(bound)} cases were bound to other devices than in the rehearsal: {', '.join(bound)}")
    foreign = _with_pyvoip(office, result)
    print(f" pyVoIP     took part in {len(foreign)} cases: {', '.join(foreign)}")
    records = sum(len(case.records) for case in result.cases)
    routed = sum(isinstance(s.event, CallRouted) and s.event.first for s in office.lab.bus.since(0))
    unequal = sum(before != after for case in result.cases for _, before, after in case.records)
    print(f" why        {records - unequal} of {records} records equal what was computed before; {routed} calls routed")
    print(f" report     {out / 'report.html'}      junit.xml · report.json · summary.md · evidence/")
    owed = {
        f"pyVoIP phones took part in {len(foreign)} cases, not in {FOREIGN_CASES}": len(foreign) < FOREIGN_CASES,
        f"{routed - records} calls were routed and not compared with `why`": records != routed,
    }
    for what, missing in owed.items():
        if missing:
            print(f" missing    {what}")
    passed = result.passed and not different and not unequal and not any(owed.values())
    print(" result     PASSED" if passed else " result     NOT PASSED")
    if passed:
        return 0
    return result.exit_code or 1


def _evidence_beside(office: Office, out: Path) -> str:
    """Lay the evidence of the run beside its page; return why it could not be."""
    kept = office.lab.runs_folder / office.source.runs()[0].run / FOLDER
    try:
        shutil.rmtree(out / FOLDER, ignore_errors=True)
        if kept.is_dir():
            shutil.copytree(kept, out / FOLDER)
    except OSError as error:  # that of copytree names every file
        return f"evidence: {error.strerror or 'it could not be copied'}"
    return ""


def _with_pyvoip(office: Office, result: RunResult) -> list[str]:
    """Good cases in which a phone took part that really is pyVoIP, and not one of ours in its place."""
    theirs = {
        extension.device
        for phone in office.lab.phones
        if isinstance(phone, PyvoipPhone)
        for extension in phone.extensions
    }
    return [case.case for case in result.cases if case.good and theirs & set(case.binding.values())]


async def _stay(office: Office) -> None:
    print(f" console    {office.console_url}   end with Ctrl-C")
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    await over.wait()
