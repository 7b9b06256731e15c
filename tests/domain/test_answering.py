"""Targets as the platform writes them, read into ours (domain-features 1.5)."""

import pytest
from pydantic import ValidationError

from pbx.domain.answering import AnsweringRule
from pbx.domain.destinations import parse_destination


@pytest.mark.parametrize(
    ("written", "label"),
    [
        ("1002", "user:1002"),
        ("user_5555", "user:5555"),
        ("phone_5555", "device:5555"),
        ("phone_101a", "device:101a"),
        ("vmail_5555", "mailbox:5555"),
        ("queue_234", "queue:234"),
        ("aa_400", "attendant:400/main"),
        ("18005551234", "external:18005551234"),
        ("4165550142", "external:14165550142"),
        ("park_720", "park:720"),
        ("park_501", "queue:501"),
    ],
)
def test_a_forward_is_read_as_the_platform_writes_it(written, label):
    assert parse_destination(written).label == label


@pytest.mark.parametrize("written", ["user_", "vmail_abc", "aa_Main", "0101", "12", "416 555 0142"])
def test_what_is_no_destination_is_refused(written):
    with pytest.raises(ValueError, match="destination"):
        parse_destination(written)


@pytest.mark.parametrize(
    ("written", "target", "delay_s", "confirm"),
    [
        ("<OwnDevices>", "own", 0, False),
        ("1234wp", "device 1234wp", 0, False),
        ("3456;delay=15", "user 3456", 15, False),
        ("18005551234;delay=20", "external 18005551234", 20, False),
        ("confirm_18005551234;delay=20", "external 18005551234", 20, True),
        ("confirm_3456", "user 3456", 0, True),
        ("4165550142", "external 14165550142", 0, False),
        ("011442079460000", "external +442079460000", 0, False),
        ("device 101a; delay=2.5", "device 101a", 2.5, False),
    ],
)
def test_a_target_of_simultaneous_ring_is_read_as_the_platform_writes_it(written, target, delay_s, confirm):
    read = AnsweringRule.model_validate({"simultaneous_ring": [written]}).simultaneous_ring[0]
    assert (read.target, read.delay_s, read.confirm) == (target, delay_s, confirm)


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("external 911", "pattern"),
        ("external 12115550100", "pattern"),
        ("101;volume=3", "no option of a target"),
        ("101;delay=soon", "delay_s"),
        ("101;delay=500", "120"),
        ("somebody", "pattern"),
    ],
)
def test_a_target_that_means_nothing_is_refused(written, complaint):
    with pytest.raises(ValidationError, match=complaint):
        AnsweringRule.model_validate({"simultaneous_ring": [written]})
