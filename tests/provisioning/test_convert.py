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


@pytest.mark.parametrize(
    ("conversion", "given", "written"),
    [
        ("part", ("192.0.2.1, 192.0.2.2", 2), "192.0.2.2"),
        ("part", ("192.0.2.1", 2), ""),
        ("word", ("cn sn", 2), "sn"),
        ("word", ("cn", 2), ""),
        ("octet", ("192.0.2.53", 4), 53),
        ("host_port", ("h", 5060), "h:5060"),
        ("host_port", ("", 5060), ""),
        ("group_address", ("224.0.1.116:10000 All, 239.0.0.5:1 Shop", 2), "239.0.0.5:1"),
        ("group_host", ("224.0.1.116:10000 All", 1), "224.0.1.116"),
        ("group_port", ("224.0.1.116:10000 All", 1), "10000"),
        ("group_label", ("224.0.1.116:10000 All of us", 1), "All of us"),
        ("group_label", ("224.0.1.116:10000", 1), ""),
        ("group_address", ("", 1), ""),
        ("groups_alone", ("224.0.1.116:10000 All, 239.0.0.5:1 Shop",), "224.0.1.116:10000,239.0.0.5:1"),
        ("cisco_groups", ("224.0.1.116:10000 A;b=c",), "pggrp=224.0.1.116:10000;name=Abc;num=800;listen=yes;"),
        ("rings_of_six", (24,), 4),
        ("rings_of_six", (25,), 5),
        ("whole_hours", (86_400,), 24),
        ("whole_hours", (60,), 1),
        ("hour_of", ("03:30",), 3),
        ("later", ("23:30", 3600), "00:30"),
        ("cisco_clock", ("03:00",), "0300"),
        ("obi_time", ("03:00", 3600), "03:00+60"),
        ("url_scheme", ("HTTPS://h/x",), "https"),
        ("url_scheme", ("h/x",), "http"),
        ("profile_rule", ("http://h/x", "", "", ""), "http://h/x"),
        ("profile_rule", ("http://h/x", "k", "u", "p"), "[--uid u --pwd p --key k]http://h/x"),
        ("transport_number", ("naptr",), 3),
        ("poly_transport", ("naptr",), "DNSnaptr"),
        ("english_name", ("fr",), "French"),
        ("native_name", ("fr",), "Français"),
        ("snom_language", ("es",), "Espanol"),
        ("poly_language", ("nl",), "Dutch_Netherlands"),
        ("handset_language", ("es",), 6),
        ("yealink_tones", ("CA",), "United States"),
        ("snom_tones", ("DE",), "GER"),
        ("mitel_tones", ("GB",), "UK"),
        ("fanvil_tones", ("CA",), 18),
        ("fanvil_tones", ("MX",), ""),
        ("gigaset_tones", ("US",), "Retail"),
        ("yealink_date", ("DD/MM/YYYY",), 3),
        ("grandstream_date", ("MM/DD/YYYY",), 1),
        ("grandstream_date_word", ("YYYY-MM-DD",), "yyyy-mm-dd"),
        ("cisco_date", ("DD/MM/YYYY",), "day/month"),
        ("sep_date", ("",), "D/M/Y"),
        ("sep_hours", ("",), "A"),
        ("sep_hours", ("24",), ""),
        ("poly_log_level", (7,), 1),
        ("poly_log_level", (3,), 4),
        ("grandstream_log_level", (4,), 3),
        ("grandstream_log_word", (6,), "Info"),
        ("cisco_log_word", (5,), "NOTICE"),
        ("fanvil_log_word", (7,), "DEBUG"),
        ("snom_log_level", (7,), 9),
        ("yealink_key", ("ldap",), 38),
        ("grandstream_key", ("multicast",), "MulticastPaging"),
        ("grandstream_key_number", ("blf",), 1),
        ("snom_key", ("park", "701", "h", ""), "orbit 701"),
        ("snom_key", ("line", "", "h", ""), "line"),
    ],
)
def test_settings_are_written_as_each_maker_has_them(conversion, given, written):
    assert getattr(convert, conversion)(*given) == written


@pytest.mark.parametrize(
    ("conversion", "given"),
    [
        ("octet", ("dns.example.net", 1)),
        ("octet", ("192.0.2.256", 1)),
        ("url_scheme", ("ftp://h/x",)),
        ("group_address", ("224.0.1.116 All", 1)),
        ("profile_rule", ("http://h/x", "", "u", "p] http://evil")),
        ("profile_rule", ("http://h/x", "", "a b", "")),
    ],
)
def test_what_a_maker_has_no_form_for_is_refused(conversion, given):
    with pytest.raises(ValueError, match=r"is no|no place"):
        getattr(convert, conversion)(*given)
