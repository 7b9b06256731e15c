"""The capture of a call is what tshark reads: addresses, checksums, comments, SIP over both transports, TLS keys."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from lab.pcapng import Packet, pcapng
from pbx.sip.address import Peer
from tests.conftest import need

OPTIONS = (
    b"OPTIONS sip:101@acme.lab SIP/2.0\r\nVia: SIP/2.0/%s 192.0.2.9:5060;branch=z9hG4bK-1\r\nMax-Forwards: 70\r\n"
    b"From: <sip:a@acme.lab>;tag=1\r\nTo: <sip:101@acme.lab>\r\nCall-ID: one@acme.lab\r\nCSeq: 1 OPTIONS\r\n"
    b"Content-Length: 0\r\n\r\n"
)
AT_S = 1_795_500_000.25


def read(file: Path, *options: str) -> list[dict[str, dict[str, object]]]:
    """Return what tshark makes of a capture, packet by packet."""
    command = [need("tshark"), "-r", str(file), "-T", "json", *options]
    checks = ["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"]
    done = subprocess.run([*command, *checks], capture_output=True, text=True, timeout=60, check=True)
    return [packet["_source"]["layers"] for packet in json.loads(done.stdout)]


def sip_over(transport: str, host: str = "192.0.2.9", other: str = "192.0.2.1") -> Packet:
    message = OPTIONS % transport.upper().encode()
    return Packet(AT_S, Peer(transport, host, 5060), Peer(transport, other, 5060), message, "a → switch: OPTIONS")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize(("host", "other"), [("192.0.2.9", "192.0.2.1"), ("2001:db8::9", "2001:db8::1")])
def test_a_message_is_dissected_with_good_checksums_and_its_comment(tmp_path, transport, host, other):
    file = tmp_path / "call.pcapng"
    file.write_bytes(pcapng([sip_over(transport, host, other)], "switchroom test"))
    (layers,) = read(file)
    assert layers["sip"]["sip.Request-Line_tree"]["sip.Method"] == "OPTIONS"
    assert layers[transport][f"{transport}.checksum.status"] == "1"
    assert layers["frame"]["frame.time_epoch"].startswith(("1795500000.25", "2026-"))
    assert "a → switch: OPTIONS" in json.dumps(layers, ensure_ascii=False)
    ip = layers["ipv6" if ":" in host else "ip"]
    assert ip["ipv6.src" if ":" in host else "ip.src"] == host


def test_two_messages_of_one_connection_follow_each_other(tmp_path):
    there, back = sip_over("tcp"), sip_over("tcp")
    answer = Packet(AT_S + 0.01, back.target, back.source, back.payload)
    file = tmp_path / "call.pcapng"
    file.write_bytes(pcapng([there, answer, there], "switchroom test"))
    packets = read(file)
    numbers = [int(p["tcp"]["tcp.seq_raw"]) for p in packets]
    assert numbers == [1, 1, 1 + len(there.payload)]
    assert "tcp.analysis.flags" not in json.dumps(packets)


def test_a_message_longer_than_a_packet_is_cut(tmp_path):
    long = Packet(AT_S, Peer("tcp", "192.0.2.9", 5060), Peer("tcp", "192.0.2.1", 5060), b"x" * 100_000)
    file = tmp_path / "long.pcapng"
    file.write_bytes(pcapng([long], "switchroom test"))
    assert sum(int(p["tcp"]["tcp.len"]) for p in read(file)) == 100_000


def test_tls_keys_are_counted_by_the_reader(tmp_path):
    file = tmp_path / "keys.pcapng"
    file.write_bytes(pcapng([sip_over("udp")], "switchroom test", b"CLIENT_RANDOM " + b"a" * 64 + b" " + b"b" * 96))
    done = subprocess.run([need("capinfos"), "-M", str(file)], capture_output=True, text=True, timeout=60, check=True)
    assert "Number of decryption secrets in file: 1" in done.stdout


def test_a_host_that_is_no_address_is_refused():
    with pytest.raises(ValueError, match=r"phone\.example"):
        pcapng([sip_over("udp", "phone.example")], "switchroom test")
