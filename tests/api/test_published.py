"""Every address of domain-features 6.2, asked as the platform's description says, answers as it says.

`published.json` is drawn from the description by tools/published.py: names, types, what is required. Requests are made
of it; answers are held against it. What the description contradicts itself in is listed with the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pbx.domain.directory import Directory
from tests.api.furnished import KEYS, NAMES, SAMPLES, furnished_office
from tests.api.office import BOOTSTRAP, Office, Told

PUBLISHED = json.loads((Path(__file__).parent / "published.json").read_text("utf-8"))
SHAPES: list[dict[str, Any]] = PUBLISHED["shapes"]
ADDRESSES: dict[str, dict[str, Any]] = PUBLISHED["addresses"]
_PARAMETER = re.compile(r"\{([^}]+)\}")
NOT_HERE = {
    "POST /domains/{domain}/conferences/{conference}/participants": "nobody is called into a conference from outside",
    "PUT /domains/{domain}/conferences/{conference}/participants/{participant}": "nobody is muted from outside",
    "POST /domains/{domain}/users/{user}/voices": "a text is heard once it is a greeting or prompt",
    "POST /resellers": "a reseller is there with its first domain",
    "PUT /resellers/{reseller}": "a reseller is there with its first domain",
    "DELETE /resellers/{reseller}": "a reseller goes with its last domain",
    "POST /domains/{domain}/queuedcall/{callqueue}": "who waits is sent on by a transfer of the call",
}  # fmt: skip
"""Answered 404 or 405, which the docs say."""
NOBODY_THERE = {"calls/{call": "there is no call 'c-0001'", "participants/{p": "there is no participant 'c-0001'",
                "users/{user}/calls POST": "no phone of 101 is registered"}  # fmt: skip
"""Of calls nothing is there to be told or changed: test_calls.py has some."""
FORMS = ("/domains/{domain}/msg", "/domains/{domain}/users/{user}/msg")
"""Takes files alone."""
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,),
    "object": (dict,), "null": (type(None),),
}  # fmt: skip


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Office, Directory, bytes]:
    """An office, and what it is to be again before each request."""
    office = furnished_office(tmp_path_factory.mktemp("sound"))
    return office, office.directory, office.store.frozen()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_every_address_takes_and_tells_what_the_description_says(
    furnished: tuple[Office, Directory, bytes], method: str
) -> None:
    office, directory, kept = furnished
    wrong: dict[str, list[str]] = {}
    for address, facts in ADDRESSES.items():
        if not address.startswith(f"{method} ") or address in NOT_HERE:
            continue
        office.store.thaw(kept)
        if office.directory is not directory:
            office.world.apply(directory)
        told = await _asked(office, address, facts)
        if faults := list(_wrong(address, facts, told)):
            wrong[address] = faults
    assert wrong == {}


@pytest.mark.parametrize("address", NOT_HERE)
async def test_what_is_not_here_is_refused_as_what_it_is(
    furnished: tuple[Office, Directory, bytes], address: str
) -> None:
    assert (await _asked(furnished[0], address, ADDRESSES[address])).status in (404, 405)


def _wrong(address: str, facts: Mapping[str, Any], told: Told) -> Iterator[str]:
    method, path = address.split(" ", 1)
    nobody = next((words for part, words in NOBODY_THERE.items() if part in f"{path} {method}"), None)
    if nobody is not None:
        if told.status not in (404, 409) or nobody not in told.body["message"]:
            yield str(told)
    elif told.status not in (200, 202):
        yield str(told)
    elif (shape := facts.get(f"tells {told.status}")) is not None:
        yield from _faults(SHAPES[shape], told.body)


async def _asked(office: Office, address: str, facts: Mapping[str, Any]) -> Told:
    method, path = address.split(" ", 1)
    own = NAMES.get(address, {})
    where = _PARAMETER.sub(lambda found: own.get(found[1]) or NAMES["*"][found[1]], path)
    query = "&".join(f"{name}={SAMPLES[name]}" for name in facts.get("query", ()))
    sent = facts.get("sends")
    body = dict(_sent(SHAPES[sent], address)) if sent is not None else own if method == "POST" else None
    rows: Any = [body] if sent is not None and SHAPES[sent]["many"] else body
    form = {"File": b"sound", "synchronous": "yes"} if path.startswith(FORMS) and method in ("POST", "PUT") else None
    key = KEYS.get(address) or (KEYS["~"] if "~" in path else BOOTSTRAP)
    return await office.ask(method, f"{where}?{query}" if query else where, rows, key=key, form=form)


def _sent(shape: Mapping[str, Any], address: str) -> Iterator[tuple[str, Any]]:
    """Every field the description has a value for that anybody could send, whether required or not."""
    own = NAMES.get(address, {})
    for name, kind in shape["fields"].items():
        if name in own or name in SAMPLES:
            value = own.get(name, SAMPLES.get(name))
            if value is not None:
                yield name, value
        elif kind.startswith("="):
            yield name, kind[1:].split("|")[0]
        elif name in shape["required"] and kind == "integer":
            yield name, 1
        elif name in shape["required"] and kind == "string":
            yield name, "text"
    if not shape["fields"]:
        yield from own.items()


def _faults(shape: Mapping[str, Any], body: Any) -> Iterator[str]:
    if shape["many"] != isinstance(body, list):
        yield f"it is {'no' if shape['many'] else 'a'} list"
        return
    for row in body if isinstance(body, list) else [body]:
        if not isinstance(row, dict):
            continue
        yield from (f"{name} is missing" for name in shape["required"] if name not in row)
        for name, value in row.items():
            kind = shape["fields"].get(name, "")
            if kind.startswith("="):
                if value not in kind[1:].split("|"):
                    yield f"{name} is {value!r}, none of {kind[1:]}"
            elif kind and not _is(value, kind):
                yield f"{name} is {value!r}, no {kind}"


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return "boolean" in kind
    return any(isinstance(value, _TYPES[one]) for one in kind.split("|") if one in _TYPES)
