from __future__ import annotations

import pytest

from provisioning_server.ledger import GRACE_S, Key, Ledger

MAC, FIRST, OTHER = "805ec0000101", "a" * 32, "b" * 32


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(b"secret")


def opens(ledger: Ledger, given: str, now: float = 0.0, *, first: str = FIRST, window: bool | None = None) -> str:
    admission = ledger.admit(MAC, first, given, now, window=window)
    return admission.reason or admission.key.name


def use(ledger: Ledger, given: str, now: float = 0.0, *, first: str = FIRST) -> None:
    ledger.used(MAC, first, ledger.admit(MAC, first, given, now), now)


def test_the_one_time_token_opens(ledger):
    assert opens(ledger, FIRST) == "FIRST"


@pytest.mark.parametrize(("given", "said"), [(OTHER, "wrong token"), ("", "no token"), (FIRST[:-1], "wrong token")])
def test_nothing_else_opens(ledger, given, said):
    assert opens(ledger, given) == said


def test_an_empty_first_token_is_no_key(ledger):
    assert opens(ledger, "", first="") == "no token"
    assert opens(ledger, FIRST, first="") == "wrong token"


def test_a_boot_may_go_on_for_a_while_after_its_password(ledger):
    use(ledger, FIRST, 10.0)
    assert opens(ledger, FIRST, 10.0 + GRACE_S) == "FIRST"
    assert opens(ledger, FIRST, 10.1 + GRACE_S) == "the one-time token has been used"


def test_a_second_use_does_not_lengthen_the_while(ledger):
    use(ledger, FIRST, 0.0)
    use(ledger, FIRST, GRACE_S)
    assert opens(ledger, FIRST, GRACE_S + 1) == "the one-time token has been used"


def test_the_steady_token_opens_for_ever_and_kills_the_first_at_once(ledger):
    steady = ledger.steady_token(MAC, FIRST)
    use(ledger, FIRST)
    use(ledger, steady)
    assert opens(ledger, FIRST) == "the one-time token has been used"
    assert opens(ledger, steady, 1e9) == "STEADY"


def test_steady_tokens_are_of_one_device_one_installation_and_one_first_token(ledger):
    tokens = {
        ledger.steady_token(MAC, FIRST),
        ledger.steady_token(MAC, OTHER),
        ledger.steady_token("805ec0000102", FIRST),
        Ledger(b"another").steady_token(MAC, FIRST),
    }
    assert len(tokens) == 4
    assert all(len(token) == 32 for token in tokens)


def test_a_new_first_token_begins_anew_and_revokes_the_steady_one(ledger):
    steady = ledger.steady_token(MAC, FIRST)
    use(ledger, steady)
    assert opens(ledger, OTHER, first=OTHER) == "FIRST"
    assert opens(ledger, steady, first=OTHER) == "wrong token"


def test_a_window_opens_once_without_a_token(ledger):
    ledger.lan_window = True
    assert opens(ledger, "") == "WINDOW"
    use(ledger, "")
    assert opens(ledger, "", GRACE_S) == "WINDOW"
    assert opens(ledger, "", GRACE_S + 1) == "no token, and the window of this device is closed"


def test_a_devices_own_window_goes_before_the_ledgers(ledger):
    assert opens(ledger, "", window=True) == "WINDOW"
    ledger.lan_window = True
    assert opens(ledger, "", window=False) == "no token"


def test_a_window_does_not_excuse_a_wrong_token(ledger):
    ledger.lan_window = True
    assert opens(ledger, OTHER) == "wrong token"


def test_the_steady_token_closes_the_window_too(ledger):
    ledger.lan_window = True
    use(ledger, ledger.steady_token(MAC, FIRST))
    assert opens(ledger, "") == "no token, and the window of this device is closed"


def test_an_operator_lets_a_device_in_again(ledger):
    use(ledger, ledger.steady_token(MAC, FIRST))
    ledger.reopen(MAC)
    assert opens(ledger, FIRST) == "FIRST"


def test_what_was_spent_stays_spent_over_a_restart(ledger):
    use(ledger, FIRST)
    again = Ledger(b"secret", spent=ledger.spent())
    assert opens(again, FIRST) == "the one-time token has been used"
    assert opens(again, ledger.steady_token(MAC, FIRST)) == Key.STEADY.name
    assert opens(again, OTHER, first=OTHER) == "FIRST"
    assert FIRST not in str(ledger.spent())


def test_after_a_rotation_the_former_steady_token_opens_while_it_is_taken(ledger):
    held = ledger.steady_token(MAC, FIRST)
    assert ledger.admit(MAC, OTHER, held, 0.0).reason == "wrong token"
    admission = ledger.admit(MAC, OTHER, held, 0.0, former=FIRST)
    assert admission.key is Key.FORMER
    # a former one-time token opens nothing: it was for one use
    assert ledger.admit(MAC, OTHER, FIRST, 0.0, former=FIRST).reason == "wrong token"


def test_no_former_token_is_no_empty_one(ledger):
    assert ledger.admit(MAC, FIRST, ledger.steady_token(MAC, ""), 0.0, former="").reason == "wrong token"
