"""The office in the real world over IPv6, and with phones that speak TLS."""

from __future__ import annotations

import asyncio

import pytest
import yaml

from lab.bench import LabBench
from lab.lab_settings import LabSettings
from lab.seeds.load import OFFICE, load_seed, read_seed
from lab.service import Lab
from pbx.events import CertificateUsed, ConfigServed, DeviceRegistered, ServerFault, SipRequest, TlsRefused
from tests.lab.test_service import QUICK, hang_up, talk

pytestmark = pytest.mark.realtime


def seen(lab: Lab, kind):
    return [stamped.event for stamped in lab.bus.since(0) if isinstance(stamped.event, kind)]


async def test_the_office_boots_and_talks_over_ipv6():
    lab = Lab(load_seed(), LabSettings(host="::1", pyvoip=False, pace=QUICK))
    await lab.start()
    try:
        assert await lab.boot_phones(20)
        device = {item.id: item for item in LabBench(lab).devices()}
        await talk(lab, device["101"], device["102"])
        await hang_up(lab, device["101"])
        registered = seen(lab, DeviceRegistered)[0]
        assert registered.address.startswith("udp:[::1]:")
        assert "@[::1]:" in registered.contact
        invite = next(e for e in seen(lab, SipRequest) if (e.direction, e.method) == ("out", "INVITE"))
        port = lab.ready()["sip"]["udp"]
        assert f"Via: SIP/2.0/UDP [::1]:{port};" in invite.text
        assert f"Contact: <sip:101@[::1]:{port}>" in invite.text
        assert "c=IN IP6 ::1" in invite.text
        assert lab.ready()["provisioning"]["http"].startswith("http://[::1]:")
        assert seen(lab, ServerFault) == []
    finally:
        await lab.close()


async def test_phones_that_trust_the_lab_register_and_talk_over_tls_and_certificates_change_under_them(tmp_path):
    document = yaml.safe_load(OFFICE.read_text())
    for device in document["devices"]:
        if str(device["id"]) in ("101", "104"):
            device["transport"] = "tls"
            device["settings"] = {**device.get("settings", {}), "provisioning.protocols": "https"}
    seed = read_seed(yaml.safe_dump(document, allow_unicode=True))
    lab = Lab(seed, LabSettings(data=tmp_path, pyvoip=False, pace=QUICK))
    await lab.start()
    try:
        assert await lab.boot_phones(20)
        device = {item.id: item for item in LabBench(lab).devices()}
        secured = {e.device for e in seen(lab, DeviceRegistered) if e.address.startswith("tls:")}
        assert secured == {"101", "104"}
        by = {(e.device, e.protocol) for e in seen(lab, ConfigServed) if e.sensitive}
        assert {("101", "https"), ("104", "https"), ("102", "http")} <= by
        await talk(lab, device["101"], device["104"])
        await hang_up(lab, device["104"])
        await talk(lab, device["102"], device["101"])

        assert lab.reload_certificates()
        assert "acme.lab" in seen(lab, CertificateUsed)[-1].names
        (tmp_path / "tls" / "server.pem").write_text("no certificate")
        assert not lab.reload_certificates()
        told = seen(lab, TlsRefused)[-1]
        assert "server.pem" in told.why
        assert all((told.happened, told.remedy, told.reference))
        await hang_up(lab, device["101"])  # nobody noticed

        _, writer = await asyncio.open_connection("127.0.0.1", lab.ready()["sip"]["tls"])
        writer.write(b"OPTIONS sip:acme.lab SIP/2.0\r\n\r\n")
        assert await lab.until(lambda: seen(lab, TlsRefused)[-1].why == "it does not speak TLS", 5)
        writer.close()
        assert seen(lab, ServerFault) == []
    finally:
        await lab.close()
