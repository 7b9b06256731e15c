"""Which INVITEs a simulated phone answers by itself."""

import pytest

from lab.phones.auto_answer import is_to_be_answered
from pbx.sip.message import Request


@pytest.mark.parametrize(
    ("header", "value", "answers"),
    [
        ("Call-Info", "<sip:acme.lab>;answer-after=0", True),
        ("Call-Info", "<sip:acme.lab> ; Answer-After = 0", True),
        ("Call-Info", "<sip:acme.lab>;answer-after=5", False),
        ("Call-Info", "<http://acme.lab/photo.png>;purpose=icon", False),
        ("Alert-Info", "<http://acme.lab>;info=alert-autoanswer;delay=0", True),
        ("Alert-Info", '<http://acme.lab>;info="alert-autoanswer"', True),
        ("Alert-Info", "<http://acme.lab>;info=alert-external", False),
        ("Answer-Mode", "Auto", True),
        ("Answer-Mode", "auto;require", True),
        ("Answer-Mode", "Manual", False),
    ],
)
def test_a_phone_is_told_to_answer_by_what_vendors_and_the_standard_write(header, value, answers):
    assert is_to_be_answered(Request("INVITE", "sip:101@acme.lab", [(header, value)])) is answers


def test_a_call_that_asks_for_nothing_rings():
    assert not is_to_be_answered(Request("INVITE", "sip:101@acme.lab", []))
