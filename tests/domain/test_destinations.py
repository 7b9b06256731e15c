import pytest

from pbx.domain.destinations import (
    Cause,
    HangUp,
    ToAttendant,
    ToDevice,
    ToEmergency,
    ToExternal,
    ToMailbox,
    ToMailboxLogin,
    ToPage,
    ToPark,
    ToQueue,
    ToService,
    ToSupport,
    ToUser,
    parse_destination,
)
from pbx.domain.numbers import NumberRoute

FORMS = [
    ("user 102", ToUser(extension="102"), "user:102"),
    ("device 101a", ToDevice(device="101a"), "device:101a"),
    ("mailbox 101", ToMailbox(extension="101"), "mailbox:101"),
    ("voicemail-login", ToMailboxLogin(), "voicemail-login:"),
    ("voicemail-login 101", ToMailboxLogin(extension="101"), "voicemail-login:101"),
    ("queue 500", ToQueue(extension="500"), "queue:500"),
    ("attendant 400", ToAttendant(extension="400"), "attendant:400/main"),
    (" attendant  400/closed ", ToAttendant(extension="400", menu="closed"), "attendant:400/closed"),
    ("park 720", ToPark(slot="720"), "park:720"),
    ("page 600", ToPage(extension="600"), "page:600"),
    ("external 14165550199", ToExternal(number="14165550199"), "external:14165550199"),
    ("support", ToSupport(), "support"),
    ("service 211", ToService(code="211"), "service:211"),
    ("external 4165550199", ToExternal(number="14165550199"), "external:14165550199"),
    ("011442079460000", ToExternal(number="+442079460000"), "external:+442079460000"),
    ("to-user 102", ToUser(extension="102"), "user:102"),
    ("to-user-residential 102", ToUser(extension="102"), "user:102"),
    ("to-user-notify-of-recording 102", ToUser(extension="102", before="recording notice"), "user:102"),
    ("to-user-answer-and-fake-ringback 102", ToUser(extension="102", before="answer"), "user:102"),
    ("to-voicemail 101", ToMailbox(extension="101"), "mailbox:101"),
    ("to-voicemail-residential 101", ToMailbox(extension="101"), "mailbox:101"),
    ("to-callqueue 500", ToQueue(extension="500"), "queue:500"),
    (
        "to-callqueue-announce-count-callers-ahead 500",
        ToQueue(extension="500", announce="callers ahead"),
        "queue:500",
    ),
    (
        "to-callqueue-announce-expected-wait-time 500",
        ToQueue(extension="500", announce="expected wait"),
        "queue:500",
    ),
    ("to-single-device 101a", ToDevice(device="101a"), "device:101a"),
    ("hangup", HangUp(), "hangup:normal"),
    ("hangup busy", HangUp(cause=Cause.BUSY), "hangup:busy"),
]


@pytest.mark.parametrize(("text", "destination", "label"), FORMS)
def test_a_short_form_is_read_and_labelled(text, destination, label):
    assert parse_destination(text) == destination
    assert destination.label == label


@pytest.mark.parametrize(("text", "destination", "label"), FORMS)
def test_a_field_takes_the_short_form_the_fields_and_the_model(text, destination, label):
    for value in (text, destination.model_dump(), destination):
        assert NumberRoute.model_validate({"to": value}).to == destination


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("moon 1", "it starts with one of user"),
        ("", "is no destination"),
        ("emergency 911", "is no destination"),
        ("user", "required"),
        ("user 911x", "pattern"),
        ("external 911", "pattern"),
        ("external 9911", "pattern"),
        ("external 933", "pattern"),
        ("external +1911", "pattern"),
        ("service 911", "'211'"),
        ("to-user-everywhere 1", "it starts with one of user"),
        ("external 19115550100", "pattern"),
        ("support now", "takes no argument"),
        ("hangup angrily", "'busy'"),
    ],
)
def test_what_is_no_destination_is_refused_with_a_reason(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        parse_destination(text)


def test_the_desk_of_an_emergency_is_labelled_by_its_code():
    assert ToEmergency(code="933").label == "emergency:933"


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_a_status_and_a_q850_cause(cause):
    assert 480 <= cause.status <= 503 or cause.status in (403, 404, 433)
    assert 1 <= cause.q850 <= 127


def test_causes_say_what_the_standards_say():
    assert (Cause.BUSY.status, Cause.BUSY.q850) == (486, 17)
    assert (Cause.NOT_FOUND.status, Cause.NOT_FOUND.q850) == (404, 1)
    assert (Cause.LOOP.status, Cause.FORBIDDEN.status) == (482, 403)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("to-user-add-header 101", "the header follows the target"),
        ("to-user-add-header 101 From: <sip:911@x>", "header"),
        ("to-user-add-header 101 X-Door:front", "header"),
        ("to-connection-add-header 14165550190 Contact: <sip:x>", "header"),
        ("to-user-add-header 101 X-Door: a\r\nVia: b", "header"),
    ],
)
def test_a_header_that_a_number_adds_changes_nothing_of_the_call(text, why):
    with pytest.raises(ValueError, match=why):
        parse_destination(text)


def test_without_failover_an_extension_is_a_user_and_a_number_is_outside():
    once = [parse_destination(f"to-connection-or-user-no-failover {target}") for target in ("101", "14165550190")]
    assert [(to.label, getattr(to, "before", ""), getattr(to, "way", "")) for to in once] == [
        ("user:101", "no failover", ""), ("external:14165550190", "", "once"),
    ]  # fmt: skip
