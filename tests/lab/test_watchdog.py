"""Health means it: what does not do its work turns red within five seconds, and green when it does it again."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lab.lab_settings import LabSettings
from lab.seeds.load import load_seed
from lab.service import Lab
from lab.watchdog import LATE_S, SILENT_S, UNWRITTEN_S, Vitals
from pbx.events import HealthChanged, SipRequest
from pbx.store.database import FILE

RED_S = 5.0
GREEN_S = 20.0


def wrong(vitals: Vitals, now: float) -> set[str]:
    return {part for part, reason in vitals.reasons(now).items() if reason}


def beat_on(vitals: Vitals, *late: float, media: bool = True) -> None:
    for late_s in late:
        vitals.beat(late_s, media=media)


def test_one_hiccup_is_no_lag_and_two_of_three_are():
    vitals = Vitals(0.0)
    beat_on(vitals, 0.0, LATE_S * 2, 0.0)
    assert wrong(vitals, 0.0) == set()
    beat_on(vitals, LATE_S * 2)
    assert wrong(vitals, 0.0) == {"loop"}
    beat_on(vitals, 0.0, 0.0)
    assert wrong(vitals, 0.0) == set()


def test_silence_and_an_unwritten_disk_are_told_in_time():
    vitals = Vitals(0.0)
    assert wrong(vitals, SILENT_S) == set()
    assert wrong(vitals, max(SILENT_S, UNWRITTEN_S) + 0.1) == {"sip", "store"}
    vitals.heard(10.0)
    vitals.written(10.0, all_of_it=True, refuses=False)
    assert wrong(vitals, 10.0) == set()
    vitals.written(10.5, all_of_it=False, refuses=True)
    assert vitals.reasons(10.5)["store"] == "the disk refuses"


def test_a_media_process_that_is_gone_is_told():
    vitals = Vitals(0.0)
    beat_on(vitals, 0.0, media=False)
    assert wrong(vitals, 0.0) == {"media"}


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    made = Lab(load_seed(), LabSettings(data=tmp_path, phones=False))
    await made.start()
    yield made
    await made.close()


async def turns(lab: Lab, part: str, ready: bool, within_s: float) -> float:
    """Wait until a part is as it should be; return the seconds that took."""
    begun = time.monotonic()
    assert await lab.until(lambda: lab.health()[part] is ready, within_s), (part, lab.health())
    return time.monotonic() - begun


@pytest.mark.realtime
async def test_a_service_that_has_started_is_healthy_and_its_pulse_is_not_traced(lab):
    assert lab.health()["sip"]
    assert await lab.until(lambda: all(lab.health().values()), GREEN_S)
    beats = lab.store.confirmed
    assert await lab.until(lambda: lab.store.confirmed > beats + 1, GREEN_S)
    assert [stamped for stamped in lab.bus.since(0) if isinstance(stamped.event, SipRequest)] == []


@pytest.mark.realtime
async def test_a_store_that_cannot_write_is_red_and_back_when_it_can(lab, tmp_path):
    wrong_when_told_well: list[bool] = []
    lab.well = lambda: wrong_when_told_well.append(any(lab._watchdog.reasons().values()))
    holder = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        assert await turns(lab, "store", False, RED_S) < RED_S
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    wrong_when_told_well.append(False)  # a machine may be too busy to have been well before
    await turns(lab, "store", True, GREEN_S)
    assert not any(wrong_when_told_well)
    told = [stamped.event for stamped in lab.bus.since(0) if isinstance(stamped.event, HealthChanged)]
    assert [(event.part, event.ready) for event in told if event.part == "store"] == [("store", False), ("store", True)]


@pytest.mark.realtime
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["died", "hangs"])
async def test_a_media_process_that_died_or_hangs_is_red_until_it_is_back(lab, how):
    engine = lab._media.switch
    assert engine is not None
    os.kill(engine.pid, how)
    await turns(lab, "media", False, RED_S)
    await turns(lab, "media", True, GREEN_S)


@pytest.mark.realtime
async def test_a_socket_that_hears_nothing_is_red_though_everything_runs(lab):
    udp = lab._shell._udp
    asyncio.get_running_loop().remove_reader(udp._socket)
    assert lab.alive
    assert await turns(lab, "sip", False, RED_S) < RED_S
    udp.start()
    await turns(lab, "sip", True, GREEN_S)
