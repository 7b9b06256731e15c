"""SIP over TLS with a phone that is not ours: baresip, trusting the lab's authority and nobody else."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.conftest import need
from tests.interop.baresip import Baresip
from tests.interop.office import Switchroom, seed_with
from tests.interop.test_foreign_phones import MODULES, free_port
from tests.interop.tones import seconds_of_tone, write_tone

TONES = {"101t": 440.0, "102t": 1000.0}


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
        for number, device in enumerate(TONES, start=0x7150)
    ]
    with Switchroom(folder, seed_with(folder / "seed.yaml", devices)) as running:
        yield running
        assert running.stop() == 0, running.log()


def boot(switchroom: Switchroom, device: str, folder: Path, address: str, authority: Path) -> Baresip:
    """Start a baresip on what the server serves it, with an authority to trust."""
    home = folder / device
    (home / "rec").mkdir(parents=True)
    for name in ("config", "accounts", "contacts"):
        with urlopen(switchroom.device(device)["config_url"] + name, timeout=10) as answer:
            (home / name).write_bytes(answer.read())
    control = free_port()
    tone = write_tone(home / "tone.wav", TONES[device], 60)
    with (home / "config").open("a") as config:
        config.write(
            f"module_path {MODULES}\nsip_listen {address}:5060\nsip_cafile {authority}\nnet_interface {address}\n"
            f"rtp_ports 12000-12200\naudio_source aufile,{tone}\naudio_player aubridge,null{device}\n"
            f"audio_alert aubridge,alert{device}\nsnd_path {home}/rec\nctrl_tcp_listen 127.0.0.1:{control}\n"
            "module aufile.so\nmodule aubridge.so\nmodule sndfile.so\nmodule_app ctrl_tcp.so\n"
        )
    return Baresip(home, control)


def heard(phone: Baresip, hertz: float) -> bool:
    for _ in range(25):
        if max((seconds_of_tone(path, hertz) for path in phone.heard()), default=0.0) > 1.0:
            return True
        phone.run_for(0.2)
    return False


def test_the_ready_file_names_the_port_and_an_authority_that_can_be_fetched(secured):
    assert secured.ready["sip"]["tls"] == secured.base + 61
    with urlopen(secured.ready["tls"]["ca_url"], timeout=10) as answer:
        fetched = answer.read()
    assert fetched == Path(secured.ready["tls"]["ca_file"]).read_bytes()
    context = ssl.create_default_context(cadata=fetched.decode())
    assert len(context.get_ca_certs()) == 1


def test_two_baresips_talk_over_tls(secured, tmp_path):
    authority = Path(secured.ready["tls"]["ca_file"])
    with (
        boot(secured, "101t", tmp_path, "127.0.61.1", authority) as one,
        boot(secured, "102t", tmp_path, "127.0.61.2", authority) as two,
    ):
        one.wait_for_log("[1 binding]")
        two.wait_for_log("[1 binding]")
        one.dial(f"sip:102@{secured.domain}")
        two.wait_for("CALL_INCOMING")
        two.accept()
        one.wait_for("CALL_ESTABLISHED")
        two.wait_for("CALL_ESTABLISHED")
        one.run_for(3)
        two.hang_up()
        one.wait_for("CALL_CLOSED")
        assert heard(one, TONES["102t"])
        assert heard(two, TONES["101t"])


def test_the_same_port_shows_its_certificate_to_openssl(secured):
    """An independent client agrees with the chain and the name."""
    import subprocess

    done = subprocess.run(
        [
            need("openssl"), "s_client", "-connect", f"127.0.0.1:{secured.ready['sip']['tls']}", "-CAfile",
            secured.ready["tls"]["ca_file"], "-verify_return_error", "-verify_ip", "127.0.0.1", "-brief",
        ],
        input=b"", capture_output=True, timeout=20, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"Verification: OK" in done.stderr
