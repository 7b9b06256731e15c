"""The matrix as data: which foreign phone, which feature, which direction, and what a client cannot do and why.

Every cell that is not declared impossible is played and tested; `docs/foreign-phones.md` is written from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    client: str
    feature: str
    direction: str
    """`out`: the foreign phone does it. `in`: it is done to the foreign phone."""

    def __str__(self) -> str:
        return f"{self.client}-{self.feature}-{self.direction}".replace(" ", "_")


CLIENTS = {
    "baresip UDP": "baresip 1.0.0, SIP over UDP",
    "baresip TCP": "baresip 1.0.0, SIP over TCP",
    "baresip TLS": "baresip 1.0.0, SIP over TLS, trusting the lab's authority alone",
    "baresip SRTP": "baresip 1.0.0, SIP over TLS, no media but SDES-SRTP (`mediaenc=srtp-mand`)",
    "linphone": "linphonec 5.1.65 (liblinphone), UDP",
    "PJSIP": "PJSIP 2.15.1 by the wheel `pjsua2-python`, UDP",
    "sipp": "sipp 3.6.1 with scenarios of ours and `-rtp_echo`, UDP",
    "stock pyVoIP": "pyVoIP 1.6.8, nothing of it mended, UDP",
}

FEATURES = {
    "registration": "out: digest login, the binding is kept",
    "call": "both hear each other, and the call record says so; out: it calls, in: it is called",
    "hold": "out: it holds, the other end hears music, then it again; in: it hears music, then the other end again",
    "blind transfer": "out: it sends the REFER and is let go, the two others talk; in: it is the one transferred",
    "attended transfer": "the same by REFER with Replaces, after a call of its own to the third",
    "keys RFC 4733": "as telephone-events; out: it presses, the switch and the other end count; in: it counts",
    "keys INFO": "by SIP INFO; out: the switch names the method, the other end gets telephone-events; in: the other "
    "end presses by INFO, it gets telephone-events",
    "keys in-band": "as tones in the sound, carried unharmed to the other end",
    "MWI": "out: it subscribes; in: a message for it is left, it is told",
    "early media": "out: it hears what the called end says before it answers; in: it is heard before it answers",
}

_ECHO = "sipp has neither ear nor voice, it echoes"
_UNWRITTEN = "no scenario for it: sipp does what is written, and the phones above show it"
CANNOT: dict[tuple[str, str, str], str] = {
    **{(client, "registration", "in"): "" for client in CLIENTS},
    **{
        (client, feature, direction): reason
        for client in CLIENTS
        if client.startswith("baresip")
        for feature, direction, reason in (
            ("attended transfer", "out", "baresip 1.0 has no command for it, blind transfer alone"),
            ("keys INFO", "out", "baresip 1.0 sends telephone-events alone; `dtmfmode` came later"),
            ("early media", "in", "baresip 1.0 answers 183 when told to, but says nothing before its 200"),
        )
    },
    **{
        ("sipp", feature, direction): reason
        for feature, direction, reason in (
            ("hold", "in", _ECHO),
            ("attended transfer", "out", "a sipp scenario is one dialog"),
            ("attended transfer", "in", _UNWRITTEN),
            ("keys RFC 4733", "out", "sipp plays events from a capture through a raw socket, which wants root"),
            ("keys RFC 4733", "in", _ECHO),
            ("keys INFO", "in", _ECHO),
            ("keys in-band", "out", _ECHO),
            ("keys in-band", "in", _ECHO),
            ("MWI", "out", _UNWRITTEN),
            ("MWI", "in", _UNWRITTEN),
            ("early media", "out", _UNWRITTEN),
            ("early media", "in", _UNWRITTEN),
        )
    },
    ("linphone", "MWI", "out"): "liblinphone 5.1 knows no message waiting",
    ("linphone", "MWI", "in"): "liblinphone 5.1 knows no message waiting",
    **{
        ("stock pyVoIP", feature, direction): reason
        for feature, direction, reason in (
            ("hold", "out", "pyVoIP 1.6.8 has no hold"),
            ("blind transfer", "out", "pyVoIP 1.6.8 has no transfer"),
            ("attended transfer", "out", "pyVoIP 1.6.8 has no transfer"),
            ("keys RFC 4733", "out", "pyVoIP 1.6.8 cannot send keys"),
            ("keys INFO", "out", "pyVoIP 1.6.8 cannot send keys"),
            ("MWI", "out", "pyVoIP 1.6.8 cannot subscribe"),
            ("MWI", "in", "pyVoIP 1.6.8 cannot subscribe"),
            ("early media", "out", "pyVoIP 1.6.8 ignores a description before the 200"),
            ("early media", "in", "pyVoIP 1.6.8 cannot send one before the 200"),
        )
    },
}
"""(client, feature, direction) → why not; without a reason where the direction means nothing."""


def cells() -> Iterator[Cell]:
    """Every cell that must work."""
    for client in CLIENTS:
        for feature in FEATURES:
            for direction in ("out", "in"):
                if (client, feature, direction) not in CANNOT:
                    yield Cell(client, feature, direction)


def document() -> str:
    """Return docs/foreign-phones.md."""
    notes: list[str] = []
    rows = [
        f"| {client} | " + " | ".join(_entry(client, feature, notes) for feature in FEATURES) + " |"
        for client in CLIENTS
    ]
    return "\n".join([
        "# Foreign phones",
        "",
        "Software of others that talks to Switchroom in `make soak`, over real sockets, configured by what our server",
        "serves: baresip and linphone by their families, PJSIP and pyVoIP by the plain JSON. Every mark is a test of",
        "`tests/interop/test_foreign_matrix.py`; this page is written from the same data by",
        "`python -m tests.interop.matrix`.",
        "",
        "**✓ out**: the phone does it. **✓ in**: it is done to the phone. **–**: the phone cannot; the note says why.",
        "",
        "| | " + " | ".join(FEATURES) + " |",
        "|---|" + "---|" * len(FEATURES),
        *rows,
        "",
        *[f"{number}. {note}." for number, note in enumerate(notes, start=1)],
        "",
        "## What is tested",
        "",
        *[f"- **{feature}**: {what}." for feature, what in FEATURES.items()],
        "",
        "## Which phones",
        "",
        *[f"- **{client}**: {what}." for client, what in CLIENTS.items()],
        "",
        "The other end is a telephone of a few lines over `pbx.sip` and raw RTP (`tests/interop/matrix/partner.py`).",
        "The switch challenges with 401 here, which stock pyVoIP needs; 407, the default, is what every other interop",
        "test uses.",
        "",
    ])  # fmt: skip


def _entry(client: str, feature: str, notes: list[str]) -> str:
    marks = []
    for direction in ("out", "in"):
        reason = CANNOT.get((client, feature, direction))
        if reason is None:
            marks.append(f"✓ {direction}")
        elif reason:
            if reason not in notes:
                notes.append(reason)
            marks.append(f"– {direction}<sup>{notes.index(reason) + 1}</sup>")
    return "<br>".join(marks)
