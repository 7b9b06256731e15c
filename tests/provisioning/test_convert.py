from __future__ import annotations

import pytest

from provisioning_server import convert


@pytest.mark.parametrize(("dscp", "tos"), [(46, 184), (26, 104), (0, 0), (63, 252)])
def test_dscp_is_the_upper_six_bits_of_the_tos_byte(dscp, tos):
    assert convert.dscp_to_tos(dscp) == tos


@pytest.mark.parametrize("dscp", [-1, 64, 184])
def test_a_tos_byte_given_for_a_dscp_is_refused(dscp):
    with pytest.raises(ValueError, match="0–63"):
        convert.dscp_to_tos(dscp)


@pytest.mark.parametrize(("seconds", "minutes"), [(120, 2), (121, 3), (60, 1), (59, 1), (0, 1), (3600, 60)])
def test_seconds_become_whole_minutes_rounded_up_and_never_none(seconds, minutes):
    assert convert.whole_minutes(seconds) == minutes


@pytest.mark.parametrize(("name", "number", "poly"), [("udp", 0, "UDPOnly"), ("tcp", 1, "TCPOnly"), ("tls", 2, "TLS")])
def test_transports(name, number, poly):
    assert (convert.transport_number(name), convert.poly_transport(name)) == (number, poly)


@pytest.mark.parametrize(
    ("text", "names"),
    [("PCMU, PCMA", ["PCMU", "PCMA"]), ("pcma", ["PCMA"]), ("G722,PCMU,,g722", ["G722", "PCMU"])],
)
def test_codecs_are_read_in_order_of_preference(text, names):
    assert convert.codec_names(text) == names


def test_an_unknown_codec_is_refused_by_name():
    with pytest.raises(ValueError, match="OPUS"):
        convert.codec_names("PCMU, opus")


@pytest.mark.parametrize(
    ("codec", "poly", "number", "rate"),
    [("PCMU", "G711_Mu", 0, 8000), ("PCMA", "G711_A", 8, 8000), ("G722", "G722", 9, 16000)],
)
def test_codec_names_of_the_vendors(codec, poly, number, rate):
    assert (convert.poly_codec(codec), convert.payload_type(codec), convert.clock_rate(codec)) == (poly, number, rate)


@pytest.mark.parametrize(
    ("method", "yealink", "grandstream"),
    [("rfc4733", 1, (101, 102, 100)), ("info", 2, (102, 101, 100)), ("inband", 0, (100, 101, 102))],
)
def test_dtmf_methods(method, yealink, grandstream):
    assert (convert.yealink_dtmf(method), convert.grandstream_dtmf(method)) == (yealink, grandstream)


@pytest.mark.parametrize(("kind", "number"), [("none", 0), ("park", 10), ("speed", 13), ("line", 15), ("blf", 16)])
def test_kinds_of_keys(kind, number):
    assert convert.yealink_key(kind) == number


@pytest.mark.parametrize(
    ("method", "gigaset", "fanvil", "htek", "zoiper"),
    [("inband", 1, 0, 1, "inband"), ("rfc4733", 2, 1, 0, "rfc_2833"), ("info", 4, 2, 2, "SIP_info_numeric")],
)
def test_each_maker_has_words_of_its_own_for_how_keys_are_sent(method, gigaset, fanvil, htek, zoiper):
    assert convert.gigaset_dtmf(method) == gigaset
    assert convert.fanvil_dtmf(method) == fanvil
    assert convert.htek_dtmf(method) == htek
    assert convert.zoiper_dtmf(method) == zoiper


@pytest.mark.parametrize(("scheme", "grandstream", "fanvil"), [("tftp", 0, 2), ("http", 1, 4), ("https", 2, 5)])
def test_how_files_are_fetched(scheme, grandstream, fanvil):
    assert (convert.grandstream_protocol(scheme), convert.fanvil_protocol(scheme)) == (grandstream, fanvil)
