"""One phone of every family in one office on real sockets: each boots from what is served, registers and calls."""

from __future__ import annotations

import pytest
import pytest_asyncio

from lab.bench import LabBench
from lab.phones.boot import BootPace
from lab.seeds.load import Seed
from lab.seeds.model import LabSeed
from lab.service import Lab, LabSettings
from tests.lab.every_family import EXTENSION, NAMES, SHIPPED, every_family

pytestmark = [pytest.mark.soak, pytest.mark.realtime, pytest.mark.asyncio(loop_scope="module")]

BY_TFTP = tuple(EXTENSION[name] for name in NAMES[::2] if SHIPPED[name].dhcp)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab():
    made = Lab(Seed(every_family(), LabSeed(tftp=BY_TFTP)), LabSettings(pyvoip=False, pace=BootPace(0.02, 0.02, 0.02)))
    await made.start()
    try:
        yield made
    finally:
        await made.close()


async def test_every_family_boots_registers_and_is_heard(lab) -> None:
    assert await lab.boot_phones(120)
    phones = {phone.box.family: phone for phone in lab.phones}
    assert set(phones) == set(NAMES)
    assert await lab.until(lambda: all(line.registered for phone in lab.phones for line in phone.lines), 60)
    devices = {device.id: device for device in LabBench(lab).devices()}
    called = devices[EXTENSION[NAMES[0]]]
    for name in NAMES[1:]:
        caller = devices[EXTENSION[name]]
        caller.do("dial", called.id)
        assert await lab.until(lambda: not called.idle, 15), name
        called.do("answer")
        assert await lab.until(lambda caller=caller: bool(caller.heard) and bool(called.heard), 15), name
        caller.do("hangup")
        assert await lab.until(lambda caller=caller: caller.idle and called.idle, 15), name
