"""A scanner everybody can get, sipvicious, against a running switchroom: it learns nothing and holds nobody up."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from tests.conftest import need
from tests.interop.handset import Handset
from tests.interop.office import PATIENCE_S, Switchroom, seed_with

pytestmark = pytest.mark.soak  # half a minute and more: the suite has fifteen

VICTIM = {
    "id": "101v", "extension": 101, "family": "generic/baresip", "model": "baresip", "mac": "02b0b0000101",
    "password": "interop-secret-101v", "token": f"{0x5150:032x}",
}  # fmt: skip
WRONG = 40
CRACKERS = 6


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switchroom]:
    need("svmap")
    folder = tmp_path_factory.mktemp("attacked")
    seed = seed_with(folder / "seed.yaml", [VICTIM])
    with Switchroom(folder, seed, "--set", "log.level=debug") as running:  # SIP messages are logged there
        yield running
        assert running.stop() == 0, running.log()


def started(switchroom: Switchroom, program: str, number: int, *options: str) -> subprocess.Popen[str]:
    """Start one scanner at the switchroom, from a port of its own so that nobody's late answers confuse it."""
    command = [need(program), "-v", "-p", str(switchroom.sip_port), "-b", "127.0.0.1"]
    command += ["-P", str(switchroom.base + 70 + number), *options, "127.0.0.1"]
    home = {"HOME": str(switchroom.folder), "PATH": "/usr/bin:/bin"}
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=home
    )


def said(scanner: subprocess.Popen[str]) -> str:
    """Wait until a scanner has ended, as they do by themselves, and return what it printed."""
    try:
        output, _ = scanner.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        scanner.kill()
        output, _ = scanner.communicate()
        raise AssertionError(f"{scanner.args} did not end: {output[-1000:]}") from None
    assert scanner.returncode == 0, output
    return output


def asked(switchroom: Switchroom, method: str, after: int) -> list[str]:
    """Users a scanner asked about with this method, as the switch saw it."""
    texts = [e["text"] for e in switchroom.events() if e["event"] == "sip.request" and e["seq"] > after]
    scans = [text for text in texts if text.startswith(f"{method} ") and "friendly-scanner" in text]
    return [found[1] for text in scans if (found := re.search(r"^To:.*<sip:([^@>]+)", text, re.MULTILINE))]


def test_svmap_sees_a_server_and_nobody_behind_it(attacked):
    output = said(started(attacked, "svmap", 0))
    assert f"127.0.0.1:{attacked.sip_port}" in output
    assert [device for device in attacked.ready["devices"] if f"{device} " in output] == []


@pytest.mark.parametrize("method", ["REGISTER", "OPTIONS", "INVITE"])
def test_svwar_finds_no_extension(attacked, method):
    newest = attacked.newest
    scanner = started(
        attacked, "svwar", 1, "--force", "-m", method, "--domain", attacked.domain, "-t", "0.0001", "-e", "101-130"
    )
    output = said(scanner)
    assert "found nothing" in output
    assert "exists" not in output
    assert "101" in asked(attacked, method, newest)
    assert [e for e in attacked.events() if e["event"] == "call.invited"] == []


def test_svcrack_does_not_get_the_password_while_the_phone_it_is_of_registers_and_calls(attacked, tmp_path):
    words = tmp_path / "words"
    words.write_text("\n".join([*(f"wrong-{number}" for number in range(WRONG)), str(VICTIM["password"]), ""]))
    options = ("-u", str(VICTIM["id"]), "--domain", attacked.domain, "-d", str(words))
    with Handset(attacked, str(VICTIM["id"])) as phone:
        phone.register()
        newest, begun = attacked.newest, time.monotonic()
        crackers = [started(attacked, "svcrack", 2 + number, *options) for number in range(CRACKERS)]
        attacked.wait_for("registration.slowed", after=newest)
        waited = [seconds(lambda: phone.register()), seconds(lambda: phone.hang_up(phone.call("102")[0]))]
        outputs = [said(cracker) for cracker in crackers]
        took = time.monotonic() - begun
        waited.append(seconds(lambda: phone.register()))
    attacked.wait_until_idle()
    assert max(waited) < 2.0
    assert ["found nothing" in output for output in outputs] == [True] * CRACKERS
    after = [event for event in attacked.events() if event["seq"] > newest]
    looked_at = sum(event["event"] == "registration.refused" for event in after)
    assert 10 <= looked_at <= 10 + 5 * took
    assert {e["address"].rpartition(":")[2] for e in after if e["event"] == "registration.refreshed"} == {
        str(phone.address[1])
    }
    assert [e for e in after if e["event"] in ("registration.added", "server.error")] == []


def seconds(act: Callable[[], object]) -> float:
    begun = time.monotonic()
    act()
    return time.monotonic() - begun
