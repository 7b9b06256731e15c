"""`switchroom probe`: the assessment of the network of wherever it runs, a laptop at a site, against a mirror."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from lab.errors import BAD_INPUT, UserError
from lab.network.facts import Facts
from lab.network.findings import Verdict, judged
from lab.network.probe import SILENCES_S, Wanted
from lab.network.real_site import assess
from lab.network.services import reached
from pbx.sip.address import Peer, parse_peer

_ROUTES = Path("/proc/net/route")


def probe_network(mirror: str, calls: int, seconds: float, longest: int, services: Mapping[str, str]) -> Verdict:
    """Return the verdict; UserError when the mirror's address is none, or this machine has no way to it."""
    silences = tuple(silence for silence in SILENCES_S if silence <= longest)
    try:
        to = parse_peer(mirror)
        here = _own_address(to)
        return asyncio.run(_probe(here, to, Wanted(calls, seconds, silences), services))
    except (ValueError, OSError) as error:
        raise UserError(
            f"the network cannot be assessed against {mirror!r}", str(error),
            "give HOST:PORT of a switchroom's mirror: `switchroom up` says it, and its ready file has `mirror`",
            "docs/network.md", BAD_INPUT,
        ) from None  # fmt: skip


async def _probe(here: str, to: Peer, wanted: Wanted, services: Mapping[str, str]) -> Verdict:
    host = (await asyncio.get_running_loop().getaddrinfo(to.host, to.port, type=socket.SOCK_DGRAM))[0][4][0]
    probe, answered = await asyncio.gather(
        assess(here, Peer("udp", str(host), to.port), gateway=_gateway(here), wanted=wanted), reached(services)
    )
    return judged(probe.facts(answered))


def page(verdict: Verdict) -> str:
    """The verdict on one page."""
    facts = verdict.facts
    lines = [
        f"{'✓ fit for voice' if verdict.passed else '✗ not fit for voice'}",
        f"  here       {facts.local}   seen as {facts.mapped or '–'}",
        f"  voice      {facts.calls} calls: {_said(facts.round_trip_ms, 'ms there and back')}, "
        f"jitter {_said(facts.jitter_ms, 'ms')}, lost {_percent(facts.loss_out)} out, "
        f"{_percent(facts.loss_back)} back, MOS {_said(facts.mos, '')}",
        f"  marks      {_said(facts.dscp_out, 'out')}, {_said(facts.dscp_back, 'back')} (46 where voice leaves)",
        f"  router     {_router(facts)}",
        f"  SIP        {_sip(verdict)}",
    ]
    lines += [f"  {name:<10} {'answers' if answered else 'answers nothing'}" for name, answered in facts.reached]
    for finding in verdict.findings:
        lines += [
            f"{'✗' if finding.severity == 'fail' else '▲'} {finding.id}: {finding.seen}",
            f"    so       {finding.effect}",
            f"    to do    {finding.remedy}",
        ]
    return "\n".join(lines)


def document(verdict: Verdict) -> str:
    return json.dumps({"passed": verdict.passed, **asdict(verdict)}, indent=1)


def _said(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{value:g} {unit}".rstrip()


def _percent(ratio: float | None) -> str:
    return "–" if ratio is None else f"{100 * ratio:.2f} %"


def _router(facts: Facts) -> str:
    if facts.held_s is None and facts.lost_after_s is None:
        return "no silence was tried"
    held = f"answers come in after {facts.held_s} s of silence" if facts.held_s else "answers do not come in"
    return held + (f", not after {facts.lost_after_s} s" if facts.lost_after_s else "")


def _sip(verdict: Verdict) -> str:
    if verdict.facts.rewritten is None:
        return "–"
    large = {True: "arrives", False: "does not arrive", None: "is not known"}[verdict.facts.large_passes]
    changed = "arrives changed" if verdict.facts.rewritten else "arrives as it was sent"
    return f"a request {changed}; one of 2,000 bytes {large}"


def _own_address(to: Peer) -> str:
    """The address this machine speaks from to there; nothing is sent."""
    family, kind, proto, _, address = socket.getaddrinfo(to.host, to.port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, proto) as asking:
        asking.connect(address)
        return str(asking.getsockname()[0])


def _gateway(here: str) -> str:
    """The nearest router by the kernel's default route; empty on the loopback, over IPv6, and where nobody can tell."""
    if here.startswith("127.") or ":" in here or not _ROUTES.is_file():
        return ""
    for line in _ROUTES.read_text().splitlines()[1:]:
        _, destination, gateway, flags, *_ = line.split()
        if destination == "00000000" and int(flags, 16) & 2:
            return socket.inet_ntoa(struct.pack("<I", int(gateway, 16)))
    return ""
