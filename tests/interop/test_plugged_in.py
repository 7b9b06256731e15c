"""A phone is plugged in and works: a foreign DHCP server with our snippet, a foreign DHCP client, foreign fetchers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from provisioning_server.overlay import ServedAt
from provisioning_server.respond import ConfigRequest
from tests.conftest import need
from tests.interop.plugged_in import HOST, PORT
from tests.provisioning.provisioned import BARESIP, first, small_domain
from tests.provisioning.test_foreign_clients import BARESIP_MODULES, registrar, running, service, until_registered

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


ACCOUNTS = {
    "yealink": r"account\.1\.auth_name = (?P<user>.*)\n(?:.*\n)*?account\.1\.password = (?P<password>.*)\n",
    "cisco": r"<authName>(?P<user>.*)</authName>\s*<authPassword>(?P<password>.*)</authPassword>",
}
"""By HTTP, and by TFTP: login and password, as each maker writes them."""


@pytest.mark.parametrize("phone", ACCOUNTS)
async def test_the_account_a_phone_was_given_over_its_cable_registers_by_baresip(phones, phone, tmp_path):
    need("baresip")
    account = re.search(ACCOUNTS[phone], phones[phone]["got"])
    taken, port, transport = await registrar(f"secret-of-{account['user']}", "MD5")
    made = service(small_domain(), ServedAt("127.0.0.1", port, "http://127.0.0.1:1/p"))
    config = made.answer(ConfigRequest("http", f"/p/{first(BARESIP)}/baresip/{BARESIP}/config", "127.0.0.1:1")).body
    own = f"module_path {BARESIP_MODULES}\nsip_listen 127.0.0.13:0\nnet_interface 127.0.0.13\n"
    quiet = "module aubridge.so\naudio_source aubridge,a\naudio_player aubridge,a\n"
    (tmp_path / "config").write_bytes(config + (own + quiet).encode())
    (tmp_path / "accounts").write_text(
        f"<sip:{account['user']}@acme.lab;transport=udp>;auth_user={account['user']};auth_pass={account['password']};"
        f'outbound="sip:127.0.0.1:{port};transport=udp";regint=60\n'
    )
    (tmp_path / "contacts").touch()
    async with running(tmp_path, "baresip", "-f", str(tmp_path)):
        assert (await until_registered(taken, tmp_path)).startswith("REGISTER sip:acme.lab")
    transport.close()
