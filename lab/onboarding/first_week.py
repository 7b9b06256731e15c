"""The Deployment Test Plan of a customer's first week: what any office can show, in this customer's own words."""

from __future__ import annotations

import json

from lab.onboarding.packet import Packet

_CASES = ("A01", "A09", "B01", "C01", "C02", "C03", "E02", "F01", "F03", "G01-open", "I01", "K03")
"""Whatever it has ordered."""


def first_week(packet: Packet) -> str:
    """Return the plan as JSON, which is YAML too: cases of the office plan with its attendant and its hours."""
    flow = packet.call_flow
    words = {
        "attendant": flow.attendant,
        "open_frame": flow.hours.name if flow.hours and flow.after_hours else None,
    }
    cases = [case for case in _CASES if flow.attendant is not None or not case.startswith("G")]
    document = {
        "plan": 1, "id": "first-week", "title": f"First week of {packet.company}",
        "include": {"office": {name: word for name, word in words.items() if word is not None}},
        "cases": [{"of": f"office/{case}"} for case in cases],
    }  # fmt: skip
    return json.dumps(document)
