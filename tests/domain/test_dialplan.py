import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.domain.dialplan import (
    RESERVED,
    Means,
    is_always_taken,
    normal_number,
    read_dialled,
    why_reserved,
    withholds_number,
)


@pytest.mark.parametrize(
    ("dialled", "means", "digits"),
    [
        ("101", Means.EXTENSION, "101"),
        ("12345", Means.EXTENSION, "12345"),
        ("7101", Means.MAILBOX, "101"),
        ("71234", Means.MAILBOX, "1234"),
        ("712345", Means.MAILBOX, "12345"),
        ("5550100", Means.NUMBER, "14165550100"),
        ("416-555-0100", Means.NUMBER, "14165550100"),
        ("(416) 555.0100", Means.NUMBER, "14165550100"),
        ("14165550100", Means.NUMBER, "14165550100"),
        ("+14165550100", Means.NUMBER, "14165550100"),
        ("+14165550100;phone-context=acme.lab", Means.NUMBER, "14165550100"),
        ("8005550142", Means.NUMBER, "18005550142"),
        ("*67 416 555 0100", Means.NUMBER, "14165550100"),
        ("*67911", Means.EMERGENCY, "911"),
        ("911", Means.EMERGENCY, "911"),
        ("9911", Means.EMERGENCY, "911"),
        ("9-1-1", Means.EMERGENCY, "911"),
        ("service:sos", Means.EMERGENCY, "911"),
        ("service:sos.police", Means.EMERGENCY, "911"),
        ("933", Means.EMERGENCY, "933"),
        ("611", Means.SUPPORT, "611"),
        ("988", Means.SERVICE_CODE, "988"),
        ("411", Means.SERVICE_CODE, "411"),
        ("5000", Means.MAILBOX_LOGIN, "5000"),
        ("5001", Means.MAILBOX_LOGIN, "5001"),
        ("011442079460000", Means.INTERNATIONAL, "+442079460000"),
        ("+44 20 7946 0000", Means.INTERNATIONAL, "+442079460000"),
        ("*67011442079460000", Means.INTERNATIONAL, "+442079460000"),
    ],
)
def test_what_is_dialled_is_understood(dialled, means, digits):
    found = read_dialled(dialled, "416")
    assert (found.means, found.digits) == (means, digits)


@pytest.mark.parametrize(
    ("dialled", "because"),
    [
        ("", "nothing was dialled"),
        ("*72", "feature code"),
        ("011442079", "no international number"),
        ("+1", "no extension"),
        ("+44", "no international number"),
        ("0111416555010", "no international number"),
        ("alice", "not digits"),
        ("service:sosage", "not digits"),
        ("１０１", "not digits"),
        ("12", "no extension"),
        ("0101", "no extension"),
        ("9115550100", "no extension"),
        ("9115551", "no extension"),
        ("1416555010", "no extension"),
    ],
)
def test_what_leads_nowhere_says_why(dialled, because):
    found = read_dialled(dialled, "416")
    assert found.means is Means.NOTHING
    assert because in found.because


@pytest.mark.parametrize(
    ("dialled", "means", "digits"),
    [
        ("95550100", Means.NUMBER, "14165550100"),
        ("94165550100", Means.NUMBER, "14165550100"),
        ("914165550100", Means.NUMBER, "14165550100"),
        ("9011442079460000", Means.INTERNATIONAL, "+442079460000"),
        ("9165550100", Means.NUMBER, "19165550100"),
        ("9101", Means.EXTENSION, "9101"),
        ("9988", Means.EXTENSION, "9988"),
        ("9911", Means.EMERGENCY, "911"),
        ("9*72", Means.NOTHING, "9*72"),
    ],
)
def test_the_prefix_for_an_outside_line_leads_numbers_and_takes_nothing_away(dialled, means, digits):
    found = read_dialled(dialled, "416", "9")
    assert (found.means, found.digits) == (means, digits)


def test_without_a_prefix_only_emergency_takes_a_nine():
    assert read_dialled("94165550100", "416").means is Means.NOTHING
    assert read_dialled("9911", "416").means is Means.EMERGENCY


@pytest.mark.parametrize("dialled", ["911", "9911", "933", "611", "988", "service:sos"])
def test_nothing_stands_in_the_way_of_these(dialled):
    assert is_always_taken(dialled)
    assert not is_always_taken(f"{dialled}0")
    assert all(is_always_taken(f"{code}{dialled}") for code in ("*66", "*67", "*70", "*48", "*67*70"))
    assert not is_always_taken(f"*72{dialled}"), "a forward there is refused, not called"


@given(st.text(alphabet="0123456789+*#-() ", max_size=14))
def test_a_number_is_always_one_the_platform_can_store_and_never_in_a_service_area(dialled):
    found = read_dialled(dialled, "416")
    if found.means is Means.NUMBER:
        assert re.fullmatch(r"1[2-9]\d\d[2-9]\d{6}", found.digits)
        assert not re.fullmatch(r"1[2-9]11\d{7}", found.digits)


@given(st.text())
def test_any_text_is_understood_or_refused_with_a_reason(dialled):
    found = read_dialled(dialled, "416")
    assert found.because or found.means is not Means.NOTHING


@pytest.mark.parametrize("extension", [*sorted(RESERVED), "700", "799", "7000", "7999", "70000", "79999"])
def test_reserved_numbers_are_no_extensions(extension):
    assert why_reserved(extension)


@pytest.mark.parametrize(
    ("extension", "reason"),
    [("611", "support"), ("988", "crisis"), ("5001", "voicemail"), ("720", "park slot"), ("7101", "to its voicemail")],
)
def test_a_reserved_number_says_what_it_is(extension, reason):
    assert reason in why_reserved(extension)


@pytest.mark.parametrize("extension", ["101", "699", "800", "6999", "8000", "60000", "5004"])
def test_ordinary_numbers_are(extension):
    assert not why_reserved(extension)


def test_star_67_hides_the_caller_but_never_from_emergency_or_support():
    assert [withholds_number(text) for text in ("*67102", "*67 416-555-0100", "102", "*68102", "*67911", "*67611")] == [
        True, True, False, False, False, False,
    ]  # fmt: skip


def test_a_number_is_stored_one_way_and_other_text_stays_bare():
    assert normal_number("+1 (416) 555-0142") == "14165550142"
    assert normal_number("416 555 0142") == "14165550142"
    assert normal_number("+442079460000") == "+442079460000"
    assert normal_number("anonymous") == "anonymous"
