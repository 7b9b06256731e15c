"""Feature codes: found by what was dialled, used, and over."""

from types import ModuleType

import pytest

from pbx.callflow.feature_codes import FEATURES, by_code, feature_dialled
from pbx.callflow.itinerary import travel
from pbx.callflow.question import Asked
from pbx.callflow.routing import route
from pbx.catalogue import BrokenCatalogue
from pbx.domain.destinations import ToFeature
from pbx.domain.own_settings import OwnSettings
from pbx.events import FeatureUsed
from tests.callflow.playbook import Playbook
from tests.callflow.small_office import EVERYBODY, moment, office


def used(code, *, serves=("500",)):
    book = Playbook()
    book.serves = serves
    return book.start(travel(book, ToFeature(code=code))).played()


@pytest.mark.parametrize(
    ("code", "serves", "said"),
    [
        ("*88", ("500",), ["status available", "play prompt:agent-available"]),
        ("*89", ("500", "501"), ["status logged out", "play prompt:agent-unavailable"]),
        ("*88", (), ["status available", "play prompt:agent-of-no-queue"]),
        ("*89", (), ["status logged out", "play prompt:agent-of-no-queue"]),
    ],
)
def test_a_code_is_answered_does_its_work_says_so_and_ends(code, serves, said):
    book = used(code, serves=serves)
    assert book.take() == ["answer", *said, "hang up normal"]
    assert book.events == [FeatureUsed("c-1", code, "", bool(serves))]


def test_the_longest_code_is_meant_and_the_rest_is_its_argument(monkeypatch):
    monkeypatch.setitem(FEATURES, "*8", ModuleType("short"))
    assert feature_dialled("*88102") == ToFeature(code="*88", argument="102")
    assert feature_dialled("*85") == ToFeature(code="*8", argument="5")
    assert feature_dialled("*01") is None


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        (Asked("*88", caller_extension="101"), "feature:*88"),
        (Asked("*01", caller_extension="101"), "hangup:not-found"),
        (Asked("*88", "14165550142"), "hangup:not-found"),
    ],
)
def test_only_callers_inside_reach_a_feature(asked, leads_to):
    assert route(office(), asked, EVERYBODY, moment()).destination.label == leads_to


def test_two_features_of_one_code_are_refused():
    one, two = ModuleType("one"), ModuleType("two")
    one.CODE = two.CODE = "*12"
    with pytest.raises(BrokenCatalogue, match=r"two and one both have the code \*12"):
        by_code({"one": one, "two": two})


def forwards(own):
    return {kind: (own.target(kind), own.forward(kind) != "") for kind in ("always", "busy", "no answer")}


def dialled(code, argument="", *, own=None):
    """Use a code of 101's; return what it said and what is set then."""
    book = Playbook()
    if own is not None:
        book.own = own
    book.start(travel(book, ToFeature(code=code, argument=argument))).played()
    return [line.removeprefix("play prompt:") for line in book.take() if line.startswith("play")], book.own


@pytest.mark.parametrize(
    ("code", "argument", "to"),
    [
        ("*72", "102", {"always": ("user 102", True)}),
        ("*72", "4165550142", {"always": ("external 14165550142", True)}),
        ("*72", "500", {"always": ("queue 500", True)}),
        ("*72", "7102", {"always": ("mailbox 102", True)}),
        ("*72", "701", {"always": ("park 701", True)}),
        ("*41", "102", {"busy": ("user 102", True)}),
        ("*90", "102", {"busy": ("user 102", True)}),
        ("*42", "400", {"no answer": ("attendant 400/main", True)}),
        ("*92", "102", {"no answer": ("user 102", True)}),
    ],
)
def test_a_forward_is_set_to_what_follows_its_code(code, argument, to):
    said, own = dialled(code, argument)
    assert said == ["forwarding-on"]
    assert forwards(own) == {"always": ("", False), "busy": ("", False), "no answer": ("", False), **to}


@pytest.mark.parametrize(("off", "on", "kind"), [("*73", "*40", "always"), ("*91", "*90", "busy"),
                                                ("*93", "*92", "no answer")])  # fmt: skip
def test_a_forward_is_switched_off_and_on_again_with_its_number(off, on, kind):
    said, own = dialled(off, own=OwnSettings("101").forwarding(kind, "user 102", on=True))
    assert (said, forwards(own)[kind]) == (["forwarding-off"], ("user 102", False))
    said, own = dialled(on, own=own)
    assert (said, forwards(own)[kind]) == (["forwarding-on"], ("user 102", True))


