"""Strangers register nothing, ring nobody, learn nothing, and guess slowly (testing.md R3 to R5)."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from pbx.events import (
    CallInvited,
    DeviceRegistered,
    GuessingSlowed,
    LegInvited,
    RegistrationRefused,
    SubscriptionChanged,
)
from pbx.sip.address import Peer
from pbx.sip.digest import Credentials, answer_challenge
from pbx.sip.message import Response, parse
from pbx.switch.switch import Switch
from tests.switch.town import DOMAIN, Town, assert_at_rest, directory


@dataclass
class Stranger:
    """Speaks raw SIP to the switch from an address of its own; every request is new."""

    town: Town
    host: str = "198.51.100.7"
    port: int = 5060
    sent: int = field(default=0)

    @property
    def peer(self) -> Peer:
        return Peer("udp", self.host, self.port)

    def ask(self, method: str, user: str, *headers: str, to: str = "", uri: str = f"sip:{DOMAIN}") -> Response:
        """Send one request and return its final answer."""
        self.sent += 1
        mark = f"{self.host}-{self.port}-{self.sent}"
        lines = [
            f"{method} {uri} SIP/2.0", f"Via: SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK-{mark}",
            "Max-Forwards: 70", f"From: <sip:{user}@{DOMAIN}>;tag={mark}", f"To: <sip:{to or user}@{DOMAIN}>",
            f"Call-ID: {mark}", f"CSeq: {self.sent} {method}", f"Contact: <sip:{user}@{self.host}:{self.port}>",
            *headers, "Content-Length: 0", "", "",
        ]  # fmt: skip
        switch: Switch = self.town.switch
        switch.receive("\r\n".join(lines).encode(), self.peer, self.town.now)
        mine = [parse(item.data) for item in switch.take_outgoing() if item.to == self.peer]
        return next(m for m in reversed(mine) if isinstance(m, Response) and m.status >= 200)

    def challenge(self, method: str = "REGISTER", user: str = "101") -> str:
        answer = self.ask(method, user)
        assert answer.status == 407
        return answer.need("Proxy-Authenticate")

    def proved(self, challenge: str, user: str, password: str, method: str = "REGISTER", uri: str = "") -> str:
        value = answer_challenge([challenge], Credentials(user, password), method, uri or f"sip:{DOMAIN}", "cnonce")
        return f"Proxy-Authorization: {value}"

    def guess(self, user: str, password: str = "guess") -> Response:
        return self.ask("REGISTER", user, self.proved(self.challenge(user=user), user, password))


@pytest.fixture
def stranger(town: Town) -> Stranger:
    return Stranger(town)


def told(answer: Response) -> tuple[object, ...]:
    """What an answer tells, apart from what the request itself said and from the nonce."""
    copied = ("Via", "From", "To", "Call-ID", "CSeq")
    return (
        answer.status,
        answer.reason,
        *(f"{n}: {v.partition('nonce=')[0]}" for n, v in answer.headers if n not in copied),
    )


@pytest.mark.parametrize(
    "method", ["REGISTER", "INVITE", "SUBSCRIBE", "OPTIONS", "MESSAGE", "REFER", "NOTIFY", "PUBLISH"]
)
def test_a_user_that_exists_and_one_that_does_not_look_alike(stranger, method):
    there, nowhere = (stranger.ask(method, user, uri=f"sip:{user}@{DOMAIN}") for user in ("101", "199"))
    assert told(there) == told(nowhere)


def test_unknown_user_wrong_password_and_wrong_realm_get_the_same_answer(stranger):
    elsewhere = stranger.challenge().replace(f'realm="{DOMAIN}"', 'realm="elsewhere.example"')
    answers = [
        stranger.guess("101", "wrong"),
        stranger.guess("199"),
        stranger.ask("REGISTER", "101", stranger.proved(elsewhere, "101", "x")),
    ]
    assert {told(answer)[0] for answer in answers} == {403}
    assert len({told(answer) for answer in answers}) == 1


def test_who_has_logged_in_speaks_for_itself_alone(town, stranger):
    in_anothers_name = stranger.ask("REGISTER", "102", stranger.proved(stranger.challenge(), "101", "x"))
    for_another = stranger.ask("REGISTER", "101", stranger.proved(stranger.challenge(), "101", "x"), to="102")
    assert (in_anothers_name.status, for_another.status) == (403, 403)
    assert town.seen(DeviceRegistered) == []
    assert stranger.ask("REGISTER", "101", stranger.proved(stranger.challenge(), "101", "x")).status == 200


def test_an_overheard_answer_is_worth_nothing_elsewhere_or_twice(town, stranger):
    answer = stranger.proved(stranger.challenge(), "101", "x")
    thief = Stranger(town, "198.51.100.66").ask("REGISTER", "101", answer)
    assert (thief.status, "stale=true" in thief.need("Proxy-Authenticate")) == (407, True)
    assert stranger.ask("REGISTER", "101", answer).status == 200
    assert stranger.ask("REGISTER", "101", answer).status == 407


def test_an_outside_call_never_leaves_without_a_login(town, stranger):
    for method, number in (
        ("INVITE", "14165550190"),
        ("INVITE", "011442071838750"),
        ("INVITE", "900"),
        ("INVITE", "911"),
    ):
        assert stranger.ask(method, "101", uri=f"sip:{number}@{DOMAIN}").status == 407
        forged = stranger.proved(stranger.challenge(method), "101", "guess", method, f"sip:{number}@{DOMAIN}")
        assert stranger.ask(method, "101", forged, uri=f"sip:{number}@{DOMAIN}").status == 403
    assert town.seen(CallInvited) == []
    assert town.seen(LegInvited) == []


def test_guessing_is_slowed_to_five_a_second_and_told_once(town, stranger):
    looked_at = 0
    for _ in range(1000):
        looked_at += stranger.guess("101").status == 403
        town.mono += 0.01
    assert looked_at <= 10 + 5 * 10
    assert {(e.by, e.name) for e in town.seen(GuessingSlowed)} == {("address", stranger.host), ("user", "101")}
    assert len(town.seen(GuessingSlowed)) == 2
    late = stranger.guess("101")
    assert (late.status, late.get("Retry-After")) == (503, "1")


def test_a_right_guess_among_many_teaches_nothing(town, stranger):
    for _ in range(40):
        stranger.guess("101")
    assert stranger.guess("101", "x").status == 503
    assert town.seen(DeviceRegistered) == []


def test_the_phone_that_is_registered_is_not_held_up_by_who_guesses_at_its_name(town, stranger):
    phone = town.phone("101")
    town.phone("102")
    for _ in range(100):
        stranger.guess("101")
    assert phone.register().status == 200
    phone.dial("102")
    town.run(0.5)
    assert phone.talk.status == 180
    phone.hang_up()


def test_a_phone_that_restarts_at_its_address_is_counted_apart_from_the_guesser_beside_it(town):
    phone = town.phone("101")
    neighbour = Stranger(town, phone.host, 40_000)
    for _ in range(40):
        neighbour.guess("102")
    restarted = Stranger(town, phone.host, 5062)
    proof = restarted.proved(restarted.challenge(), "101", "x")
    assert restarted.ask("REGISTER", "101", proof).status == 200
    assert neighbour.guess("102").status == 503


def test_strangers_leave_no_subscription(town, stranger):
    for user in ("101", "199"):
        assert stranger.ask("SUBSCRIBE", user, "Event: message-summary", "Expires: 60").status == 407
    assert town.seen(SubscriptionChanged) == []


def test_every_refusal_is_told_to_the_operator(town, stranger):
    stranger.guess("101")
    stranger.guess("199")
    assert [(e.device, e.status) for e in town.seen(RegistrationRefused)] == [("101", 403), ("199", 403)]


def test_a_user_has_no_more_calls_at_once_than_it_may():
    town = Town(directory(users={"101": {"max_calls": 1}}))
    ana, ben, cleo = (town.phone(name) for name in ("101", "102", "103"))
    ana.dial("102")
    town.run(0.5)
    ben.answer()
    town.run(0.5)
    second = ana.dial("103")
    town.run(0.5)
    assert second.status == 503
    cleo.dial("101")
    town.run(0.5)
    assert cleo.talk.state == "up"  # busy, so her mailbox answers
    assert len(ana.talks) == 2
    emergency = ana.dial("911")
    town.run(0.5)
    assert emergency.status == 180
    for phone, talk in ((ana, emergency), (ana, ana.talks[0]), (cleo, cleo.talk)):
        phone.hang_up(talk)
    assert_at_rest(town)
