"""baresip and Opus: between two that speak it nothing is coded; a third hears them by G.711."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from pbx.media.codecs import has_opus
from tests.conftest import need
from tests.interop.foreign import BaresipPhone, booted_baresip, wait_to_hear
from tests.interop.office import Switchroom, seed_with

pytestmark = pytest.mark.soak

TONE = "t{10}"
CODECS = {"101b": "opus/48000/2,PCMU/8000/1", "102b": "opus/48000/2", "103b": "PCMU/8000/1"}


@pytest.fixture(scope="module")
def switchroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switchroom]:
    if not has_opus():
        pytest.skip("libopus is not installed (apt-get install libopus0)")
    folder = tmp_path_factory.mktemp("opus")
    devices = [
        {
            "id": device, "extension": int(device[:3]), "family": "generic/baresip", "model": "baresip",
            "mac": f"02b0b00005{number:02x}", "password": f"interop-secret-{device}-xyz", "token": f"{number:032x}",
        }
        for number, device in enumerate(CODECS, start=0xC0)
    ]  # fmt: skip
    with Switchroom(folder, seed_with(folder / "seed.yaml", devices), "--set", "media.opus=true") as running:
        yield running
        assert running.stop() == 0, running.log()


@pytest.fixture(scope="module")
def phones(switchroom: Switchroom, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, BaresipPhone]]:
    need("baresip")
    folder = tmp_path_factory.mktemp("phones")
    with ExitStack() as stack:
        yield {
            device: stack.enter_context(
                booted_baresip(
                    switchroom,
                    device,
                    folder,
                    f"127.0.86.{at}",
                    codecs=codecs,
                    more="module opus.so",
                )
            )
            for at, (device, codecs) in enumerate(CODECS.items(), start=11)
        }


@pytest.mark.parametrize(
    ("calling", "called", "spoken"),
    [
        ("101b", "102b", ("OPUS", "OPUS")),
        ("102b", "101b", ("OPUS", "OPUS")),
        ("102b", "103b", ("OPUS", "PCMU")),
        ("103b", "102b", ("PCMU", "OPUS")),
        ("103b", "101b", ("PCMU", "PCMU")),
    ],
)
def test_nothing_is_coded_unless_it_must_be_and_both_are_heard(switchroom, phones, calling, called, spoken):
    one, two = phones[calling], phones[called]
    before = switchroom.newest
    one.dial(f"sip:{called[:3]}@{switchroom.domain}")
    two.wait_for_ringing()
    two.answer()
    two.wait_until_up()
    wait_to_hear(one, called, TONE, two)
    wait_to_hear(two, calling, TONE, one)
    one.hang_up()
    two.wait_until_over()
    for device, codec in zip((calling, called), spoken, strict=True):
        assert switchroom.wait_for("rtp.stopped", after=before, device=device)["codec"] == codec
    for phone in phones.values():
        phone.rest()
    switchroom.wait_until_idle()
