"""SIP over TLS with a phone that is not ours: baresip, trusting the lab's authority and nobody else."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.conftest import need
from tests.interop.foreign import booted_baresip, wait_to_hear
from tests.interop.office import Switchroom, seed_with

DEVICES = ("101b", "102b")
TONE = "t{10}"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switchroom]:
    need("baresip")
    folder = tmp_path_factory.mktemp("secured")
    devices = [
        {
            "id": device,
            "extension": int(device[:3]),
            "family": "generic/baresip",
            "model": "baresip",
            "mac": f"02b0b0010{device[:3]}",
            "transport": "tls",
            "password": f"interop-secret-{device}-xyz",
            "token": f"{number:032x}",
        }
        for number, device in enumerate(DEVICES, start=0x7150)
    ]
    with Switchroom(folder, seed_with(folder / "seed.yaml", devices)) as running:
        yield running
        assert running.stop() == 0, running.log()


def test_the_ready_file_names_the_port_and_an_authority_that_can_be_fetched(secured):
    assert secured.ready["sip"]["tls"] == secured.base + 61
    with urlopen(secured.ready["tls"]["ca_url"], timeout=10) as answer:
        fetched = answer.read()
    assert fetched == Path(secured.ready["tls"]["ca_file"]).read_bytes()
    context = ssl.create_default_context(cadata=fetched.decode())
    assert len(context.get_ca_certs()) == 1


def test_two_baresips_talk_over_tls(secured, tmp_path):
    authority = secured.ready["tls"]["ca_file"]
    with (
        booted_baresip(secured, "101b", tmp_path, "127.0.61.1", authority=authority) as one,
        booted_baresip(secured, "102b", tmp_path, "127.0.61.2", authority=authority) as two,
    ):
        one.dial(f"sip:102@{secured.domain}")
        two.wait_for_ringing()
        two.answer()
        two.wait_until_up()
        wait_to_hear(one, "102b", TONE, two)
        wait_to_hear(two, "101b", TONE, one)
        two.hang_up()
        one.wait_until_over()
    registered = secured.wait_for("registration.added", device="101b")
    assert registered["address"].startswith("tls:")


def test_the_same_port_shows_its_certificate_to_openssl(secured):
    """An independent client agrees with the chain and the name."""
    done = subprocess.run(
        [
            need("openssl"), "s_client", "-connect", f"127.0.0.1:{secured.ready['sip']['tls']}", "-CAfile",
            secured.ready["tls"]["ca_file"], "-verify_return_error", "-verify_ip", "127.0.0.1", "-brief",
        ],
        input=b"", capture_output=True, timeout=20, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"Verification: OK" in done.stderr
