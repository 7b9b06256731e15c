"""A site's greeting is what callers of its attendants and queues hear first, where those have none of their own."""

from datetime import UTC, datetime

import pytest

from pbx.callflow.entering import site_greeting
from pbx.callflow.routing import resolve_attendant
from pbx.clock import Moment
from pbx.domain.directory import Directory

NOW = Moment(0.0, datetime(2026, 11, 26, 15, tzinfo=UTC))


def office(site: str, **attendant: object) -> Directory:
    return Directory.model_validate(
        {
            "domain": {"name": "acme.lab"},
            "sites": [{"name": "Laval", "greeting": "laval-welcome"}, {"name": "Toronto"}],
            "attendants": [{"extension": 400, "name": "Main", "menus": [{"name": "main"}], "site": site, **attendant}],
        }
    )


@pytest.mark.parametrize(
    ("site", "attendant", "heard"),
    [
        ("Laval", {}, "laval-welcome"),
        ("Toronto", {}, ""),
        ("", {}, ""),
        ("Laval", {"intros": [{"prompt": "own-intro"}]}, "own-intro"),
    ],
)
def test_which_intro_callers_hear(site, attendant, heard):
    found = resolve_attendant(office(site, **attendant), "400", "main", NOW)
    assert found is not None
    assert found.intro == heard


def test_the_record_says_that_it_was_the_sites():
    found = resolve_attendant(office("Laval"), "400", "main", NOW)
    assert found is not None
    (told,) = [decision for decision in found.record.decisions if decision.step == "intro"]
    assert (told.rule, told.because, told.link) == ("Laval", "laval-welcome", "sites/Laval")


def test_a_queue_without_a_greeting_has_its_sites():
    assert site_greeting(office("Laval"), "Laval") == "laval-welcome"
    assert site_greeting(office("Laval"), "nowhere") == ""
