"""One call as files others can use: a capture, the ladder three ways, the reasons, and all of it in one archive."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable
from html import escape
from importlib.metadata import version

from lab.callbook import CallEntry
from lab.pcapng import Packet, pcapng
from lab.plan_of_call import plan_of
from lab.trace import lines
from pbx.events import MediaHeard, SipRequest, SipResponse, Stamped
from pbx.sip.address import Peer, parse_peer
from test_plans.report import ladder

Local = Callable[[str], Peer]
"""The switch's own address on a transport."""

_MASKED_KEY = re.compile(r"(a=crypto:[^\r\n]*?inline:)(\*+)")

NAMES = ("call.pcapng", "ladder.svg", "ladder.txt", "ladder.mmd", "call.txt", "why.json")
PLAN = "plan.yaml"
"""Of a call that is over: what was done and seen, as a test plan."""
ARCHIVE = "call.zip"
CONTENT_TYPES = {
    "pcapng": "application/x-pcapng", "svg": "image/svg+xml", "txt": "text/plain", "mmd": "text/plain",
    "json": "application/json", "yaml": "application/yaml", "zip": "application/zip",
}  # fmt: skip


def exported(entry: CallEntry, name: str, local: Local, tls_secrets: bytes = b"") -> bytes:
    """Return one of `NAMES`, the `ARCHIVE` of all or the `PLAN`; KeyError for another name, ValueError for no plan."""
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
        case "plan.yaml":
            return plan_of(entry).encode()
        case "call.zip":
            return _archive(entry, local, tls_secrets)
    raise KeyError(name)


def capture(entry: CallEntry, local: Local, tls_secrets: bytes = b"") -> bytes:
    """Return the call's messages as pcapng, each with its caption as the packet's comment; credentials are masked."""
    return pcapng(messages(entry.messages, local), product(), tls_secrets)


def messages(traced: Iterable[Stamped], local: Local) -> list[Packet]:
    """Return SIP messages among what was traced as packets, each with its caption."""
    packets = []
    for stamped in traced:
        event = stamped.event
        if not isinstance(event, SipRequest | SipResponse):
            continue
        far = parse_peer(event.address)
        ends = (far, local(far.transport)) if event.direction == "in" else (local(far.transport), far)
        (row,) = ladder.rows([stamped])
        caption = f"{row.source} → {row.target}: {row.caption}"
        # A masked key must still be Base64: tshark gives a message up whose key is none.
        text = _MASKED_KEY.sub(lambda found: found[1] + "A" * len(found[2]), event.text)
        payload = text.encode("utf-8", "surrogateescape")
        packets.append(Packet(stamped.at.wall.timestamp(), *ends, payload, caption))
    return packets


def product() -> str:
    return f"switchroom {version('switchroom')}"


def _archive(entry: CallEntry, local: Local, tls_secrets: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in NAMES:
            archive.writestr(f"{entry.call}/{name}", exported(entry, name, local, tls_secrets))
    return packed.getvalue()
