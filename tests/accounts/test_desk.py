"""People log in, get links, set passwords; what is kept of a secret opens nothing."""

import asyncio
import json

import pytest

from lab.seeds.load import load_seed
from pbx.access import Actor, Thing
from pbx.accounts import passwords
from pbx.accounts.audit import difference, entry
from pbx.accounts.desk import AccountDesk, NotLoggedIn, digest_of, forget_domain, forget_strangers
from pbx.accounts.throttle import PER_ADDRESS, PER_LOGIN, WITHIN_S, Throttle
from pbx.domain.directory import Directory
from pbx.store.memory import MemoryStore
from pbx.store.protocol import Document, DocumentSaved

WORD = "seven wet umbrellas"


class Town:
    """A desk over a store in memory, with a clock to be moved."""

    def __init__(self) -> None:
        self.at, self.made = 1_000_000.0, 0
        self.store, self.directory = MemoryStore(), load_seed().directory
        self.desk = AccountDesk(lambda: self.store, lambda: [self.directory], self.token, lambda: self.at)

    def token(self) -> str:
        self.made += 1
        return f"secret-{self.made}-of-many-characters"


@pytest.fixture
async def town() -> Town:
    made = Town()
    await made.desk.set_password("acme.lab", "101", WORD)
    return made


async def session(town: Town, login: str = "101@acme.lab", password: str = WORD, address: str = "192.0.2.1") -> str:
    secret = await town.desk.log_in(login, password, address)
    assert isinstance(secret, str), secret
    return secret


async def test_a_session_stands_for_its_user_until_it_is_over(town):
    shown = town.desk.shown(await session(town), ("session",))
    actor = town.desk.actor(shown)
    assert (actor.name, actor.scope, actor.domain, actor.site) == (
        "101@acme.lab",
        "Office Manager",
        "acme.lab",
        "Toronto",
    )
    assert town.desk.shown("secret-1-of-many-characters", ("token",)) is None
    town.at += 12 * 3600
    assert town.desk.shown("secret-1-of-many-characters", ("session",)) is None


async def test_no_secret_and_no_password_is_in_the_store(town):
    secret = await session(town)
    kept = town.store.frozen()
    assert secret.encode() not in kept
    assert WORD.encode() not in kept
    assert digest_of(secret).encode() in kept
    assert town.store.credential("acme.lab", "101").hash.startswith("$argon2id$")
    assert "argon2" not in repr(town.store.credential("acme.lab", "101"))


@pytest.mark.parametrize("login", ["101@acme.lab", "999@acme.lab", "102@acme.lab", "", "101"])
async def test_wrong_name_wrong_password_and_no_password_are_told_alike(town, login):
    assert await town.desk.log_in(login, "seven wet umbrella", "192.0.2.1") == NotLoggedIn(
        "Name or password is not right."
    )


async def test_a_user_without_portal_does_not_log_in_and_a_session_ends_with_the_right(town):
    secret = await session(town)
    hidden = town.directory.users_by_extension["101"].model_copy(update={"scope": "No Portal"})
    town.directory = town.directory.with_user(hidden)
    assert town.desk.actor(town.desk.shown(secret, ("session",))) is None
    assert isinstance(await town.desk.log_in("101@acme.lab", WORD, "192.0.2.1"), NotLoggedIn)


async def test_a_welcome_link_lives_a_day_a_reset_three_hours_and_a_newer_one_alone_counts(town):
    first = town.desk.link("welcome", "acme.lab", "102", "lab engineer")
    second = town.desk.link("welcome", "acme.lab", "102", "lab engineer")
    assert town.desk.shown(first, ("welcome",)) is None
    town.at += 24 * 3600 - 1
    assert town.desk.shown(second, ("welcome",)) is not None
    town.at += 1
    assert town.desk.shown(second, ("welcome",)) is None
    reset = town.desk.link("reset", "acme.lab", "102", "101@acme.lab")
    town.at += 3 * 3600
    assert town.desk.shown(reset, ("reset",)) is None


async def test_a_new_password_ends_sessions_tokens_and_links(town):
    secrets = [await session(town), town.desk.issue("token", "acme.lab", "101")]
    link = town.desk.link("reset", "acme.lab", "101", "support")
    key = town.desk.issue("key", "acme.lab", "101", description="of a program")
    await town.desk.set_password("acme.lab", "101", "nine dry umbrellas")
    assert [town.desk.shown(one, ("session", "token", "reset")) for one in (*secrets, link)] == [None] * 3
    assert town.desk.shown(key, ("key",)).first == key[:12]
    assert isinstance(await town.desk.log_in("101@acme.lab", WORD, "192.0.2.1"), NotLoggedIn)


async def test_logging_out_ends_one_session_and_everywhere_all(town):
    one, two, three = [await session(town) for _ in range(3)]
    town.desk.end(one)
    assert town.desk.shown(one, ("session",)) is None
    assert town.desk.shown(two, ("session",)) is not None
    assert town.desk.revoke("acme.lab", "101", ("session",)) == 2
    assert town.desk.shown(three, ("session",)) is None


async def test_who_gets_the_extension_of_a_user_that_went_inherits_no_password_and_no_session(town):
    secret, before = await session(town), town.directory
    town.directory = Directory.model_construct(
        **{**dict(before), "users": tuple(user for user in before.users if user.extension != "101")}
    )
    forget_strangers(town.store, before, town.directory)
    assert town.store.credential("acme.lab", "101") is None
    town.directory = before
    assert town.desk.shown(secret, ("session",)) is None


