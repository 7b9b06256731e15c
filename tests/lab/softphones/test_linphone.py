"""What linphonec prints, and what it means (lines as linphonec 5.1.65 wrote them)."""

from __future__ import annotations

from pathlib import Path

from lab.softphones.linphone import Linphone
from lab.softphones.program import Site


def told(lines: str) -> list[tuple[str, str, str]]:
    happened: list[tuple[str, str, str]] = []
    phone = Linphone(Site("233", "cedar.lab", Path("nowhere"), "127.0.0.9", ""), lambda *what: happened.append(what))
    for line in lines.splitlines():
        phone._take(line)
    return happened


def test_who_calls_and_how_it_goes_on_is_told():
    assert told(
        'Receiving new incoming call from "Baresip Two" <sip:232@cedar.lab>, assigned id 1\n'
        'Call 1 with "Baresip Two" <sip:232@cedar.lab> connected.\n'
        'Media streams established with "Baresip Two" <sip:232@cedar.lab> for call 1 (audio).'
    ) == [("ringing", "1", "232"), ("connected", "1", "232")]


def test_a_call_of_its_own_is_told():
    assert told(
        "Establishing call id to sip:*55701@cedar.lab, assigned id 6\n"
        "Call 6 to sip:*55701@cedar.lab in progress.\n"
        "linphonec> Call 6 with sip:*55701@cedar.lab connected."
    ) == [("dialling", "6", "*55701"), ("connected", "6", "*55701")]
