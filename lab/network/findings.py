"""The verdict on a site's network: what is wrong, what that does to calls, and what to change in which box.

The limits are those of the network-settings checklist and of cases M01–M11 (reference: domain-features 4).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lab.network.facts import Facts

VOICE_MARK = 46
DELAY_MS, JITTER_MS, JITTER_STRICT_MS = 150.0, 30.0, 15.0
LOSS, LOSS_STRICT = 0.01, 0.0025
LEAST_MOS = 4.0
SILENCE_S, SILENCE_ADVISED_S = 60, 120
CALL_KBIT_S = 87
"""G.711 with 20 ms a packet, on Ethernet, each way."""
_SHARED = ipaddress.ip_network("100.64.0.0/10")
"""Carrier-grade NAT (RFC 6598)."""


@dataclass(frozen=True, slots=True)
class Finding:
    id: str
    """`alg`, `nat-timeout`, …: stable, for plans."""
    severity: Literal["fail", "warn"]
    seen: str
    effect: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Verdict:
    facts: Facts
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        return not any(finding.severity == "fail" for finding in self.findings)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(finding.id for finding in self.findings)


def judged(facts: Facts) -> Verdict:
    """Return the verdict; a provider that cannot be reached is the only finding there is then."""
    if not facts.reachable:
        return Verdict(facts, (*_unreachable(), *_services(facts)))
    return Verdict(facts, (*_router(facts), *_line(facts), *_marks(facts), *_services(facts)))


def _unreachable() -> Iterator[Finding]:
    yield Finding(
        "unreachable", "fail", "the provider's SIP port answers nothing over UDP",
        "no phone here registers", "let SIP out to the provider, and its answers in: UDP of any local port",
    )  # fmt: skip


def _router(facts: Facts) -> Iterator[Finding]:
    if facts.rewritten:
        yield Finding(
            "alg", "fail", f"a SIP request arrives changed: {facts.rewritten[0]}",
            "one-way audio, calls that drop, phones that cannot be called",
            "switch off SIP ALG (also: SIP helper, session helper, application gateway, SPI voice rewriting)",
        )  # fmt: skip
    if facts.lost_after_s is not None and facts.lost_after_s <= SILENCE_ADVISED_S:
        held = f"an answer after {facts.held_s} s comes through, " if facts.held_s else ""
        fatal = facts.lost_after_s <= SILENCE_S
        yield Finding(
            "nat-timeout", "fail" if fatal else "warn", f"{held}one after {facts.lost_after_s} s does not",
            "phones cannot be called a while after they last spoke",
            f"raise the router's UDP timeout to {SILENCE_ADVISED_S} s or more; keep-alive of phones at 30 s or less",
        )  # fmt: skip
    if facts.mapped_other and facts.mapped != facts.mapped_other:
        yield Finding(
            "symmetric-nat", "warn", f"seen as {facts.mapped} by one port and {facts.mapped_other} by another",
            "calls need the provider's relay; media cannot flow directly",
            "where there is a choice, set the router's NAT to endpoint-independent (full or restricted cone)",
        )  # fmt: skip
    if _doubled(facts):
        yield Finding(
            "double-nat", "fail", f"the router says it is {facts.gateway_public}, the provider sees {facts.mapped}",
            "the shorter of two timeouts counts; ports forwarded on one router do nothing",
            "set the provider's modem to bridge mode, or the inner router to access-point mode",
        )  # fmt: skip
    if facts.large_passes is False:
        yield Finding(
            "fragments", "fail", "a request of 2,000 bytes does not arrive",
            "calls with several codecs or SRTP, and long contact lists, fail at random",
            "let UDP fragments and ICMP `fragmentation needed` pass, or use TCP or TLS for SIP",
        )  # fmt: skip


def _doubled(facts: Facts) -> bool:
    if not facts.gateway_public or not facts.mapped:
        return False
    return facts.gateway_public != facts.mapped.rpartition(":")[0] or _private(facts.gateway_public)


def _private(host: str) -> bool:
    address = ipaddress.ip_address(host)
    rfc1918 = any(address in ipaddress.ip_network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
    return rfc1918 or address in _SHARED


def _line(facts: Facts) -> Iterator[Finding]:
    loss = max(facts.loss_out or 0.0, facts.loss_back or 0.0)
    if facts.calls and facts.round_trip_ms is None:
        yield Finding(
            "no-media", "fail", "no packet of voice came back", "calls are silent",
            "let UDP out to the provider's media ports, and what comes back in",
        )  # fmt: skip
        return
    if facts.round_trip_ms is not None and facts.round_trip_ms / 2 > DELAY_MS:
        yield Finding(
            "delay", "fail", f"{facts.round_trip_ms / 2:g} ms one way, more than {DELAY_MS:g} (G.114)",
            "people talk over each other", "use another line than satellite or mobile, or a nearer data centre",
        )  # fmt: skip
    if facts.jitter_ms is not None and facts.jitter_ms > JITTER_STRICT_MS:
        yield Finding(
            "jitter", "fail" if facts.jitter_ms > JITTER_MS else "warn",
            f"{facts.jitter_ms:g} ms, more than {JITTER_MS if facts.jitter_ms > JITTER_MS else JITTER_STRICT_MS:g}",
            "voices stutter", "give voice precedence on the uplink (DSCP 46, priority queue); no Wi-Fi for phones",
        )  # fmt: skip
    if loss > LOSS_STRICT:
        out, back = facts.loss_out or 0.0, facts.loss_back or 0.0
        yield Finding(
            "loss", "fail" if loss > LOSS else "warn",
            f"{100 * out:.1f} % to the provider, {100 * back:.1f} % from it, with {facts.calls} calls at once",
            "words are missing",
            f"{facts.calls} calls need {facts.calls * CALL_KBIT_S} kbit/s each way: shape other traffic, or buy more",
        )  # fmt: skip
    if facts.mos is not None and facts.mos < LEAST_MOS:
        yield Finding(
            "mos", "warn", f"MOS {facts.mos:g} by the E-model, less than {LEAST_MOS:g}", "people call it a bad line",
            "see delay and loss",
        )  # fmt: skip


def _marks(facts: Facts) -> Iterator[Finding]:
    for way, mark in (("to the provider", facts.dscp_out), ("from the provider", facts.dscp_back)):
        if mark is not None and mark != VOICE_MARK:
            yield Finding(
                "dscp", "warn", f"voice is marked {VOICE_MARK} (EF) where it leaves and {mark} where it arrives, {way}",
                "voice waits behind downloads", "trust DSCP on switch and router ports; ask the line's carrier too",
            )  # fmt: skip
            return


def _services(facts: Facts) -> Iterator[Finding]:
    needed = {"dns": "phones find nobody by name", "ntp": "certificates and time frames are read with a wrong clock",
              "https": "phones get no configuration"}  # fmt: skip
    for name, answered in facts.reached:
        if not answered:
            yield Finding(name, "fail", f"{name.upper()} answers nothing", needed[name], f"let {name.upper()} out")
