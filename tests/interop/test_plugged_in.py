"""A phone is plugged in and works: a foreign DHCP server with our snippet, a foreign DHCP client, foreign fetchers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import need
from tests.interop.plugged_in import HOST, PORT

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.realtime


@pytest.fixture(scope="module")
def phones(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    for program in ("unshare", "nsenter", "ip", "dnsmasq", "busybox"):
        need(program)
    tried = ["unshare", "-rn", "ip", "link", "add", "sw-try", "type", "veth", "peer", "name", "ph-try"]
    if subprocess.run(tried, capture_output=True, check=False).returncode:
        pytest.skip("this machine gives no network namespaces")
    folder = tmp_path_factory.mktemp("plugged-in")
    command = ["unshare", "-rn", sys.executable, "-m", "tests.interop.plugged_in", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("phone", "option", "value"),
    [
        ("grandstream", "160", f"http://{HOST}:{PORT}/p"),  # of a URL in 66 busybox says `bad`: it wants a host there
        ("cisco", "66", HOST),
        ("yealink", "160", f"http://{HOST}:{PORT}/p"),
        ("cisco", "150", HOST),
    ],
)
def test_dnsmasq_tells_each_phone_in_the_option_it_looks_at(phones, phone, option, value):
    assert phones[phone]["told"][option] == value


@pytest.mark.parametrize(
    ("phone", "written"),
    [
        ("grandstream", "<P34>secret-of-111</P34>"),
        ("yealink", "account.1.password = secret-of-101\n"),
        ("cisco", "<authPassword>secret-of-102</authPassword>"),
    ],
)
def test_each_phone_fetches_its_account_by_what_it_was_told(phones, phone, written):
    assert written in phones[phone]["got"]
