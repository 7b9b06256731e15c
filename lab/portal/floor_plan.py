"""Where the rooms of the portal are: its pages on the application of a console, whatever lab is behind them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from lab.console.app import Console, read_form
from lab.portal.doors import Doors
from lab.portal.faxes import FaxPage
from lab.portal.flow_page import FlowPage
from lab.portal.gate import Gate
from lab.portal.ledger import Ledger
from lab.portal.looking import Looking
from lab.portal.pages import Pages
from lab.portal.room import Room
from lab.portal.rules_page import RulesPage
from lab.portal.sight import House
from pbx.domain.directory import Directory
from pbx.domain.tenancy import User


def lay_out(
    console: Console,
    gate: Gate,
    ledger: Ledger,
    house: House,
    invite: Callable[[web.Request, Directory, User], Awaitable[str]],
) -> Room:
    """Add every page of the portal to a console; return what further pages of it are made with."""
    room = Room(gate, ledger, house, console.page, read_form)
    Doors(gate, ledger, console.page, read_form).route(console.app)
    Pages(room, invite).route(console.app)
    RulesPage(room).route(console.app)
    Looking(room).route(console.app)
    FaxPage(room).route(console.app)
    FlowPage(room).route(console.app)
    return room
