"""Auto attendants: greeting, keys, submenus (domain-features 1.6)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from pbx.domain.base import Extension, Model
from pbx.domain.destinations import Destination

MenuKey = Annotated[str, StringConstraints(pattern=r"^[0-9*#]$")]


class MenuAction(Model):
    """What a key does: go to a destination, open a submenu, find a person by name, play a message and come back, repeat
    the greeting, or hang up.

    Written for short as a destination (`queue 500`), `menu sales`, `directory`, `message opening-hours`, `repeat` or
    `hangup`.
    """

    action: Literal["go", "menu", "directory", "message", "repeat", "hangup"] = "go"
    to: Destination | None = None
    menu: str = ""
    message: str = ""
    """Prompt name."""

    @model_validator(mode="before")
    @classmethod
    def _read_short(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        word, _, rest = value.strip().partition(" ")
        if word in ("menu", "message"):
            return {"action": word, word: rest.strip()}
        if value.strip() in ("directory", "repeat", "hangup"):
            return {"action": value.strip()}
        return {"action": "go", "to": value}

    @model_validator(mode="after")
    def _complete(self) -> MenuAction:
        if (self.action == "go") != (self.to is not None):
            raise ValueError("a key that goes somewhere says where, and no other does")
        if (self.action == "menu") != bool(self.menu):
            raise ValueError("a key that opens a menu names it, and no other does")
        if (self.action == "message") != bool(self.message):
            raise ValueError("a key that plays a message names it, and no other does")
        return self


class Menu(Model):
    name: str = Field(default="main", pattern=r"^[a-z0-9][a-z0-9_-]*$")
    greeting: str = "attendant-welcome"
    """Prompt name: one of the domain's own, or one that ships."""
    keys: dict[MenuKey, MenuAction] = Field(default_factory=dict)
    no_key: MenuAction = MenuAction(action="repeat")
    unassigned_key: MenuAction = MenuAction(action="repeat")
    dial_by_extension: tuple[int, ...] = (3, 4, 5)
    """Extension lengths a caller may dial; empty refuses all."""
    tries: int = Field(default=3, ge=1, le=9)
    first_key_s: float = Field(default=5.0, gt=0)
    next_key_s: float = Field(default=3.0, gt=0)


class Intro(Model):
    """What callers hear first, in a time frame; `*` is any other time."""

    time_frame: str = "*"
    prompt: str
    """Prompt name."""


class Attendant(Model):
    extension: Extension
    name: str
    menus: tuple[Menu, ...] = Field(min_length=1)
    """The first is entered first."""
    closed: str = ""
    """Menu entered instead while none of `open_frames` covers the moment; empty for always the first."""
    open_frames: tuple[str, ...] = ()
    intros: tuple[Intro, ...] = ()
    """The first whose time frame covers the moment is heard once, before the menu that is entered first."""
    site: str = ""

    def menu(self, name: str) -> Menu | None:
        """Return the menu so named; `main` is the first one when none has that name."""
        named = next((menu for menu in self.menus if menu.name == name), None)
        return self.menus[0] if named is None and name == "main" else named
