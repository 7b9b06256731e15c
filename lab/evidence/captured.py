"""The capture of a case: its SIP, the sound and the reports of its legs, and what was fetched, one after another.

SIP and RTP are as they were on the wire, but opened where they were sealed; a fetch is told as the server read and
answered it, as a message without transport. Passwords are masked, keys that were pressed are blotted out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from heapq import merge
from ipaddress import ip_address

from lab.call_export import Local, messages, product
from lab.pcapng import Packet, pcapng
from pbx.domain.registrations import Peer
from pbx.events import ConfigRefused, ConfigRequested, ConfigServed, Stamped
from pbx.media.tap import AGREED, CAME, REPORT_CAME, REPORT_SENT, SENT, Tapped, agreement

_EXPEDITED, _BEST_EFFORT = 46, 0
_PORTS = {"http": 80, "https": 443, "tftp": 69}
_EPHEMERAL = 49_152
_PROTOCOL = {"http": "http", "https": "http", "tftp": "tftp"}


def capture(
    traced: Iterable[Stamped],
    legs: Mapping[str, Iterable[Tapped]],
    devices: Mapping[str, str],
    local: Local,
    served: Callable[[ConfigServed], str],
    wall_s: float,
    tls_secrets: bytes,
) -> bytes:
    """Return the case as pcapng.

    `legs` are packets by leg, `devices` whose leg it is; `served` returns the text of a file, secrets masked; `wall_s`
    added to monotonic seconds is POSIX time.
    """
    events = list(traced)
    streams = [messages(events, local), list(_fetches(events, local, served))]
    host = local("udp").host
    streams += [list(_media(tapped, devices.get(leg) or leg, host, wall_s)) for leg, tapped in legs.items()]
    return pcapng(merge(*(sorted(one, key=_at) for one in streams), key=_at), product(), tls_secrets)


def _at(packet: Packet) -> float:
    return packet.at_s


def _media(tapped: Iterable[Tapped], device: str, host: str, wall_s: float) -> Iterable[Packet]:
    port, codec = 0, ""
    for one in tapped:
        if one.what == AGREED:
            agreed = agreement(one)
            port, codec = agreed["port"], agreed["codec"] + (" (SRTP, opened)" if agreed["sealed"] else "")
            continue
        control = one.what in (REPORT_CAME, REPORT_SENT)
        ours, far = Peer("udp", host, port + control), Peer("udp", *one.far)
        if not port or ip_address(host).version != ip_address(far.host).version:
            continue
        came = one.what in (CAME, REPORT_CAME)
        what = "RTCP" if control else codec
        comment = f"{device} → switch: {what}" if came else f"switch → {device}: {what}"
        # How what came was marked is in the figures of the leg: the socket tells it of every sixteenth packet.
        dscp = _EXPEDITED if one.what == SENT else _BEST_EFFORT
        yield Packet(one.at + wall_s, *((far, ours) if came else (ours, far)), one.data, comment, dscp=dscp)


def _fetches(events: Iterable[Stamped], local: Local, served: Callable[[ConfigServed], str]) -> Iterable[Packet]:
    for stamped in events:
        event = stamped.event
        match event:
            case ConfigRequested():
                octets = _question(event)
                comment = f"{event.mac or event.address} → provisioning: asks for {event.path}"
            case ConfigServed():
                octets = _answer(event.protocol, "200 OK", served(event))
                comment = f"provisioning → {event.device or event.mac}: {event.file}, {event.reason}"
            case ConfigRefused(status=status):
                octets = _answer(event.protocol, f"{status} {'Not Found' if status == 404 else 'Refused'}", "")
                comment = f"provisioning → {event.device or event.mac or event.address}: refused, {event.reason}"
            case _:
                continue
        try:
            host = ip_address(event.address.rpartition("%")[0] or event.address)
            near = ip_address(local("udp").host)
        except ValueError:
            continue
        if host.version != near.version:
            continue
        transport = "udp" if event.protocol == "tftp" else "tcp"
        far, ours = Peer(transport, str(host), _EPHEMERAL), Peer(transport, str(near), _PORTS[event.protocol])
        ends = (far, ours) if isinstance(event, ConfigRequested) else (ours, far)
        yield Packet(stamped.at.wall.timestamp(), *ends, octets, comment, dissector=_PROTOCOL[event.protocol])


def _question(event: ConfigRequested) -> bytes:
    path = event.path if event.path.startswith("/") else f"/{event.path}"
    if event.protocol == "tftp":
        return b"\x00\x01" + event.path.encode("utf-8", "replace") + b"\x00octet\x00"
    return f"GET {path} HTTP/1.1\r\nUser-Agent: {event.user_agent}\r\n\r\n".encode("utf-8", "replace")


def _answer(protocol: str, status: str, text: str) -> bytes:
    body = text.encode("utf-8", "replace")
    if protocol != "tftp":
        return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    if not status.startswith("200"):
        return b"\x00\x05\x00\x01File not found\x00"
    return b"\x00\x03\x00\x01" + body[:512]  # its first block; the file lies beside the report
