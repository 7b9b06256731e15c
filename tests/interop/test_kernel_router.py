"""`switchroom probe` behind the kernel's own router: its NAT, and its SIP ALG (nf_conntrack_sip, nf_nat_sip)."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.conftest import need
from tests.interop.kernel_router import ALG, ROUTERS
from tests.interop.office import ROOT

pytestmark = [pytest.mark.soak, pytest.mark.realtime]  # half a minute of silence, and four probes side by side


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, Any]]:
    """What the probe found behind each router."""
    for program in ("unshare", "nsenter", "ip", "iptables", "sysctl"):
        need(program)
    if subprocess.run(["unshare", "-rn", *ALG], capture_output=True, check=False).returncode:
        pytest.skip("this kernel gives no network namespaces, or has no SIP helper")
    command = ["unshare", "-rn", sys.executable, "-m", "tests.interop.kernel_router", *ROUTERS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize(
    ("router", "finding", "seen"),
    [
        ("alg", "alg", "a SIP request arrives changed: Via: SIP/2.0/UDP 192.168.7.23:"),
        ("symmetric", "symmetric-nat", "seen as 198.51."),
        ("forgetful", "nat-timeout", "one after 30 s does not"),
    ],
)
def test_the_kernels_router_is_found_by_what_it_does(found, router, finding, seen):
    (only,) = found[router]["findings"]
    assert only["id"] == finding
    assert only["seen"].startswith(seen)
    assert only["remedy"]


def test_a_router_that_does_nothing_but_nat_is_fit_for_voice(found):
    assert found["nat"]["findings"] == []
    assert found["nat"]["passed"]
