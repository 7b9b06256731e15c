from __future__ import annotations

from lab.phones.boot import Boot, BootPace
from lab.phones.families import FAMILIES
from lab.phones.family import Fetched, boxed

YEALINK = FAMILIES["yealink/t4x_t5x"]
BOX = boxed(YEALINK, "T54W", "805ec0123456")
OWN = b"#!version:1.0.0.1\naccount.1.enable=1\naccount.1.user_name=101\naccount.1.sip_server.1.address=h\n"


def booting(dhcp: dict[int, str] | None = None) -> Boot:
    return Boot(YEALINK, BOX, dhcp if dhcp is not None else {66: "http://h/p"}, BootPace(), 100.0)


def pass_time(boot: Boot, until: float) -> None:
    while boot.next_deadline() <= until:
        boot.tick(boot.next_deadline())


def results(boot: Boot) -> dict[str, str]:
    return {part.name: part.result for part in boot.strip.parts}


def test_the_parts_follow_each_other_and_are_seen_one_by_one():
    boot = booting()
    assert results(boot)["link"] == "now"
    pass_time(boot, 100.25)
    assert (boot.stage, results(boot)["link"]) == ("dhcp", "ok")
    pass_time(boot, 100.65)
    assert boot.stage == "config"
    assert [part.seconds for part in boot.strip.parts][:3] == [0.2, 0.3, 0.1]
    assert boot.strip.parts[3].note == "805ec0123456.boot"


def test_files_are_asked_for_one_after_another_and_the_account_is_the_end():
    boot = booting()
    pass_time(boot, 101.0)
    number, fetch = boot.take_fetch()
    assert boot.take_fetch() is None
    assert fetch.name == "805ec0123456.boot"
    for body in (None, None, None, OWN):
        boot.fetched(number, Fetched(404) if body is None else Fetched(200, body), 101.0)
        taken = boot.take_fetch()
        number = taken[0] if taken else number
    assert boot.config.accounts[0].user == "101"
    assert (boot.over, results(boot)["config"], boot.next_deadline()) == (True, "ok", float("inf"))


def test_an_answer_to_an_earlier_request_counts_for_nothing():
    boot = booting()
    pass_time(boot, 101.0)
    number, _ = boot.take_fetch()
    boot.fetched(number, Fetched(404), 101.0)
    boot.fetched(number, Fetched(200, b"late"), 101.0)
    assert boot.asked == number + 1
    assert not boot.over


def test_a_server_that_says_nothing_is_given_up_file_by_file():
    boot = booting()
    pass_time(boot, 200.0)
    assert boot.failure.words == "Config timeout"
    assert results(boot)["config"] == "fail"


def test_no_address_of_a_server_stops_at_discovery():
    boot = booting({})
    pass_time(boot, 200.0)
    assert (boot.failure.words, results(boot)["discover"]) == ("No server", "fail")


def test_a_configuration_without_a_line_or_with_a_bad_number_is_an_error():
    for own, words in (
        (b"#!version:1.0.0.1\naccount.1.enable=0\n", "No account"),
        (OWN + b"account.1.sip_server.1.port = many\n", "Config bad"),
    ):
        boot = booting()
        pass_time(boot, 101.0)
        for answer in (Fetched(404), Fetched(404), Fetched(404), Fetched(200, own)):
            boot.fetched(boot.asked, answer, 101.0)
        assert boot.failure.words == words


def test_a_reload_goes_straight_to_the_files():
    boot = booting()
    boot.reload(100.0)
    assert boot.take_fetch() is not None
    assert results(boot)["dhcp"] == "ok"
