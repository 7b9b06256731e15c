from __future__ import annotations

import json

import pytest

from lab.addresses import Listening, PortPlan, port_plan, ready_document, write_ready
from lab.provisioner import virtual_office
from lab.seeds.load import load_seed
from lab.world import SWITCH

AT = Listening("127.0.0.1", 6060, 6001, 6069, 6000, 6061, "/data/tls/ca.pem")


def test_the_layout_counts_from_its_base():
    plan = port_plan(6000)
    assert (plan.console, plan.provisioning, plan.sip, plan.tftp) == (6000, 6001, 6060, 6069)


def test_a_base_of_nothing_takes_whatever_is_free():
    assert port_plan(0) == PortPlan(0, 0, 0, 0)


@pytest.mark.parametrize("base", [80, 65500])
def test_a_base_whose_layout_does_not_fit_is_refused(base):
    with pytest.raises(ValueError, match=f"port base {base}"):
        port_plan(base)


def test_the_ready_file_tells_everything_a_script_needs():
    directory = load_seed().directory
    office = virtual_office(SWITCH, "10.0.0.2", b"secret")
    document = ready_document(AT, directory, office, secrets=True)
    one = document["devices"]["101"]
    assert (one["extension"], one["auth_user"], one["mac"]) == ("101", "101", "805ec0a10101")
    assert one["password"] == directory.devices_by_id["101"].password.get_secret_value()
    assert one["config_url"].startswith("http://10.0.0.2/p/")
    assert f"{one['config_url']}805ec0a10101.cfg" in one["config_files"]
    assert document["sip"] == {"host": "127.0.0.1", "udp": 6060, "tcp": 6060, "tls": 6061}
    assert document["tls"] == {"ca_file": "/data/tls/ca.pem", "ca_url": "http://127.0.0.1:6001/ca.pem"}
    assert document["provisioning"]["http"] == "http://127.0.0.1:6001/p"
    assert document["console"] == "http://127.0.0.1:6000"


def test_without_leave_no_secret_is_in_it():
    directory = load_seed().directory
    document = ready_document(AT, directory, virtual_office(SWITCH, "10.0.0.2", b"secret"), secrets=False)
    text = json.dumps(document)
    for device in directory.devices:
        assert device.password.get_secret_value() not in text
        assert device.token.get_secret_value() not in text


def test_the_file_appears_whole_and_for_its_owner_alone(tmp_path):
    path = tmp_path / "ready.json"
    write_ready(path, {"ready": True})
    assert json.loads(path.read_text()) == {"ready": True}
    assert path.stat().st_mode & 0o077 == 0
    assert [entry.name for entry in tmp_path.iterdir()] == ["ready.json"]
