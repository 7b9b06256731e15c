"""The whole lab on real sockets: it starts, its phones boot, talk and hear; it ends and leaves nothing."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest

from lab.addresses import PortPlan
from lab.bench import LabBench
from lab.lab_settings import LabSettings
from lab.phones.boot import BootPace
from lab.phones.pyvoip_phone import PyvoipPhone, available
from lab.seeds.load import load_seed
from lab.service import Lab
from pbx.events import CallRouted, ServerFault
from test_plans.bench import BenchDevice, CannotDo

pytestmark = pytest.mark.realtime

QUICK = BootPace(link_s=0.02, dhcp_s=0.02, discover_s=0.02)


def hears(device: BenchDevice, sound: str) -> bool:
    return any(sensed.sound == sound for sensed in device.heard())


async def talk(lab: Lab, caller: BenchDevice, called: BenchDevice) -> None:
    caller.do("dial", called.number)
    assert await lab.until(lambda: not called.idle, 30)
    called.do("answer")
    both = lambda: hears(caller, f"signature:{called.id}") and hears(called, f"signature:{caller.id}")  # noqa: E731
    assert await lab.until(both, 30)


async def hang_up(lab: Lab, device: BenchDevice) -> None:
    device.do("hangup")
    assert await lab.until(lambda: not any(lab.switch.live().values()), 30)


async def test_the_office_boots_talks_and_ends():
    lab = Lab(load_seed(), LabSettings(pace=QUICK))
    await lab.start()
    try:
        assert await lab.until(lambda: all(lab.health().values()), 30)
        assert await lab.boot_phones(60)
        bench = LabBench(lab)
        device = {item.id: item for item in bench.devices()}
        assert all(device[str(n)].registered for n in range(101, 113))
        assert "101" in device["101"].screen

        predicted = bench.why(device["101"], "102")
        await talk(lab, device["101"], device["102"])
        routed = [stamped.event for stamped in bench.bus.since(0) if isinstance(stamped.event, CallRouted)]
        assert routed[0].record == predicted
        await hang_up(lab, device["102"])

        assert {type(phone) for phone in lab.phones if phone.extensions[0].device in ("109", "110")} == {
            PyvoipPhone if available() else type(lab.phones[0])
        }
        await talk(lab, device["109"], device["110"])
        device["109"].do("press", "42")
        pressed = lambda: [s.event.digit for s in bench.bus.since(0) if s.event.kind == "rtp.dtmf"]  # noqa: E731
        assert await lab.until(lambda: pressed() == ["4", "2"], 30)
        await hang_up(lab, device["109"])

        outside = device["14165550142"]
        outside.do("dial", "14165550101")
        assert await lab.until(lambda: not device["101"].idle, 30)
        device["101"].do("answer")
        assert await lab.until(lambda: hears(outside, "signature:101"), 30)
        await hang_up(lab, outside)

        if available():
            with pytest.raises(CannotDo):
                device["110"].do("hold")
        assert [s.event for s in bench.bus.since(0) if isinstance(s.event, ServerFault)] == []
    finally:
        await lab.close()
    assert not any(lab.health().values())
    assert [thread.name for thread in threading.enumerate() if "pyVoIP" in thread.name] == []


async def test_a_killed_switch_comes_back_from_its_store_and_everybody_is_reachable():
    lab = Lab(load_seed(), LabSettings(pace=QUICK, pyvoip=False))
    await lab.start()
    try:
        assert await lab.boot_phones(60)
        device = {item.id: item for item in LabBench(lab).devices()}
        lab.restart_switch()
        # 105 is on TCP: its connection went with the old switch, so it registers again.
        assert await lab.until(lambda: lab.alive and all(device[str(n)].registered for n in range(101, 113)), 60)
        await talk(lab, device["102"], device["105"])
        await hang_up(lab, device["105"])
    finally:
        await lab.close()


async def test_without_phones_it_serves_and_tells_where():
    lab = Lab(load_seed(), LabSettings(phones=False))
    await lab.start()
    try:
        ready = lab.ready(console_port=1234)
        assert ready["console"] == "http://127.0.0.1:1234"
        assert set(ready["devices"]) == {str(n) for n in range(101, 113)}
        with socket.create_connection(("127.0.0.1", ready["sip"]["tcp"]), 2):
            pass
        assert list(lab.phones) == []
    finally:
        await lab.close()
        await lab.close()


async def test_a_taken_port_is_an_error_and_nothing_is_left_running():
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    before = {task for task in asyncio.all_tasks() if not task.done()}
    lab = Lab(load_seed(), LabSettings(phones=False, ports=PortPlan(provisioning=taken.getsockname()[1])))
    with pytest.raises(OSError):
        await lab.start()
    taken.close()
    assert {task for task in asyncio.all_tasks() if not task.done()} == before


async def test_state_is_found_again_in_the_folder_it_was_left_in(tmp_path):
    first = Lab(load_seed(), LabSettings(data=tmp_path, pace=QUICK, pyvoip=False))
    await first.start()
    assert await first.boot_phones(60)
    secret = (tmp_path / "installation.secret").read_bytes()
    assert await first.until(lambda: len(first.store.bindings()) == 12, 3)
    await first.close()
    second = Lab(load_seed(), LabSettings(data=tmp_path, phones=False))
    await second.start()
    assert len(second.store.bindings()) >= 10
    await second.close()
    assert (tmp_path / "installation.secret").read_bytes() == secret
    assert (tmp_path / "installation.secret").stat().st_mode & 0o077 == 0
