"""The transfer as a conversation: packets and moments in, packets out."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning_server.tftp import ACK, DATA, ERROR, OACK, Refused, Transfer, error, read_request


def request(name: bytes = b"x.cfg", *options: bytes, mode: bytes = b"octet", code: int = 1) -> bytes:
    return struct.pack("!H", code) + b"".join(part + b"\0" for part in (name, mode, *options))


def ack(block: int) -> bytes:
    return struct.pack("!HH", ACK, block & 0xFFFF)


def numbers(packets: list[bytes]) -> list[int]:
    assert all(packet[:2] == struct.pack("!H", DATA) for packet in packets)
    return [struct.unpack_from("!H", packet, 2)[0] for packet in packets]


def begun(body: bytes, **options: str) -> Transfer:
    transfer = Transfer(body, options, 0.0)
    transfer.start(0.0)
    return transfer


def fetch(transfer: Transfer, *, lose: frozenset[int] = frozenset()) -> bytes:
    """Play an honest client that loses the packets with these ordinals; return what it received."""
    clock, seen, expected, got = 0.0, 0, 1, b""
    packets = transfer.start(clock)
    block = 512
    while not transfer.done:
        answers: list[bytes] = []
        window = 1
        for packet in packets:
            seen += 1
            if seen in lose:
                continue
            code, number = struct.unpack_from("!HH", packet)
            if code == OACK:
                words = packet[2:].split(b"\0")
                told = dict(zip(words[::2], words[1::2], strict=False))
                block, window = int(told.get(b"blksize", 512)), int(told.get(b"windowsize", 1))
                answers.append(ack(0))
            elif number == expected & 0xFFFF:
                got += packet[4:]
                expected += 1
                answers = [ack(expected - 1)]
            else:
                answers = [ack(expected - 1)]
        assert block
        assert window
        packets = [packet for answer in answers for packet in transfer.take(answer, clock)]
        if not packets and not transfer.done:
            clock = max(clock, transfer.deadline)
            packets = transfer.tick(clock)
    return got


# --- the first packet ------------------------------------------------------------------------------------


def test_a_request_is_read_with_its_options_in_any_case():
    read = read_request(request(b"/p/x.cfg", b"BlkSize", b"1428", b"TSIZE", b"0"))
    assert (read.name, read.options) == ("/p/x.cfg", {"blksize": "1428", "tsize": "0"})


@pytest.mark.parametrize("mode", [b"octet", b"OCTET", b"Octet"])
def test_the_mode_is_compared_without_case(mode):
    assert read_request(request(mode=mode)).name == "x.cfg"


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (request(mode=b"netascii"), 4, b"only octet mode is served"),
        (request(mode=b"mail"), 4, b"only octet mode is served"),
        (request(code=2), 2, b"this server takes no files"),
        (b"\0\1x.cfg", 4, b"malformed request"),
        (b"\0\1x.cfg\0octet", 4, b"malformed request"),
        (b"\0\1\xff\xfe\0octet\0", 4, b"malformed request"),
        (request(b"x", b"blksize"), 4, b"malformed request"),
        (request(b"x", b"blksize", b"512")[:-1], 4, b"malformed request"),
        (request(b"x", b"", b""), 4, b"malformed request"),
        (request(b"x" * 1100), 4, b"request too long"),
    ],
)
def test_a_first_packet_that_starts_nothing_is_answered_clearly(data, code, said):
    with pytest.raises(Refused) as refused:
        read_request(data)
    assert refused.value.packet == struct.pack("!HH", ERROR, code) + said + b"\0"
    assert str(refused.value)


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\0\1", b"\0\1\0", b"\0\3\0\1x", b"\0\4\0\1", b"\0\5\0\1x\0", b"\xff" * 50]
)
def test_what_is_no_request_is_met_with_silence(data):
    with pytest.raises(Refused) as refused:
        read_request(data)
    assert refused.value.packet == b""


@given(st.binary(max_size=1200) | st.binary(max_size=60).map(lambda tail: b"\0\1" + tail))
def test_any_first_packet_is_read_or_refused(data):
    try:
        read = read_request(data)
    except Refused as refused:
        said = refused.packet
    else:
        said = error(0, read.name)
    assert not said or said[:2] == b"\0\5"


# --- options ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "taken"),
    [
        ({"tsize": "0"}, b"tsize\x001000\0"),
        ({"blksize": "1428"}, b"blksize\x001428\0"),
        ({"tsize": "0", "blksize": "8"}, b"tsize\x001000\0blksize\x008\0"),
        ({"blksize": "65464"}, b"blksize\x0065464\0"),
        ({"blksize": "99999"}, b"blksize\x0065464\0"),
        ({"timeout": "3"}, b"timeout\x003\0"),
        ({"windowsize": "16"}, b"windowsize\x0016\0"),
        ({"windowsize": "65535"}, b"windowsize\x0064\0"),
        ({"blksize": "abc", "tsize": "0"}, b"tsize\x001000\0"),
        ({"blksize": "7", "tsize": "0"}, b"tsize\x001000\0"),
    ],
)
def test_only_options_that_were_asked_for_are_acknowledged(options, taken):
    assert Transfer(b"x" * 1000, options, 0.0).start(0.0) == [struct.pack("!H", OACK) + taken]


@pytest.mark.parametrize(
    "options",
    [
        {}, {"blksize": "abc"}, {"blksize": "-8"}, {"blksize": "0"}, {"blksize": ""}, {"timeout": "0"},
        {"timeout": "256"}, {"timeout": "255"}, {"windowsize": "0"}, {"multicast": ""}, {"blksize": "9" * 40},
        {"blksize": "٣٣٣"},
    ],
)  # fmt: skip
def test_without_an_option_taken_the_file_begins_at_once(options):
    assert Transfer(b"abc", options, 0.0).start(0.0) == [struct.pack("!HH", DATA, 1) + b"abc"]


def test_a_client_that_only_wanted_the_size_leaves_with_an_error():
    transfer = begun(b"x" * 1000, tsize="0")
    assert transfer.take(struct.pack("!HH", ERROR, 8) + b"enough\0", 0.0) == []
    assert transfer.done


# --- data ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1024, 5000])
@pytest.mark.parametrize(
    "options", [{}, {"blksize": "8"}, {"blksize": "1428", "windowsize": "4"}, {"windowsize": "64"}]
)
def test_a_file_of_any_size_arrives_whole(size, options):
    body = bytes(range(256)) * 20
    assert fetch(Transfer(body[:size], options, 0.0)) == body[:size]


def test_a_multiple_of_the_block_ends_with_an_empty_block():
    transfer = begun(b"x" * 512)
    assert transfer.take(ack(1), 0.0) == [struct.pack("!HH", DATA, 2)]
    assert transfer.take(ack(2), 0.0) == []
    assert transfer.done


def test_a_duplicate_ack_repeats_nothing():
    transfer = begun(b"x" * 2000)
    assert numbers(transfer.take(ack(1), 0.0)) == [2]
    for _ in range(5):
        assert transfer.take(ack(1), 0.1) == []
    assert numbers(transfer.take(ack(2), 0.2)) == [3]


def test_an_ack_from_the_future_is_ignored():
    transfer = begun(b"x" * 2000)
    assert transfer.take(ack(3), 0.0) == []
    assert not transfer.done


def test_a_window_goes_out_at_once_and_resumes_after_the_block_acknowledged():
    transfer = Transfer(b"x" * 512 * 10, {"windowsize": "4"}, 0.0)
    transfer.start(0.0)
    assert numbers(transfer.take(ack(0), 0.0)) == [1, 2, 3, 4]
    # RFC 7440 §4: the third was lost, the client acknowledges the second
    assert numbers(transfer.take(ack(2), 0.0)) == [3, 4, 5, 6]


def test_block_numbers_roll_over_to_nought():
    body = bytes(8) * 66_000
    transfer = Transfer(body, {"blksize": "8", "windowsize": "64"}, 0.0)
    assert fetch(transfer) == body
    assert transfer.done


def test_a_lost_packet_is_repeated_after_a_second_then_later_and_given_up():
    transfer = begun(b"x" * 600)
    moments = []
    while not transfer.done:
        now = transfer.deadline
        packets = transfer.tick(now)
        moments.append(now)
        if not transfer.done:
            assert numbers(packets) == [1]
    assert moments == [1, 3, 7, 11, 15, 19]
    assert transfer.tick(100.0) == []


def test_nothing_is_repeated_before_its_time():
    assert begun(b"x").tick(0.99) == []


def test_an_option_acknowledgement_is_repeated_too():
    transfer = begun(b"x", tsize="0")
    assert transfer.tick(1.0)[0][:2] == struct.pack("!H", OACK)
    assert transfer.take(ack(1), 1.0) == []  # nothing but block 0 answers it
    assert numbers(transfer.take(ack(0), 1.0)) == [1]


@pytest.mark.parametrize(("timeout", "gives_up_at"), [("1", 6), ("3", 18), ("10", 40), ("15", 45)])
def test_a_client_may_choose_the_pause_but_not_keep_its_place_for_ever(timeout, gives_up_at):
    transfer = begun(b"x", timeout=timeout)
    while not transfer.done:
        now = transfer.deadline
        transfer.tick(now)
    assert now <= gives_up_at


def test_what_is_no_ack_ends_the_transfer():
    transfer = begun(b"x")
    assert transfer.take(struct.pack("!HH", DATA, 1) + b"x", 0.0) == [
        struct.pack("!HH", ERROR, 4) + b"an ACK was expected\0"
    ]
    assert transfer.done


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\4", b"\0\4\0"])
def test_a_packet_too_short_is_ignored(data):
    transfer = begun(b"x")
    assert transfer.take(data, 0.0) == []
    assert not transfer.done


def test_when_only_the_last_ack_is_missing_it_is_known():
    transfer = begun(b"x" * 600)
    assert not transfer.awaits_last_ack
    transfer.take(ack(1), 0.0)
    assert transfer.awaits_last_ack


@settings(deadline=None)
@given(
    size=st.integers(0, 4000),
    block=st.sampled_from(["8", "64", "512"]),
    window=st.sampled_from(["1", "2", "7"]),
    lose=st.frozensets(st.integers(1, 60), max_size=4),
)
def test_a_wire_that_loses_packets_delivers_the_file_all_the_same(size, block, window, lose):
    body = bytes(number % 251 for number in range(size))
    assert fetch(Transfer(body, {"blksize": block, "windowsize": window}, 0.0), lose=lose) == body


@given(st.lists(st.binary(max_size=8) | st.integers(0, 65535).map(ack), max_size=30), st.floats(0, 100))
def test_any_packets_at_any_time_raise_nothing_and_send_no_more_than_a_window(packets, now):
    transfer = begun(b"x" * 3000, windowsize="4")
    for packet in packets:
        assert len(transfer.take(packet, now)) <= 4
        assert len(transfer.tick(now)) <= 4
