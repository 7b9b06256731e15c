"""What was served to whom and whether it still holds; and strangers that have asked."""

from __future__ import annotations

from provisioning_server.bans import Bans
from provisioning_server.quarantine import MOST_OF_ADDRESS, Quarantine
from provisioning_server.served import ServedFiles
from tests.provisioning.provisioned import EPOCH, FAMILIES, OWN_FILE, YEALINK, Counter, first, with_device

AT = EPOCH.timestamp()
AGENT = "Yealink SIP-T46S 66.86.0.15 805ec0000999"


def told(counter: Counter, seen: ServedFiles | Quarantine, name: str, token: str = "", **how: str) -> None:
    for event in counter.ask(name, token, **how).events:
        seen.take(event, AT)


def test_a_box_is_behind_when_it_would_get_another_file_now_and_no_more_once_it_has():
    counter, seen = Counter(), ServedFiles()
    name = OWN_FILE[YEALINK]
    told(counter, seen, name, first(YEALINK))
    assert [file.name for file in seen.of(YEALINK)] == [name]
    assert seen.behind(counter.office, counter.directory, YEALINK, counter.now) == ()
    counter.directory = with_device(counter.directory, "101", label="Front desk")
    assert seen.behind(counter.office, counter.directory, YEALINK, counter.now) == (name,)
    told(counter, seen, name, first(YEALINK))
    assert seen.behind(counter.office, counter.directory, YEALINK, counter.now) == ()


def test_what_changes_nothing_in_its_files_leaves_a_box_as_it_is():
    counter, seen = Counter(), ServedFiles()
    told(counter, seen, OWN_FILE[YEALINK], first(YEALINK))
    counter.directory = with_device(counter.directory, "102", label="Another's")
    assert seen.behind(counter.office, counter.directory, YEALINK, counter.now) == ()


def test_a_box_whose_files_cannot_be_written_any_more_is_behind():
    counter, seen = Counter(), ServedFiles()
    told(counter, seen, OWN_FILE[YEALINK], first(YEALINK))
    counter.directory = with_device(counter.directory, "101", label="x\ny")
    assert seen.behind(counter.office, counter.directory, YEALINK, counter.now) == (OWN_FILE[YEALINK],)


def test_a_stranger_is_kept_with_what_its_request_tells():
    counter, kept = Counter(), Quarantine(FAMILIES)
    told(counter, kept, "805ec0000999.cfg", agent=AGENT, host="192.0.2.77")
    told(counter, kept, "805ec0000999.cfg", agent=AGENT, host="192.0.2.77")
    (one,) = kept.strangers()
    assert (one.mac, one.address, one.times, one.family, one.model) == (
        "805ec0000999", "192.0.2.77", 2, "yealink/t4x_t5x", "T46S",
    )  # fmt: skip
    assert kept.forget(one.mac)
    assert kept.strangers() == []


def test_a_known_box_that_is_refused_is_no_stranger():
    counter, kept = Counter(), Quarantine(FAMILIES)
    told(counter, kept, OWN_FILE[YEALINK], "f" * 32)
    assert kept.strangers() == []


def test_one_address_cannot_push_out_what_others_have_shown():
    counter, kept = Counter(), Quarantine(FAMILIES)
    counter.office.bans = Bans(10_000)
    told(counter, kept, "805ec0000999.cfg", host="192.0.2.77")
    for number in range(MOST_OF_ADDRESS + 50):
        told(counter, kept, f"805ec1{number:06x}.cfg", host="203.0.113.9")
    assert kept.of("805ec0000999") is not None
    assert len(kept.strangers()) == MOST_OF_ADDRESS + 1
    assert kept.of(f"805ec1{0:06x}") is None
