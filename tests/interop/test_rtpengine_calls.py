"""A whole switchroom whose sound is carried by Debian's rtpengine, and two baresips that hear each other through it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.conftest import need
from tests.interop.foreign import BaresipPhone, booted_baresip, wait_to_hear
from tests.interop.office import Switchroom, seed_with
from tests.media.rtpengine_daemon import daemon, free_port

pytestmark = pytest.mark.soak

PHONES = ("101b", "102b")
TONE = "t{10}"


@pytest.fixture(scope="module")
def switchroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switchroom]:
    folder = tmp_path_factory.mktemp("rtpengine")
    devices = [
        {
            "id": device, "extension": int(device[:3]), "family": "generic/baresip", "model": "baresip",
            "mac": f"02b0b00004{number:02x}", "password": f"interop-secret-{device}-xyz", "token": f"{number:032x}",
        }
        for number, device in enumerate(PHONES, start=0xC0)
    ]  # fmt: skip
    port, keys = free_port(), free_port()
    options = ("media.engine=rtpengine", f"media.rtpengine=127.0.0.1:{port}", f"media.rtpengine_keys=127.0.0.1:{keys}")
    given = [part for option in options for part in ("--set", option)]
    with (
        daemon(folder, port, keys),
        Switchroom(folder, seed_with(folder / "seed.yaml", devices), *given) as running,
    ):
        yield running
        assert running.stop() == 0, running.log()


@pytest.fixture(scope="module")
def phones(switchroom: Switchroom, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, BaresipPhone]]:
    need("baresip")
    folder = tmp_path_factory.mktemp("phones")
    with ExitStack() as stack:
        yield {
            device: stack.enter_context(booted_baresip(switchroom, device, folder, f"127.0.85.{at}"))
            for at, device in enumerate(PHONES, start=11)
        }


def test_two_baresips_talk_hold_and_press_keys_through_rtpengine(switchroom, phones):
    one, two = phones.values()
    before = switchroom.newest
    one.dial(f"sip:102@{switchroom.domain}")
    two.wait_for_ringing()
    two.answer()
    two.wait_until_up()
    wait_to_hear(one, two.device, TONE, two)
    wait_to_hear(two, one.device, TONE, one)
    switchroom.wait_for("rtp.two_way", after=before)
    one.press("7")
    assert switchroom.wait_for("rtp.dtmf", after=before)["device"] == one.device
    two.hold()
    switchroom.wait_for("rtp.playing", after=before, device=one.device)
    two.resume()
    switchroom.wait_for("call.resumed", after=before)
    one.hang_up()
    two.wait_until_over()
    for device in PHONES:
        assert switchroom.wait_for("rtp.stopped", after=before, device=device)["received"] > 50
    switchroom.wait_until_idle()
