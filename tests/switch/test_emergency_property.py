"""911 and 933 ring the emergency desk and nobody else; nothing but dialling them does, whatever is configured."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pbx.domain.destinations import ToExternal, parse_destination
from pbx.domain.directory import Directory
from pbx.events import EmergencyCalled, LegInvited
from pbx.sip.address import Peer
from pbx.sip.message import Request, parse
from pbx.switch.settings import SwitchSettings
from tests.switch.town import CARRIER_HOST, DOMAIN, Town, assert_at_rest, directory

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time

DIALLED_911 = ("911", "9911", "9-1-1", "911;phone-context=acme.lab", "%39%31%31", "*66911", "*70911")
PLACES = ("user 102", "user 103", "mailbox 101", "queue 500", "attendant 400", "external 14165550190", "support",
          "hangup busy")  # fmt: skip
places = st.none() | st.sampled_from(PLACES)
rules = st.fixed_dictionaries(
    {
        "do_not_disturb": st.booleans(),
        "forward_always": places,
        "forward_on_active": places,
        "forward_on_busy": places,
        "forward_no_answer": places,
        "forward_offline": places,
        "simultaneous_ring": st.lists(
            st.fixed_dictionaries(
                {"target": st.sampled_from(("own", "device 102", "external 14165550190")), "delay_s": st.integers(0, 3)}
            ),
            max_size=2,
            unique_by=lambda target: target["target"],
        ),
        "block": st.lists(st.sampled_from(("14165550142", "101", "911")), max_size=2),
    }
)
people = st.fixed_dictionaries(
    {
        extension: st.fixed_dictionaries(
            {
                "dial_policy": st.sampled_from(("", "Internal")),
                "do_not_disturb": st.booleans(),
                "rules": st.lists(rules, max_size=1),
            }
        )
        for extension in ("101", "102", "103")
    }
)


class Witness:
    """Reads every INVITE the carrier is sent."""

    def __init__(self, town: Town) -> None:
        self.called: list[str] = []
        receive = town.carrier.stack.receive

        def noting(data: bytes, source: Peer, now: float) -> None:
            message = parse(data)
            if isinstance(message, Request) and message.method == "INVITE":
                self.called.append(message.uri.removeprefix("sip:").partition("@")[0])
            receive(data, source, now)

        town.carrier.stack.receive = noting  # type: ignore[method-assign]


def town_of(users: dict[str, dict[str, object]], max_calls: int = 100) -> tuple[Town, Witness]:
    town = Town(
        directory(users=users), settings=SwitchSettings(carrier=Peer("udp", CARRIER_HOST, 5060), max_calls=max_calls)
    )
    return town, Witness(town)


@settings(max_examples=40, deadline=None)
@given(people, st.sampled_from((*DIALLED_911, "933")), st.sampled_from(("101", "103")), st.booleans(), st.booleans())
def test_an_emergency_call_rings_the_desk_and_nobody_else(users, dialled, caller, registered, full):
    town, witness = town_of(users, max_calls=0 if full else 100)
    town.phone("102")
    phone = town.phone(caller, registered=registered)
    phone.dial(dialled)
    town.run(2.0)
    code = "933" if dialled == "933" else "911"
    desk = "emergency-operator" if (code, caller) == ("911", "103") else f"emergency-{code}"  # 103 has no address
    assert [(leg.number, leg.device) for leg in town.seen(LegInvited)] == [(desk, "")]
    assert witness.called == [desk]
    assert [event.code for event in town.seen(EmergencyCalled)] == [code]
    phone.hang_up()
    assert_at_rest(town)


@settings(max_examples=40, deadline=None)
@given(
    people,
    st.sampled_from(
        ("101", "102", "103", "500", "400", "7101", "611", "988", "411", "9115550100", "4165550190", "912")
    ),
    st.sampled_from(("101", "103")),
    st.sampled_from(("", "9", "911", "9911", "#")),
)
def test_no_other_call_ever_comes_to_the_desk(users, dialled, caller, keys):
    """Keys pressed meanwhile (at an attendant, in a queue) are no dialling."""
    town, witness = town_of(users)
    town.phone("102")
    phone = town.phone(caller)
    phone.dial(dialled)
    town.run(1.0)
    if keys and phone.talk.state == "up":
        phone.press(keys)
    town.run(12.0)
    phone.hang_up()
    town.run(3.0)
    assert set(witness.called) <= {"+14165550190", "+18885550161", "+18885550162", "service-988", "service-411"}
    assert town.seen(EmergencyCalled) == []


def test_an_emergency_call_by_transfer_goes_to_the_desk_too():
    town, witness = town_of({})
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("102")
    town.run(0.5)
    ben.answer()
    town.run(1.0)
    ben.refer(f"sip:911@{DOMAIN}")
    town.run(1.0)
    assert witness.called == ["emergency-911"]
    ana.hang_up()
    assert_at_rest(town)


@pytest.mark.parametrize("number", ["911", "9911", "933", "1911", "+1911", "19115550100", "19110000911"])
def test_no_number_of_the_outside_is_an_emergency_number(number):
    with pytest.raises(ValueError, match="destination"):
        parse_destination(f"external {number}")
    with pytest.raises(ValidationError):
        ToExternal(number=number)


def test_nobody_is_given_an_emergency_number_as_extension():
    for extension in ("911", "933", "9911", "611"):
        with pytest.raises(ValidationError):
            Directory.model_validate(
                {"domain": {"name": "acme.lab"}, "users": [{"extension": extension, "first_name": "X"}]}
            )
