"""baresip with SRTP: required by one phone, unknown to the other; the PBX speaks to each as it wants."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.conftest import need
from tests.interop.foreign import BaresipPhone, booted_baresip, wait_to_hear
from tests.interop.office import Switchroom, seed_with

pytestmark = pytest.mark.soak  # half a minute and more: the suite has fifteen

TONE = "t{10}"
PHONES = {"101b": "yes", "102b": "opportunistic", "103b": "no"}
"""Policy of the PBX, which the phone reads in the configuration we serve: required, optional, unknown to it."""


@pytest.fixture(scope="module")
def switchroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switchroom]:
    folder = tmp_path_factory.mktemp("encrypted")
    devices = [
        {
            "id": device, "extension": int(device[:3]), "family": "generic/baresip", "model": "baresip",
            "mac": f"02b0b00001{number:02x}", "password": f"interop-secret-{device}-xyz", "token": f"{number:032x}",
            "srtp": policy,
        }
        for number, (device, policy) in enumerate(PHONES.items(), start=0xC0)
    ]  # fmt: skip
    with Switchroom(folder, seed_with(folder / "seed.yaml", devices)) as running:
        yield running
        assert running.stop() == 0, running.log()


@pytest.fixture(scope="module")
def phones(switchroom: Switchroom, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, BaresipPhone]]:
    need("baresip")
    folder = tmp_path_factory.mktemp("phones")
    with ExitStack() as stack:
        yield {
            device: stack.enter_context(booted_baresip(switchroom, device, folder, f"127.0.83.{at}"))
            for at, device in enumerate(PHONES, start=11)
        }


@pytest.mark.parametrize(
    ("calling", "called", "encrypted"),
    [
        ("101b", "102b", {"101b", "102b"}),
        ("102b", "101b", {"101b", "102b"}),
        ("101b", "103b", {"101b"}),
        ("103b", "101b", {"101b"}),
        ("103b", "102b", {"102b"}),
    ],
)
def test_each_hears_the_other_encrypted_or_not(switchroom, phones, calling, called, encrypted):
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
    for device in (calling, called):
        report = switchroom.wait_for("rtp.stopped", after=before, device=device)
        assert report["encrypted"] is (device in encrypted), report
        assert report["received"] > 50
    for phone in phones.values():
        phone.rest()
    switchroom.wait_until_idle()
