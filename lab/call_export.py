"""One call as files others can use: a capture, the ladder three ways, the reasons, and all of it in one archive."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from html import escape
from importlib.metadata import version

from lab.callbook import CallEntry
from lab.pcapng import Packet, pcapng
from lab.trace import lines
from pbx.events import MediaHeard, SipRequest, SipResponse
from pbx.sip.address import Peer, parse_peer
from test_plans.report import ladder

Local = Callable[[str], Peer]
"""The switch's own address on a transport."""

NAMES = ("call.pcapng", "ladder.svg", "ladder.txt", "ladder.mmd", "call.txt", "why.json")
ARCHIVE = "call.zip"
CONTENT_TYPES = {
    "pcapng": "application/x-pcapng", "svg": "image/svg+xml", "txt": "text/plain", "mmd": "text/plain",
    "json": "application/json", "zip": "application/zip",
}  # fmt: skip


def exported(entry: CallEntry, name: str, local: Local, tls_secrets: bytes = b"") -> bytes:
    """Return one of `NAMES` or the `ARCHIVE` of all; KeyError for another name."""
    rows = ladder.rows([s for s in entry.events if isinstance(s.event, SipRequest | SipResponse | MediaHeard)])
    match name:
        case "call.pcapng":
            return capture(entry, local, tls_secrets)
        case "ladder.svg":
            return ladder.svg(rows, f"SIP ladder of {escape(entry.call)}").encode()
        case "ladder.txt":
            return (ladder.text(rows) + "\n").encode()
        case "ladder.mmd":
            return (ladder.mermaid(rows) + "\n").encode()
        case "call.txt":
            return ("\n".join([*lines(entry.events, plain=True), *entry.sounds]) + "\n").encode()
        case "why.json":
            return json.dumps(entry.records, indent=1).encode()
        case "call.zip":
            return _archive(entry, local, tls_secrets)
    raise KeyError(name)


def capture(entry: CallEntry, local: Local, tls_secrets: bytes = b"") -> bytes:
    """Return the call's messages as pcapng, each with its caption as the packet's comment; credentials are masked."""
    packets = []
    for stamped in entry.messages:
        event = stamped.event
        assert isinstance(event, SipRequest | SipResponse)
        far = parse_peer(event.address)
        ends = (far, local(far.transport)) if event.direction == "in" else (local(far.transport), far)
        (row,) = ladder.rows([stamped])
        caption = f"{row.source} → {row.target}: {row.caption}"
        payload = event.text.encode("utf-8", "surrogateescape")
        packets.append(Packet(stamped.at.wall.timestamp(), *ends, payload, caption))
    return pcapng(packets, f"switchroom {version('switchroom')}", tls_secrets)


def _archive(entry: CallEntry, local: Local, tls_secrets: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in NAMES:
            archive.writestr(f"{entry.call}/{name}", exported(entry, name, local, tls_secrets))
    return packed.getvalue()
