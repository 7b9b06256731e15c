"""The descriptions say what is served, no more and no less, and are sound."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_spec_validator import validate

from lab.api.described import addresses, lab_description, platform_description
from lab.lab_settings import LabSettings
from lab.office import Office as LabOffice
from pbx.access import ACTIONS, KINDS
from pbx.catalogue import plug_ins
from tests.api.office import ROUTES, small_seed


def test_the_description_of_the_lab_is_valid() -> None:
    validate(lab_description())


def test_the_description_of_the_platform_is_valid_by_example() -> None:
    """One route of each resource; all of them are validated by `make soak`, for the validator takes its time."""
    document = platform_description(ROUTES)
    names = [it["operationId"] for verbs in document["paths"].values() for it in verbs.values()]
    assert len(set(names)) == len(names)
    firsts = {module.ROUTES[0].path for module in plug_ins("pbx.api.resources", needs="ROUTES").values()}
    validate({**document, "paths": {path: document["paths"][path] for path in sorted(firsts)[::3]}})


@pytest.mark.soak
def test_the_description_of_the_platform_is_valid() -> None:
    validate(platform_description(ROUTES))


def test_every_address_of_the_lab_is_described_and_no_other() -> None:
    served = set(addresses(LabOffice(small_seed(), LabSettings()).console.app))
    assert _described(lab_description()) <= served, "the table has an address that is not served"
    assert _described(lab_description(served)) == served


def test_every_route_of_the_platform_falls_under_a_row_of_the_table() -> None:
    for route in ROUTES.all:
        assert route.right is None or route.right in KINDS
        assert route.does in ACTIONS
    assert {route.path for route in ROUTES.all if route.right is None} == {"/version", "/tokens", "/jwt"}


def _described(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, them in document["paths"].items() for method in them}