@pytest.mark.parametrize("argument", ["101", "911", "611", "933", "*88", "999", "5001", "0"])
def test_a_forward_leads_neither_to_oneself_nor_to_emergency_support_codes_or_nowhere(argument):
    said, own = dialled("*72", argument)
    assert (said, own) == (["forwarding-unknown"], OwnSettings("101"))


def test_who_may_not_call_outside_may_not_forward_there():
    book = Playbook()
    book.asked, book.own = Asked("", "103", "103", "103"), OwnSettings("103")
    book.start(travel(book, ToFeature(code="*72", argument="4165550142"))).played()
    assert "play prompt:forwarding-unknown" in book.take()
    assert book.own == OwnSettings("103")


def test_the_number_to_forward_to_is_asked_for():
    book = Playbook()
    book.start(travel(book, ToFeature(code="*72"))).key("102#")
    assert book.said[:2] == ["answer", "play prompt:forward-to"]
    assert book.own.forward("always") == "user 102"
    book.played()
    assert book.done


@pytest.mark.parametrize(
    ("on", "off", "field"),
    [("*78", "*79", "do_not_disturb"), ("*77", "*87", "rejects_anonymous")],
)
def test_a_switch_is_on_until_it_is_off(on, off, field):
    _, own = dialled(on)
    assert getattr(own, field)
    assert dialled(off, own=own)[1] == OwnSettings("101")


def test_whoever_called_last_is_called():
    book = Playbook()
    book.called_last = "102"
    book.start(travel(book, ToFeature(code="*69")))
    assert book.take()[:3] == ["dialled 102", "progress", "dial 102"]
    assert book.events[0] == FeatureUsed("c-1", "*69", "", True)


@pytest.mark.parametrize("number", [None, ""])
def test_where_nobody_called_or_the_number_was_withheld_the_caller_is_told(number):
    book = Playbook()
    book.called_last = number
    book.start(travel(book, ToFeature(code="*69"))).played()
    assert book.take() == ["answer", "play prompt:nobody-called", "hang up normal"]


def test_an_undisturbed_call_goes_where_it_was_dialled():
    book = Playbook()
    book.start(travel(book, ToFeature(code="*70", argument="102")))
    assert book.take()[:3] == ["undisturbed", "dialled 102", "progress"]
    book = Playbook()
    book.start(travel(book, ToFeature(code="*70"))).played()
    assert book.take()[-1] == "hang up normal"
    assert book.events == [FeatureUsed("c-1", "*70", "", False)]


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("4165550101", ["dialled 4165550101 off-net", "progress", "dial 14165550101"]),  # the domain's own number
        ("102", ["dialled 102 off-net", "hang up not-found"]),
        ("911", ["dialled 911 off-net", "progress", "dial emergency-911"]),
        ("988", ["dialled 988 off-net", "progress", "dial service-988"]),
        ("", ["answer", "play prompt:not-in-service"]),
    ],
)
def test_off_net_means_through_the_carrier_and_nothing_else(argument, said):
    book = Playbook()
    book.start(travel(book, ToFeature(code="*66", argument=argument)))
    assert book.take() == said


def test_who_may_not_call_outside_may_not_off_net_either():
    book = Playbook()
    book.asked = Asked("", "103", "103", "103")
    book.start(travel(book, ToFeature(code="*66", argument="4165550101")))
    assert book.take()[-1] == "hang up forbidden"


def test_the_own_voicemail_asks_for_the_password_alone():
    book = Playbook()
    book.start(travel(book, ToFeature(code="*62")))
    assert book.take()[-1] == "play prompt:vm-password"


def test_the_open_voicemail_asks_for_nothing():
    book = Playbook()
    book.start(travel(book, ToFeature(code="*61")))
    assert book.take() == ["answer", "play prompt:vm-you-have+vm-no-messages"]


@pytest.mark.parametrize("caller", ["103", "999"])
def test_who_has_no_mailbox_has_no_open_one(caller):
    book = Playbook()
    book.asked = Asked("", caller, caller, caller)
    book.start(travel(book, ToFeature(code="*61")))
    assert book.take() == ["answer", "play prompt:not-in-service"]
