"""A browser of the bench: what a plan does at the portal and at the API, and what it is shown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from lab.browser import Browser, NoForm
from lab.house import House
from test_plans.bench import CannotDo, HeardSound, Lacking, SeenFax

BROWSERS = 2
"""The one who administers, and the one it is about."""
MOST_USERS, _FIRST = 900, 3000
_CAN = frozenset({"open", "submit", "send", "ask", "follow", "upload", "forget"})


class BrowserDevice:
    """No telephone: it has neither number nor line."""

    extension = site = mac = screen = label = host = hold_target = shows = ""
    direct_number = outside_number = emergency_number = emergency_address = ""
    lamp = False
    registered = idle = True
    family = model = "browser"
    patience_s = 0.0
    traits: frozenset[str] = frozenset()
    capabilities = _CAN
    key_names: Mapping[str, str] = {}
    config: Mapping[str, str] = {}

    def __init__(self, house: House, name: str) -> None:
        self._house = house
        self.id = self.number = name
        portal = house.portal
        self._browser = Browser(portal.carry) if portal is not None else None

    @property
    def answer(self) -> tuple[int, str]:
        return self._browser.answer if self._browser is not None else (0, "")

    def heard(self) -> Sequence[HeardSound]:
        return ()

    def faxes(self) -> Sequence[SeenFax]:
        return ()

    def do(self, action: str, argument: str = "", via: str = "") -> None:
        if action != "forget":
            raise CannotDo(f"{self.id} is no telephone: it has no way to {action}")
        self._one().forget()

    def set(self, action: str, arguments: Mapping[str, str]) -> None:
        browser, path = self._one(), arguments.get("path", "")
        value = json.loads(arguments["value"]) if "value" in arguments else None
        try:
            match action:
                case "open":
                    browser.open(path)
                case "submit":
                    browser.submit(_fields(value), path)
                case "send":
                    browser.send(path, _fields(value))
                case "ask":
                    browser.ask(arguments.get("method", "GET").upper(), path, value)
                case "upload":
                    browser.ask("POST", path, _sheet(value))
                case "follow":
                    browser.follow(self._newest(arguments["mail"]))
                case _:
                    raise CannotDo(f"{self.id} is no telephone: it has no way to {action}")
        except NoForm as error:
            raise CannotDo(str(error)) from None

    def _one(self) -> Browser:
        if self._browser is None:
            raise Lacking("no console of this lab is open, and the portal is on its port")
        return self._browser

    def _newest(self, address: str) -> str:
        letters = self._house.outbox.letters(address)
        if not letters:
            raise CannotDo(f"there is no letter to {address} yet")
        return letters[-1].text


def _sheet(value: object) -> str:
    """Return a spreadsheet of users as CSV: so many, some of whose rows nobody can use."""
    told = value if isinstance(value, dict) else {}
    users, spoilt = told.get("users"), told.get("spoilt", [])
    if not isinstance(users, int) or not 0 < users <= MOST_USERS or not isinstance(spoilt, list):
        raise CannotDo(f"value says how many `users`, and which rows are `spoilt`, not {value!r}")
    rows = ["Extension,First name,Last name,Email address"]
    for row in range(1, users + 1):
        extension = f"{_FIRST + row}{'x' if row in spoilt else ''}"
        rows.append(f"{extension},Person,Number {row},person{row}@import.lab")
    return "\r\n".join(rows)


def _fields(value: object) -> Mapping[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise CannotDo(f"value is a mapping of a form's fields, not {value!r}")
    return {str(name): str(text) for name, text in value.items()}
