"""Networks between a site and the provider, a file each: what the line does each way, and which routers stand on it.

A file has `title`, `about`, and any of the tables `to_provider` and `from_provider` (`lab.wire.Impairment`), `router`
and `modem`, the box outside the router (`lab.network.router.RouterTraits`); every site has a router.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from importlib.resources import files
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from lab.errors import BAD_INPUT, UserError
from lab.network.router import RouterTraits
from lab.wire import Impairment

T = TypeVar("T", Impairment, RouterTraits)


@dataclass(frozen=True, slots=True)
class Network:
    name: str
    title: str
    about: str
    to_provider: Impairment
    from_provider: Impairment
    router: RouterTraits
    modem: RouterTraits | None


def names() -> list[str]:
    """The networks that come with the house."""
    return sorted(path.name.removesuffix(".toml") for path in files(__name__).iterdir() if path.name.endswith(".toml"))


def network(name: str) -> Network:
    """Return a network by its name; UserError lists them when there is none of it."""
    if name not in names():
        raise UserError(
            f"no network is called {name!r}", "networks are the files of lab/network/presets",
            f"name one of {', '.join(names())}", "docs/network.md", BAD_INPUT,
        )  # fmt: skip
    return parsed(name, files(__name__).joinpath(f"{name}.toml").read_text())


def parsed(name: str, text: str) -> Network:
    """Read a file's text; UserError says which line, table or key is wrong."""
    try:
        given = tomllib.loads(text)
        read = Network(
            name,
            str(given.pop("title", name)),
            str(given.pop("about", "")),
            to_provider=_table(Impairment, given.pop("to_provider", {})),
            from_provider=_table(Impairment, given.pop("from_provider", {})),
            router=_table(RouterTraits, given.pop("router", {})),
            modem=_table(RouterTraits, given.pop("modem")) if "modem" in given else None,
        )
        if given:
            raise ValueError(f"{next(iter(given))!r} is no table of it")
    except (tomllib.TOMLDecodeError, ValidationError, ValueError) as error:
        raise UserError(
            f"network {name} cannot be read", str(error), "see the files of lab/network/presets", "docs/network.md",
            BAD_INPUT,
        ) from None  # fmt: skip
    return read


def _table(kind: type[T], given: dict[str, Any]) -> T:
    known = {item.name for item in fields(kind)}
    unknown = next((key for key in given if key not in known), None)
    if unknown is not None:
        raise ValueError(f"{unknown!r} is none of {', '.join(sorted(known))}")
    return TypeAdapter(kind).validate_python(given)
