"""Fixtures for foreign software on real sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.interop.office import Switchroom, seed_with

FOREIGN = [
    {"id": "101b", "extension": 101, "family": "generic/baresip", "model": "baresip", "mac": "02b0b0000101"},
    {"id": "102b", "extension": 102, "family": "generic/baresip", "model": "baresip", "mac": "02b0b0000102"},
]
SCRIPTED = "119"
"""A user with a telephone that is a scenario of sipp."""


@pytest.fixture(scope="module")
def switchroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switchroom]:
    folder = tmp_path_factory.mktemp("switchroom")
    devices = [
        {**device, "password": f"interop-secret-{device['id']}-xyz", "token": f"{number:032x}"}
        for number, device in enumerate([*FOREIGN, {"id": SCRIPTED, "extension": SCRIPTED}], start=0xB0B0)
    ]
    users = [{"extension": SCRIPTED, "first_name": "Scripted", "email": "scripted@acme.lab"}]
    with Switchroom(folder, seed_with(folder / "seed.yaml", devices, users)) as running:
        yield running
        assert running.stop() == 0, running.log()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "interop" in item.path.parts:
            item.add_marker(pytest.mark.interop)
