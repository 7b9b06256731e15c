"""The registrar keeps what it is told, in order, and no more than its limits."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pbx.clock import Moment, moment_at
from pbx.sip.address import Peer
from pbx.sip.message import Malformed, Request
from pbx.sip.registrar import MAX_CONTACTS, Added, Registrar, Removed

EPOCH = datetime(2026, 11, 24, tzinfo=UTC)
PEER = Peer("udp", "127.0.0.1", 5060)


def at(seconds: float) -> Moment:
    return moment_at(seconds, EPOCH)


def register(
    contact: str = "<sip:101@127.0.0.1>", *, expires: str = "120", cseq: int = 1, call_id: str = "a"
) -> Request:
    headers = [("Via", "SIP/2.0/UDP x;branch=z9hG4bK1"), ("From", "<sip:101@lab>;tag=1"), ("To", "<sip:101@lab>")]
    headers += [("Call-ID", call_id), ("CSeq", f"{cseq} REGISTER"), ("User-Agent", "T54W")]
    headers += [("Contact", contact)] if contact else []
    headers += [("Expires", expires)] if expires else []
    return Request("REGISTER", "sip:lab", headers)


def put(registrar: Registrar, request: Request, now: float = 0.0):
    return registrar.register(request, PEER, "101", "101", at(now))


def test_a_contact_is_kept_until_it_expires():
    registrar = Registrar()
    result = put(registrar, register())
    assert [type(change) for change in result.changes] == [Added]
    assert ("Contact", "<sip:101@127.0.0.1>;expires=120") in result.headers
    assert registrar.registered(at(119)) == {"101"}
    assert registrar.registered(at(121)) == frozenset()
    assert [type(change) for change in registrar.expire(at(121))] == [Removed]
    assert registrar.expire(at(122)) == ()


def test_a_refresh_replaces_and_says_so():
    registrar = Registrar()
    put(registrar, register())
    (change,) = put(registrar, register(cseq=2), 60.0).changes
    assert change.refreshed
    assert registrar.bindings("101", at(179))[0].cseq == 2


def test_expires_zero_removes_at_once():
    registrar = Registrar()
    put(registrar, register())
    (change,) = put(registrar, register(expires="0", cseq=2), 1.0).changes
    assert isinstance(change, Removed)
    assert not change.expired


def test_a_wildcard_goes_alone_and_with_expires_zero():
    registrar = Registrar()
    put(registrar, register())
    with pytest.raises(Malformed):
        put(registrar, register("*", cseq=2))
    assert len(put(registrar, register("*", expires="0", cseq=3)).changes) == 1
    assert registrar.bindings("101", at(0)) == ()


def test_a_register_out_of_order_changes_nothing():
    registrar = Registrar()
    put(registrar, register(cseq=5))
    with pytest.raises(Malformed):
        put(registrar, register(expires="0", cseq=4))
    assert len(registrar.bindings("101", at(1))) == 1


def test_too_brief_an_interval_is_refused_with_the_least_one():
    result = put(Registrar(), register(expires="3"))
    assert (result.status, result.headers) == (423, (("Min-Expires", "10"),))


def test_a_phone_that_comes_back_elsewhere_replaces_its_old_contact():
    registrar = Registrar()
    put(registrar, register('<sip:101@127.0.0.1:1000>;+sip.instance="<urn:uuid:1>"'))
    put(registrar, register('<sip:101@127.0.0.1:2000>;+sip.instance="<urn:uuid:1>"', call_id="b"))
    assert [b.contact for b in registrar.bindings("101", at(1))] == ["sip:101@127.0.0.1:2000"]


def test_a_device_has_a_limited_number_of_contacts():
    registrar = Registrar()
    for number in range(MAX_CONTACTS + 2):
        put(registrar, register(f"<sip:101@127.0.0.1:{1000 + number}>", cseq=number + 1))
    kept = registrar.bindings("101", at(1))
    assert len(kept) == MAX_CONTACTS
    assert kept[0].contact == f"sip:101@127.0.0.1:{1000 + MAX_CONTACTS + 1}"


def test_a_query_changes_nothing_and_lists_what_is_there():
    registrar = Registrar()
    put(registrar, register())
    result = put(registrar, register("", expires="", cseq=2))
    assert result.changes == ()
    assert len([value for name, value in result.headers if name == "Contact"]) == 1


def test_a_bad_expiry_means_the_default_and_a_broken_contact_is_refused():
    registrar = Registrar()
    assert ("Contact", "<sip:101@127.0.0.1>;expires=60") in put(registrar, register(expires="soon")).headers
    with pytest.raises(Malformed):
        put(registrar, register("<sip:101@@@>", cseq=2))


def test_bindings_of_before_a_restart_are_taken_up():
    first = Registrar()
    put(first, register())
    second = Registrar()
    second.load(first.bindings("101", at(0)))
    assert second.registered(at(10)) == {"101"}
    assert second.by_peer(PEER).device == "101"
    assert second.next_deadline(at(10)) == pytest.approx(120.0)
    assert isinstance(second.remove("101", "sip:101@127.0.0.1"), Removed)
    assert second.remove("101", "sip:nobody") is None


def test_the_proxies_on_the_way_are_kept_in_order_and_told_back():
    registrar = Registrar()
    request = register()
    request.headers += [("Path", "<sip:edge@10.0.0.3;lr>, <sip:10.0.0.4;lr>"), ("Path", "<sip:10.0.0.5;lr>")]
    told = put(registrar, request).headers
    proxies = ["<sip:edge@10.0.0.3;lr>", "<sip:10.0.0.4;lr>", "<sip:10.0.0.5;lr>"]
    assert [value for name, value in told if name == "Path"] == proxies
    (binding,) = registrar.bindings("101", at(1))
    assert binding.routes == [("Route", proxy) for proxy in proxies]
    put(registrar, register(cseq=2), 60.0)
    assert registrar.bindings("101", at(61))[0].routes == []
