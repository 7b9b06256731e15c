"""Extensions of ten digits, as some resellers give them (domain-features 1.1)."""

from __future__ import annotations

import pytest

from pbx.callflow.routing import Asked, route
from pbx.domain.directory import Directory
from tests.callflow.small_office import EVERYBODY, OUTSIDE, moment

LONG = "6135550123"


def office(**domain: object) -> Directory:
    return Directory.model_validate({
        "domain": {"name": "acme.lab", "caller_id": 14165550100, **domain},
        "users": [{"extension": LONG, "first_name": "Ana"},
                  {"extension": 102, "first_name": "Ben",
                   "rules": [{"forward_always": f"user_{LONG}", "block": [LONG]}]}],
        "devices": [{"id": LONG, "extension": LONG, "password": "x"},
                    {"id": f"{LONG}a", "extension": LONG, "password": "x"},
                    {"id": "102", "extension": 102, "password": "x"}],
        "numbers": [{"number": 14165550100, "routes": [{"to": f"user {LONG}"}]}],
    })  # fmt: skip


@pytest.mark.parametrize("dialled", [LONG, f"1{LONG}", f"+1{LONG}", "613 555-0123"])
def test_inside_it_is_dialled_as_a_number_is_and_never_leaves_the_house(dialled):
    found = route(office(), Asked(dialled, "102", "102", "102"), EVERYBODY, moment())
    assert found.destination.label == f"user:{LONG}"


def test_from_outside_it_is_no_number_of_the_domain():
    assert route(office(), Asked(LONG, OUTSIDE), EVERYBODY, moment()).destination.label == "hangup:not-found"


def test_seven_and_the_extension_is_its_mailbox():
    found = route(office(), Asked(f"7{LONG}", "102", "102", "102"), EVERYBODY, moment())
    assert found.destination.label == f"mailbox:{LONG}"


def test_it_is_a_target_and_a_caller_of_rules():
    assert office().users[1].rules[0].forward_always.label == f"user:{LONG}"
    blocked = route(office(), Asked("102", LONG, LONG, LONG), EVERYBODY, moment())
    assert blocked.record.outcome == "hangup:busy"


def test_where_the_platform_has_short_ones_only_it_is_refused():
    with pytest.raises(ValueError, match="an extension has 3 or 4 digits here"):
        office(preset="n2p", platform={"email_required": False})


@pytest.mark.parametrize("bad", ["911555012", "9115550123", "1135550123", "12345678901", "123456"])
def test_other_lengths_and_what_is_no_number_are_refused(bad):
    with pytest.raises(ValueError, match="extension"):
        Directory.model_validate({"domain": {"name": "acme.lab"}, "users": [{"extension": bad, "first_name": "Ana"}]})
