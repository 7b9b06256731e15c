"""Replaces as a header and inside a URI."""

from __future__ import annotations

import pytest

from pbx.sip.replaces import Replaces, parse_replaces, replaces_in


def test_the_example_of_rfc_3891_reads_and_writes():
    text = "98732@sip.example.com;from-tag=r33th4x0r;to-tag=ff87ff"
    found = parse_replaces(text)
    assert found == Replaces("98732@sip.example.com", "ff87ff", "r33th4x0r")
    assert parse_replaces(str(found)) == found
    assert parse_replaces(f"{text};early-only").early_only


@pytest.mark.parametrize(
    "text", ["", "a", "a;to-tag=b", "a;from-tag=b", ";to-tag=a;from-tag=b", "a;to-tag=;from-tag=b"]
)
def test_what_lacks_a_part_names_no_dialog(text):
    assert parse_replaces(text) is None


def test_a_uri_carries_it_escaped_among_other_headers():
    headers = "Require=replaces&Replaces=abc%40host%3Bto-tag%3Dx%3Bfrom-tag%3Dy"
    assert replaces_in(headers) == "abc@host;to-tag=x;from-tag=y"
    assert replaces_in("Subject=no") is None
