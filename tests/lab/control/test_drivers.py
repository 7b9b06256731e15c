"""Each vendor's dialect against an emulation of its interface: what is pressed, and what is said when it is not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from lab.control.caller import Address, drive
from lab.control.command import Refused
from lab.control.controls import DRIVERS, driver_of
from test_plans.bench import ACTIONS, CAPABILITIES
from tests.lab.control import emulations

Serve = Callable[[web.Application], Awaitable[str]]
USERS = {
    "yealink": ("", ""),
    "poly": ("Polycom", "lab-secret"),
    "grandstream": ("admin", "lab secret&"),
    "snom": ("admin", "lab-secret"),
    "cisco_xml": ("admin", "lab-secret"),
    "fanvil": ("admin", "lab-secret"),
    "baresip": ("", ""),
    "linphone": ("", ""),
}
ARGUMENTS = {"dial": "102", "transfer": "103", "press": "1*#"}
SAME_KEY = {"resume": "hold", "reject": "hangup"}
"""Where one key does both, the emulated phone hears the other."""


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    servers: list[TestServer] = []

    async def start(app: web.Application) -> str:
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        return str(server.make_url("")).rstrip("/")

    yield start
    for server in servers:
        await server.close()


@pytest.mark.parametrize("name", DRIVERS)
async def test_every_action_a_driver_can_is_understood_by_the_phone(name, serve):
    driver, pressed = DRIVERS[name], []
    app = getattr(emulations, name)(lambda action, argument: pressed.append((action, argument)))
    phone = Address(await serve(app), *USERS[name])
    await drive(driver.look(), phone)
    assert pressed == [], "looking presses nothing"
    for action in sorted(driver.CAN & ACTIONS):
        pressed.clear()
        await drive(driver.do(action, ARGUMENTS.get(action, "")), phone)
        (heard, *_) = pressed
        assert heard[0] in (action, SAME_KEY.get(action), "answer" if name == "cisco_xml" else ""), (action, heard)
        assert "".join(argument for _, argument in pressed) == ARGUMENTS.get(action, "")


def test_what_drivers_claim_is_what_plans_can_ask_for():
    for name, driver in DRIVERS.items():
        assert driver.CAN <= CAPABILITIES, name
        assert driver.DOUBTED <= driver.CAN, name
        assert driver.__doc__, "a driver names its source"


@pytest.mark.parametrize(
    ("family", "driver"),
    [("yealink/t4x_t5x", "yealink"), ("poly/vvx", "poly"), ("poly/obi", None), ("generic/json", None)],
)
def test_a_phone_is_driven_by_its_family(family, driver):
    assert driver_of(family) is (DRIVERS[driver] if driver else None)


async def test_a_phone_with_another_password_says_so(serve):
    phone = Address(await serve(emulations.poly(lambda *_: None)), "Polycom", "wrong")
    with pytest.raises(Refused, match=r"this Poly wants another user and password \(401\)"):
        await drive(DRIVERS["poly"].look(), phone)


async def test_a_yealink_that_does_not_know_us_names_its_list(serve):
    phone = Address(await serve(emulations.yealink(lambda *_: None, allowed=False)))
    with pytest.raises(Refused, match="list of allowed servers"):
        await drive(DRIVERS["yealink"].look(), phone)


async def test_a_yealink_that_asks_whoever_stands_before_it_names_the_setting(serve):
    phone = Address(await serve(emulations.yealink(lambda *_: None, asks=True)))
    with pytest.raises(Refused, match="show_action_uri_option"):
        await drive(DRIVERS["yealink"].do("dial", "102"), phone)


async def test_a_vvx_that_answers_html_is_asked_again(serve):
    pressed: list[tuple[str, str]] = []
    app = emulations.poly(lambda *what: pressed.append(what), flaky=True)
    await drive(DRIVERS["poly"].do("dial", "102"), Address(await serve(app), "Polycom", "lab-secret"))
    assert pressed == [("dial", "102")]


async def test_a_poly_in_no_call_has_nothing_to_hang_up(serve):
    phone = Address(await serve(emulations.poly(lambda *_: None, calls=0)), "Polycom", "lab-secret")
    with pytest.raises(Refused, match="is in no call"):
        await drive(DRIVERS["poly"].do("hangup", ""), phone)


async def test_the_newest_of_two_calls_is_meant(serve):
    pressed: list[tuple[str, str]] = []
    app = emulations.poly(lambda *what: pressed.append(what), calls=2)
    await drive(DRIVERS["poly"].do("hold", ""), Address(await serve(app), "Polycom", "lab-secret"))
    assert pressed == [("hold", "")]


async def test_a_wrong_passcode_of_a_grandstream_is_told(serve):
    phone = Address(await serve(emulations.grandstream(lambda *_: None)), "admin", "wrong")
    with pytest.raises(Refused, match="wrong passcode"):
        await drive(DRIVERS["grandstream"].look(), phone)


@pytest.mark.parametrize(("number", "says"), [("4", "authentication URL"), ("1", "cannot read"), ("9", "error 9")])
async def test_a_cisco_error_is_told_in_words(number, says, serve):
    phone = Address(await serve(emulations.cisco_xml(lambda *_: None, error=number)), "admin", "lab-secret")
    with pytest.raises(Refused, match=says):
        await drive(DRIVERS["cisco_xml"].do("dial", "102"), phone)


@pytest.mark.parametrize("name", DRIVERS)
async def test_a_phone_that_serves_something_else_is_refused_by_name(name, serve):
    phone = Address(await serve(web.Application()), *USERS[name])
    with pytest.raises(Refused, match=r"\(404\)"):
        await drive(DRIVERS[name].look(), phone)


async def test_a_softphone_says_why_it_does_not_do_it_now(serve):
    phone = Address(await serve(emulations.softphone(lambda *_: None, unwilling="no call rings here")))
    with pytest.raises(Refused, match="no call rings here"):
        await drive(DRIVERS["baresip"].do("answer", ""), phone)


async def test_nothing_at_the_address_is_told(unused_tcp_port):
    with pytest.raises(Refused, match=f"no web server of a phone at http://127.0.0.1:{unused_tcp_port}"):
        await drive(DRIVERS["snom"].look(), Address(f"http://127.0.0.1:{unused_tcp_port}"))


async def test_what_is_dialled_cannot_become_another_command(serve):
    pressed: list[tuple[str, str]] = []
    phone = Address(await serve(emulations.grandstream(lambda *what: pressed.append(what))), "admin", "lab secret&")
    await drive(DRIVERS["grandstream"].do("dial", "1&cmd=endcall;#"), phone)
    assert pressed == [("dial", "1&cmd=endcall;#")]
