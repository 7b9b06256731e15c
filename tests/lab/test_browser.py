"""A browser of the bench: what it sends of a page's form, the cookies it keeps, and where a redirect leads it."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable

import pytest

from lab.browser import Answered, Asked, Browser, NoForm

PAGE = b"""
<form method="get" action="/find"><input name="q"></form>
<form method="post" action="/d/users/101">
  <input type="hidden" name="tag" value="a1&amp;b"><input name="first_name" value="Ana"><input type="submit">
  <input type="checkbox" name="voicemail" value="yes" checked><input type="checkbox" name="dnd" value="yes">
  <select name="site"><option value="">none</option><option value="Laval" selected>Laval, QC</option></select>
  <select name="scope"><option>Basic User</option><option>Agent</option></select>
  <textarea name="notes">two
lines</textarea>
</form>
<form method="post" action="/d/users/101/invite"><button>Mail</button></form>
<form method="post"><input name="password"></form>
"""


class Portal:
    """Answers in the order of `says`; what was asked stands in `asked`."""

    def __init__(self, *says: Answered) -> None:
        self.says, self.asked = deque(says), list[Asked]()
        self.browser = Browser(self.carry)

    def carry(self, asked: Asked, answered: Callable[[Answered], None]) -> None:
        self.asked.append(asked)
        answered(self.says.popleft())


def test_a_form_is_sent_with_what_stood_in_it_and_what_was_filled_in():
    portal = Portal(Answered(200, body=PAGE), Answered(200))
    portal.browser.open("/d/users/101")
    portal.browser.submit({"first_name": "Zoé"})
    sent = portal.asked[1]
    assert (sent.method, sent.path) == ("POST", "/d/users/101")
    assert sent.body.decode() == (
        "tag=a1%26b&first_name=Zo%C3%A9&voicemail=yes&site=Laval&scope=Basic+User&notes=two%0Alines"
    )
    assert sent.headers["Sec-Fetch-Site"] == "same-origin"


@pytest.mark.parametrize(
    ("values", "to", "path"),
    [({}, "/d/users/101/invite", "/d/users/101/invite"), ({"password": "x"}, "", "/d/users/101")],
)
def test_a_form_is_found_by_where_it_leads_or_by_its_fields(values, to, path):
    portal = Portal(Answered(200, body=PAGE), Answered(200))
    portal.browser.open("/d/users/101")
    portal.browser.submit(values, to)
    assert portal.asked[1].path == path


def test_who_looks_for_a_form_that_is_not_there_is_told_which_are():
    portal = Portal(Answered(200, body=PAGE))
    portal.browser.open("/page")
    with pytest.raises(NoForm, match=r"the page /page has no such form, but .*/d/users/101/invite \(\)"):
        portal.browser.submit({"nickname": "x"})


def test_cookies_are_kept_until_they_are_taken_back_or_another_person_sits_down():
    given = Answered(200, cookies=("session=abc; Path=/; HttpOnly", 'gone=""; Max-Age=0'))
    portal = Portal(given, Answered(200), Answered(200, cookies=('session=""; Max-Age=0',)), given, Answered(200))
    for _ in range(4):
        portal.browser.open("/")
    portal.browser.forget()
    portal.browser.open("/")
    assert [asked.headers.get("Cookie") for asked in portal.asked] == [None, "session=abc", "session=abc", None, None]


def test_a_redirect_is_followed_with_the_cookie_it_brought_and_not_for_ever():
    portal = Portal(Answered(303, "/home", ("session=abc",)), Answered(200, body=b"welcome"))
    portal.browser.send("/login", {"login": "ana"})
    assert (portal.asked[1].method, portal.asked[1].path, portal.asked[1].headers["Cookie"]) == (
        "GET", "/home", "session=abc",
    )  # fmt: skip
    assert portal.browser.answer == (200, "welcome")
    round_and_round = Portal(*[Answered(303, "/again")] * 9)
    round_and_round.browser.open("/again")
    assert round_and_round.browser.answer[0] == 303


def test_an_answer_to_what_is_no_longer_waited_for_is_dropped():
    late: list[Callable[[Answered], None]] = []
    browser = Browser(lambda asked, answered: late.append(answered))
    browser.open("/first")
    browser.open("/second")
    late[1](Answered(200, body=b"second"))
    late[0](Answered(200, body=b"first"))
    assert browser.answer == (200, "second")


def test_the_token_a_login_brings_is_shown_from_then_on():
    portal = Portal(Answered(200, body=json.dumps({"access_token": "t1"}).encode()), Answered(200))
    portal.browser.ask("POST", "/ns-api/v2/tokens", {"username": "ana"})
    portal.browser.ask("GET", "/ns-api/v2/domains/~")
    assert [asked.headers.get("Authorization") for asked in portal.asked] == [None, "Bearer t1"]


def test_the_link_in_a_letter_is_opened():
    portal = Portal(Answered(200))
    portal.browser.follow("Hello,\n\nhttp://127.0.0.1:8080/link/s3cret\n\nThe link works once.")
    assert portal.asked[0].path == "/link/s3cret"
    with pytest.raises(NoForm, match="no link in the letter"):
        portal.browser.follow("Nothing to see.")
