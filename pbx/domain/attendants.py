"""Auto attendants: greeting, keys, submenus (domain-features 1.6)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from pbx.domain.base import Extension, Model
from pbx.domain.destinations import Destination

MenuKey = Annotated[str, StringConstraints(pattern=r"^[0-9*#]$")]


class MenuAction(Model):
    """What a key does: go to a destination, open a submenu, or repeat the greeting."""

    action: Literal["go", "menu", "repeat", "hangup"] = "go"
    to: Destination | None = None
    menu: str = ""


class Menu(Model):
    name: str = "main"
    greeting: str = "attendant-welcome"
    """Prompt name."""
    keys: dict[MenuKey, MenuAction] = Field(default_factory=dict)
    no_key: MenuAction = MenuAction(action="repeat")
    unassigned_key: MenuAction = MenuAction(action="repeat")
    dial_by_extension: tuple[int, ...] = (3, 4, 5)
    """Extension lengths a caller may dial; empty refuses all."""
    tries: int = Field(default=3, ge=1, le=9)
    first_key_s: float = Field(default=5.0, gt=0)
    next_key_s: float = Field(default=3.0, gt=0)


class Attendant(Model):
    extension: Extension
    name: str
    menus: tuple[Menu, ...]
    """The first is entered first."""
    closed: str = ""
    """Menu entered instead while none of `open_frames` covers the moment; empty for always the first."""
    open_frames: tuple[str, ...] = ()
    site: str = ""

    def menu(self, name: str) -> Menu | None:
        return next((menu for menu in self.menus if menu.name == name), None)
