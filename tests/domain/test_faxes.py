"""Fax accounts, the numbers bound to them, and what is refused."""

from __future__ import annotations

import pytest

from pbx.domain.destinations import ToFax, parse_destination
from pbx.domain.removal import Referenced, without
from pbx.domain.seed import BadSeed, read_directory


def document(**changes: object) -> dict[str, object]:
    whole: dict[str, object] = {
        "domain": {"name": "fax.lab", "caller_id": "14165550100"},
        "fax_accounts": [{"name": "office", "email": "office@fax.lab"}],
        "numbers": [{"number": "14165550122", "routes": [{"to": "fax office"}]}],
    }
    return {**whole, **changes}


def account(**fields: object) -> list[dict[str, object]]:
    return [{"name": "office", "email": "office@fax.lab", **fields}]


def test_a_number_bound_to_an_account_is_available_no_more() -> None:
    directory = read_directory(document())
    assert parse_destination("fax office") == ToFax(account="office")
    assert directory.numbers_by_digits["14165550122"].routes[0].to.label == "fax:office"
    assert directory.numbers_of_fax("office") == ("14165550122",)
    assert directory.fax_number(directory.fax_accounts[0]) == "14165550122"


def test_an_account_without_a_number_shows_the_domains() -> None:
    directory = read_directory(document(numbers=[]))
    assert directory.fax_number(directory.fax_accounts[0]) == "14165550100"


def test_one_number_is_allowed_where_one_is() -> None:
    read_directory(document(fax_accounts=account(max_numbers=1)))


TWO = [
    {"number": "14165550122", "routes": [{"to": "fax office"}]},
    {"number": "14165550123", "routes": [{"to": "fax office"}]},
]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"fax_accounts": []}, "number 14165550122: there is no fax account office"),
        ({"fax_accounts": account() + account()}, "fax account office exists twice"),
        ({"fax_accounts": account(max_numbers=1), "numbers": TWO}, "2 numbers lead here, and max_numbers allows 1"),
        ({"fax_accounts": account(number="14165550199")}, "14165550199 is no number of the domain"),
        ({"fax_accounts": account(email="office")}, "'office' is no mail address"),
        ({"fax_accounts": account(station="FAX OFFICE")}, "it must be of the form"),
        ({"domain": {"name": "fax.lab", "max_fax_accounts": 1}, "fax_accounts": [*account(), {"name": "two"}]},
         "2 fax accounts, and max_fax_accounts allows 1"),
        ({"time_frames": [{"name": "day", "kind": "specific-dates", "dates": ["2026-01-06"]}],
          "numbers": [{"number": "14165550122", "routes": [
              {"time_frame": "day", "to": "fax office"}, {"to": "hangup"}]}]},
         "a fax number leads to its account alone"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_words(changes: dict[str, object], why: str) -> None:
    with pytest.raises(BadSeed) as refused:
        read_directory(document(**changes))
    assert why in str(refused.value)


def test_an_account_that_numbers_lead_to_cannot_go() -> None:
    directory = read_directory(document())
    with pytest.raises(Referenced, match="number 14165550122: there is no fax account office"):
        without(directory, "fax account", "office")
    assert without(without(directory, "number", "14165550122"), "fax account", "office").fax_accounts == ()


@pytest.mark.parametrize(
    ("senders", "who", "may"),
    [("", "office@fax.lab", True), ("", "ana@fax.lab", False), ("Ana@fax.lab; sam@fax.lab", "ana@FAX.lab", True)],
)
def test_who_gets_faxes_may_send_them_unless_others_are_named(senders: str, who: str, may: bool) -> None:
    directory = read_directory(document(fax_accounts=account(senders=senders)))
    assert directory.fax_accounts[0].may_send(who) is may
