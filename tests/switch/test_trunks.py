"""Ways out: the next trunk where one fails, and what the provider vouches for of a number (E09, E10)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from lab.stir import certificate_of, key_of, signer_of
from pbx.domain.directory import Directory
from pbx.events import CallEnded, CallRecordWritten, TrunkFailed
from pbx.sip.address import Peer
from pbx.sip.passport import opened
from pbx.switch.settings import SwitchSettings
from tests.switch.town import CARRIER_HOST, Phone, Town, assert_at_rest, directory

OUTSIDE = "14165550190"
SECRET = b"a secret"


SECOND_HOST = "10.0.0.8"


class TwoTrunks:
    """A town with two ways out, and a telephone in it."""

    def __init__(self, domain: Directory) -> None:
        self.town = Town(
            domain,
            settings=SwitchSettings(
                carrier=Peer("udp", CARRIER_HOST, 5060),
                more_carriers=(Peer("udp", SECOND_HOST, 5060),),
                signer=signer_of(SECRET, lambda: "https://lab/stir.pem"),
            ),
        )
        self.first: Phone = self.town.carrier
        self.second = self.town.carrier_at(SECOND_HOST)
        self.ana = self.town.phone("101")

    def ana_calls(self, seconds: float = 1.0) -> None:
        self.ana.dial(OUTSIDE)
        self.town.run(seconds)

    def ana_hangs_up(self) -> None:
        self.ana.hang_up()
        self.town.run(1.0)

    @property
    def failures(self) -> list[tuple[int, int]]:
        return [(event.status, event.left) for event in self.town.seen(TrunkFailed)]


@pytest.fixture
def trunks() -> Iterator[TwoTrunks]:
    made = TwoTrunks(directory())
    yield made
    assert_at_rest(made.town)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_trunk_that_refuses_for_reasons_of_its_own_is_followed_by_the_next(trunks: TwoTrunks, status: int):
    trunks.first.answers_with = status
    trunks.ana_calls()
    trunks.second.answer()
    trunks.town.run(1.0)
    assert trunks.ana.talk.state == "up"
    assert trunks.failures == [(status, 1)]
    trunks.ana_hangs_up()
    assert [e.disposition for e in trunks.town.seen(CallRecordWritten)] == ["ANSWERED"]


@pytest.mark.parametrize("status", [404, 480, 484, 486, 501, 600, 603])
def test_what_the_called_party_says_is_no_failure_of_the_trunk(trunks: TwoTrunks, status: int):
    trunks.first.answers_with = status
    trunks.ana_calls(10.0)
    assert (trunks.second.talks, trunks.failures) == ([], [])


def test_a_trunk_that_says_nothing_is_given_up_after_four_seconds_and_what_it_says_later_is_ended(trunks: TwoTrunks):
    trunks.town.unplug(trunks.first)
    trunks.ana_calls(3.5)
    assert trunks.second.talks == []
    trunks.town.run(1.0)
    trunks.second.answer()
    trunks.town.run(1.0)
    assert (trunks.ana.talk.state, trunks.failures) == ("up", [(408, 1)])
    trunks.town.plug(trunks.first)  # the INVITE is still repeated there
    trunks.town.run(10.0)
    assert trunks.first.talk.state == "over"
    assert trunks.ana.talk.state == "up"
    trunks.ana_hangs_up()


def test_a_trunk_that_failed_of_late_comes_last_and_after_its_rest_first_again(trunks: TwoTrunks):
    trunks.first.answers_with = 503
    for _ in range(2):
        trunks.ana_calls()
        trunks.ana_hangs_up()
    assert (len(trunks.first.talks), len(trunks.second.talks)) == (1, 2)
    trunks.first.answers_with = 0
    trunks.town.run(30.0)
    trunks.ana_calls()
    assert (len(trunks.first.talks), len(trunks.second.talks)) == (2, 2)
    trunks.ana_hangs_up()


def test_where_every_trunk_fails_the_caller_is_told_so(trunks: TwoTrunks):
    trunks.first.answers_with = trunks.second.answers_with = 503
    trunks.ana_calls(5.0)
    assert trunks.ana.talk.state == "over"
    assert trunks.failures == [(503, 1), (503, 0)]


def test_a_caller_who_gives_up_while_a_trunk_is_silent_rings_nobody(trunks: TwoTrunks):
    trunks.town.unplug(trunks.first)
    trunks.ana_calls(2.0)
    trunks.ana.hang_up()
    trunks.town.run(40.0)
    assert trunks.second.talks == []
    assert len(trunks.town.seen(CallEnded)) == 1


def test_who_calls_from_the_second_trunk_is_from_outside_too(trunks: TwoTrunks):
    trunks.second.dial("14165550101")
    trunks.town.run(1.0)
    assert trunks.ana.talk.state == "ringing"
    trunks.second.hang_up()
    trunks.town.run(1.0)


# --- E10 ----------------------------------------------------------------------------------------------


def attested(**users: dict[str, object]) -> TwoTrunks:
    made = directory(users=users) if users else directory()
    return TwoTrunks(made.replaced(domain=made.domain.model_copy(update={"attestation": True})))


def identity_of(trunks: TwoTrunks) -> str:
    trunks.ana_calls()
    return trunks.first.talk.session.request.get("Identity") or ""


def test_the_number_shown_is_attested_in_full_and_signed():
    trunks = attested()
    value = identity_of(trunks)
    signed, signature, claims = opened(value)
    assert value.endswith(";info=<https://lab/stir.pem>;alg=ES256;ppt=shaken")
    assert (claims["attest"], claims["orig"], claims["dest"]) == ("A", {"tn": "14165550101"}, {"tn": [OUTSIDE]})
    assert claims["iat"] == int(trunks.town.now.wall.timestamp()) - 1
    proof = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
    certificate = x509.load_pem_x509_certificate(certificate_of(SECRET, "lab", trunks.town.now.wall))
    how = ec.ECDSA(hashes.SHA256())
    public = certificate.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(proof, signed, how)
    with pytest.raises(InvalidSignature):
        key_of(b"another").public_key().verify(proof, signed, how)


def test_a_number_that_is_not_the_domains_is_attested_in_part():
    assert opened(identity_of(attested(**{"101": {"caller_id": 12125550100}})))[2]["attest"] == "B"


def test_a_call_from_outside_that_goes_on_there_is_only_passed_on():
    trunks = attested()
    trunks.first.dial("14165550102")  # leads outside again
    trunks.town.run(1.0)
    assert opened(trunks.first.talk.session.request.get("Identity") or "")[2]["attest"] == "C"


def test_a_domain_that_does_not_want_it_has_none(trunks: TwoTrunks):
    assert identity_of(trunks) == ""
    trunks.ana_hangs_up()
