"""Feature codes: found by what was dialled, used, and over."""

from types import ModuleType

import pytest

from pbx.callflow.feature_codes import FEATURES, by_code, feature_dialled
from pbx.callflow.itinerary import travel
from pbx.callflow.question import Asked
from pbx.callflow.routing import route
from pbx.catalogue import BrokenCatalogue
from pbx.domain.destinations import ToFeature
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
    assert feature_dialled("*81") == ToFeature(code="*8", argument="1")
    assert feature_dialled("*01") is None


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        (Asked("*88", caller_extension="101"), "feature:*88"),
        (Asked("*87", caller_extension="101"), "hangup:not-found"),
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
