"""Digest: the RFC's own vectors, and what a server must not let pass."""

from __future__ import annotations

import re
from itertools import count

import pytest

from pbx.sip.digest import Credentials, DigestServer, Verdict, answer_challenge, hexdigest

ALICE = Credentials("101", "secret")


def server(**options) -> DigestServer:
    numbers = count(1)
    return DigestServer("acme.lab", lambda size: f"{next(numbers):0{size}x}", **options)


def answered(challenges: list[str], who: Credentials = ALICE, *, count: int = 1, uri: str = "sip:acme.lab") -> str:
    value = answer_challenge(challenges, who, "REGISTER", uri, "cnonce", count)
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_vectors_of_rfc_7616(algorithm, response):
    nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    secret = hexdigest(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life")
    request = hexdigest(algorithm, "GET", "/dir/index.html")
    assert hexdigest(algorithm, secret, nonce, "00000001", cnonce, "auth", request) == response


@pytest.mark.parametrize("algorithms", [("SHA-256", "MD5"), ("MD5",), ("SHA-256",)])
def test_a_right_answer_is_accepted(algorithms):
    it = server(algorithms=algorithms)
    assert it.verify(answered(it.challenge(0.0)), "REGISTER", "secret", 1.0) is Verdict.OK


def test_the_strongest_algorithm_is_answered():
    assert "algorithm=SHA-256" in answered(server().challenge(0.0))


def test_an_answer_without_qop_is_accepted_once():
    it = server(algorithms=("MD5",))
    bare = answered([it.challenge(0.0)[0].replace(', qop="auth"', "")])
    assert "qop" not in bare
    assert it.verify(bare, "REGISTER", "secret", 1.0) is Verdict.OK
    assert it.verify(bare, "REGISTER", "secret", 2.0) is Verdict.REPLAYED


def test_a_nonce_answered_without_qop_is_good_for_one_request_only():
    """Else the answer of the first could be sent again after that of the second."""
    it = server(algorithms=("MD5",))
    asked = [it.challenge(0.0)[0].replace(', qop="auth"', "")]
    first, second = answered(asked), answered(asked, uri="sip:102@acme.lab")
    assert it.verify(first, "REGISTER", "secret", 1.0) is Verdict.OK
    assert it.verify(second, "REGISTER", "secret", 2.0) is Verdict.REPLAYED
    assert it.verify(first, "REGISTER", "secret", 3.0) is Verdict.REPLAYED


def test_a_captured_answer_is_worth_nothing():
    it = server()
    value = answered(it.challenge(0.0))
    assert it.verify(value, "REGISTER", "secret", 1.0) is Verdict.OK
    assert it.verify(value, "REGISTER", "secret", 2.0) is Verdict.REPLAYED


def test_the_count_may_rise_on_one_nonce():
    it = server()
    challenges = it.challenge(0.0)
    assert it.verify(answered(challenges, count=1), "REGISTER", "secret", 1.0) is Verdict.OK
    assert it.verify(answered(challenges, count=5), "REGISTER", "secret", 2.0) is Verdict.OK
    assert it.verify(answered(challenges, count=3), "REGISTER", "secret", 3.0) is Verdict.REPLAYED


def test_an_old_nonce_is_stale():
    it = server(lifetime_s=10.0)
    value = answered(it.challenge(0.0))
    assert it.verify(value, "REGISTER", "secret", 11.0) is Verdict.STALE
    assert "stale=true" in it.challenge(11.0, stale=True)[0]


def test_an_unknown_user_and_a_wrong_password_get_the_same_verdict():
    it = server()
    unknown = it.verify(answered(it.challenge(0.0)), "REGISTER", None, 1.0)
    wrong = it.verify(answered(it.challenge(0.0)), "REGISTER", "other", 1.0)
    assert unknown is wrong is Verdict.WRONG


@pytest.mark.parametrize("value", [None, "", "Basic YTpi", 'Digest realm="other", nonce="x"', "Digest nonsense", '"'])
def test_what_is_no_answer_to_us_is_missing(value):
    assert server().verify(value, "REGISTER", "secret", 0.0) is Verdict.MISSING


def test_a_right_answer_for_another_realm_is_wrong():
    it = server()
    elsewhere = answered([it.challenge(0.0)[0].replace('realm="acme.lab"', 'realm="other.lab"')])
    assert it.verify(elsewhere, "REGISTER", "secret", 1.0) is Verdict.WRONG


def test_an_answer_from_another_address_than_the_challenge_went_to_is_stale():
    it = server()
    given = answered(it.challenge(0.0, host="192.0.2.1"))
    assert it.verify(given, "REGISTER", "secret", 1.0, host="192.0.2.2") is Verdict.STALE
    assert it.verify(given, "REGISTER", "secret", 1.0, host="192.0.2.1") is Verdict.OK


def test_an_answer_for_another_method_is_wrong():
    it = server()
    assert it.verify(answered(it.challenge(0.0)), "INVITE", "secret", 1.0) is Verdict.WRONG


@pytest.mark.parametrize("name", ["username", "response", "uri", "nonce", "nc", "cnonce"])
def test_bytes_that_are_no_text_are_only_wrong(name):
    it = server()
    given = answered(it.challenge(0.0))
    odd = re.sub(rf'\b{name}="?[^",]*"?', f'{name}="\udcff\udc80"', given)
    assert odd != given
    assert it.verify(odd, "REGISTER", "secret", 1.0) in (Verdict.WRONG, Verdict.STALE)


def test_an_invented_nonce_is_never_accepted():
    it = server()
    value = answered([it.challenge(0.0)[0].replace('nonce="', 'nonce="f')])
    assert it.verify(value, "REGISTER", "secret", 1.0) is Verdict.STALE


def test_credentials_never_show_their_password():
    assert "secret" not in repr(ALICE)


def test_several_challenges_in_one_line_are_told_apart():
    line = ", ".join(server().challenge(0.0))
    assert "algorithm=SHA-256" in answered([line])