async def test_a_domain_that_is_made_again_has_no_account_of_before(town):
    secret, key = await session(town), town.desk.issue("key", "acme.lab", "")
    forget_domain(town.store, town.directory)
    assert town.store.credential("acme.lab", "101") is None
    assert town.desk.shown(secret, ("session",)) is None
    assert town.desk.shown(key, ("key",)) is None


async def test_the_lab_engineers_password_is_one_a_program_may_show_and_none_may_guess(town):
    desk = AccountDesk(lambda: town.store, lambda: [town.directory], town.token, lambda: town.at, "lab word")
    assert desk.is_lab("lab word", "192.0.2.1")
    for _ in range(PER_LOGIN):
        assert not desk.is_lab("guess", "192.0.2.66")
    assert not desk.is_lab("lab word", "192.0.2.66")
    assert desk.is_lab("lab word", "192.0.2.1")
    assert not town.desk.is_lab("", "192.0.2.1"), "without a password there is none to show"


async def test_a_pass_for_reading_makes_an_actor_who_changes_nothing(town):
    secret = town.desk.issue("key", "acme.lab", "101", read_only=True)
    assert town.desk.actor(town.desk.shown(secret, ("key",))).read_only


async def test_guesses_that_come_at_once_count_as_those_that_come_in_turn(town):
    guesses = [town.desk.checked("101@acme.lab", "wrong", "192.0.2.66") for _ in range(PER_LOGIN + 3)]
    told = await asyncio.gather(*guesses)
    assert sum(one.retry_after_s > 0 for one in told) == 3


async def test_logins_that_are_right_are_no_failures_of_their_address(town):
    for _ in range(PER_ADDRESS + 1):
        await session(town)


async def test_subscriptions_of_a_user_go_with_the_user(town):
    for name, user in (("mine", "101"), ("all", "*")):
        town.store.submit(DocumentSaved(Document("acme.lab", "subscription", name, json.dumps({"user": user}))))
    users = tuple(user for user in town.directory.users if user.extension != "101")
    forget_strangers(town.store, town.directory, Directory.model_construct(**{**dict(town.directory), "users": users}))
    assert set(town.store.documents("acme.lab", "subscription")) == {"all"}


async def test_guessing_is_stopped_for_the_address_and_for_nobody_else(town):
    for _ in range(PER_LOGIN):
        await town.desk.log_in("101@acme.lab", "wrong", "192.0.2.66")
    stopped = await town.desk.log_in("101@ACME.lab", WORD, "192.0.2.66")
    assert stopped.retry_after_s == pytest.approx(WITHIN_S)
    assert await session(town, address="192.0.2.1")
    town.at += WITHIN_S
    assert await session(town, address="192.0.2.66")


def test_thirty_wrong_logins_of_an_address_for_whomever_are_too_many():
    throttle = Throttle()
    for guess in range(PER_ADDRESS):
        assert throttle.wait_s("192.0.2.66", "x", guess) == 0
        throttle.failed("192.0.2.66", f"user{guess}", float(guess))
    assert throttle.wait_s("192.0.2.66", "x", 30.0) == WITHIN_S - 30
    assert throttle.wait_s("192.0.2.1", "x", 30.0) == 0
    assert throttle.wait_s("192.0.2.66", "x", WITHIN_S) == 0


def test_a_login_that_succeeds_forgets_the_failures_of_that_login():
    throttle = Throttle()
    for guess in range(PER_LOGIN):
        throttle.failed("192.0.2.1", "ana", float(guess))
    assert throttle.wait_s("192.0.2.1", "ana", 10.0) > 0
    throttle.succeeded("192.0.2.1", "ana")
    assert throttle.wait_s("192.0.2.1", "ana", 10.0) == 0


@pytest.mark.parametrize(
    ("password", "taken"),
    [("short", False), ("aaaaaaaaaaaa", False), ("101@acme.lab", False), ("x" * 201, False), (WORD, True)],
)
def test_what_is_guessed_at_once_is_no_password(password, taken):
    assert (passwords.why_not(password, "101@acme.lab", "Ana") == "") is taken


def test_a_hash_that_is_none_opens_nothing():
    assert not passwords.fits("not a hash", WORD)
    assert not passwords.fits(None, "the password of nobody")


def test_an_entry_has_the_fields_that_differ_and_masks_secrets():
    ana = load_seed().directory.users_by_extension["101"]
    edited = ana.model_copy(update={"first_name": "Anna", "voicemail_pin": type(ana.voicemail_pin)("9876")})
    assert difference(ana, edited) == (
        '{"first_name": "Ana", "voicemail_pin": "***"}', '{"first_name": "Anna", "voicemail_pin": "***"}',
    )  # fmt: skip
    assert difference(None, ana)[0] == ""
    assert "4101" not in difference(None, ana)[1]


def test_an_entry_says_who_and_through_whose_eyes():
    viewer = Actor("102@acme.lab", "Basic User", "acme.lab", by="lab engineer")
    made = entry("a1", 1.0, viewer, "console 127.0.0.1", Thing("profile", "acme.lab", name="102"), "edit", "a", "b")
    assert (made.actor, made.as_whom, made.before, made.after) == ("lab engineer", "102@acme.lab", '"a"', '"b"')
