"""Two baresips whose sound goes past the relay, and comes back to it for the music of a hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.conftest import need
from tests.interop.foreign import BaresipPhone, booted_baresip, wait_to_hear
from tests.interop.office import Switchroom, seed_with

pytestmark = pytest.mark.soak

PHONES = ("101b", "102b")
NO_JITTER_BUFFER = "jitter_buffer_delay 0-0"
"""That of baresip 1.0 drops every packet of another source whose numbers are lower than those before."""
LONG = "t{40}"
"""Four seconds of the other's tone without a break."""
SOON_S = 2.0
"""The relay carries nothing after so much of a call."""


@pytest.fixture(scope="module")
def switchroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switchroom]:
    folder = tmp_path_factory.mktemp("direct")
    devices = [
        {
            "id": device, "extension": int(device[:3]), "family": "generic/baresip", "model": "baresip",
            "mac": f"02b0b00003{number:02x}", "password": f"interop-secret-{device}-xyz", "token": f"{number:032x}",
        }
        for number, device in enumerate(PHONES, start=0xC0)
    ]  # fmt: skip
    seed = seed_with(folder / "seed.yaml", devices, codes_in_calls=False)
    with Switchroom(folder, seed, "--set", "media.direct=true") as running:
        yield running
        assert running.stop() == 0, running.log()


@pytest.fixture(scope="module")
def phones(switchroom: Switchroom, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, BaresipPhone]]:
    need("baresip")
    folder = tmp_path_factory.mktemp("phones")
    with ExitStack() as stack:
        yield {
            device: stack.enter_context(
                booted_baresip(switchroom, device, folder, f"127.0.84.{at}", more=NO_JITTER_BUFFER)
            )
            for at, device in enumerate(PHONES, start=11)
        }


def test_two_baresips_hear_each_other_past_the_relay(switchroom, phones):
    one, two = phones.values()
    before = switchroom.newest
    one.dial(f"sip:102@{switchroom.domain}")
    two.wait_for_ringing()
    two.answer()
    two.wait_until_up()
    assert switchroom.wait_for("rtp.path", after=before)["path"] == "direct"
    wait_to_hear(one, two.device, LONG, two)
    wait_to_hear(two, one.device, LONG, one)
    two.hold()
    assert switchroom.wait_for("rtp.path", after=before, path="relayed")["why"] == "102b has put the other on hold"
    held = switchroom.newest
    two.resume()
    switchroom.wait_for("rtp.path", after=held, path="direct")
    one.hang_up()
    two.wait_until_over()
    for device in PHONES:
        report = switchroom.wait_for("rtp.stopped", after=before, device=device)
        assert report["seconds"] > 4
        assert report["received"] < 50 * min(SOON_S, report["seconds"] / 2), report
    switchroom.wait_until_idle()
