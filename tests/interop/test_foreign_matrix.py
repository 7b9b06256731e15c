"""The matrix of foreign phones: every cell of `matrix.cells` that is possible, as docs/foreign-phones.md has it."""

from __future__ import annotations

import threading
from importlib.util import find_spec
from shutil import which

import pytest

from lab.phones.pyvoip_phone import available
from tests.interop.matrix import scripted
from tests.interop.matrix.bench import at_bench, office_for
from tests.interop.matrix.cells import CANNOT, CLIENTS, FEATURES, Cell, cells, document
from tests.interop.matrix.partner import Partners
from tests.interop.matrix.scenarios import play
from tests.interop.office import ROOT

Outcome = dict[Cell, str]


@pytest.fixture(scope="module")
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Play what is asked for, all clients at once: they share the switch, and nothing else."""
    wanted = {
        item.callspec.params["cell"].client
        for item in request.session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec") and "cell" in item.callspec.params
    }
    return play_all([client for client in CLIENTS if client in wanted and not missing(client)], tmp_path_factory)


def play_all(clients: list[str], folders: pytest.TempPathFactory) -> Outcome:
    played: Outcome = {}
    folder = folders.mktemp("matrix")
    with office_for(folder) as switchroom, Partners(switchroom) as partners:

        def run(client: str) -> None:
            try:
                with at_bench(client, switchroom, partners, folder) as bench:
                    scripted.play(bench) if isinstance(bench, scripted.ScriptedBench) else play(bench)
                    played.update(bench.outcome)
            except Exception as fault:  # noqa: BLE001 - it fails every test of this client
                played[Cell(client, "", "")] = f"{type(fault).__name__}: {fault}"

        threads = [threading.Thread(target=run, args=(client,), name=client) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        switchroom.wait_until_idle()
        faults = [event for event in switchroom.events() if event["event"] == "server.error"]
        assert faults == []
        assert switchroom.stop() == 0, switchroom.log()
    return played


def missing(client: str) -> str:
    """Say what this machine lacks for a client, empty when nothing."""
    if client.startswith("baresip"):
        return "" if which("baresip") else "baresip is not installed (see tools/debian.py)"
    if client == "linphone":
        return "" if which("linphonec") else "linphonec is not installed (see tools/debian.py)"
    if client == "sipp":
        return "" if which("sipp") else "sipp is not installed (see tools/debian.py)"
    if client == "PJSIP":
        return "" if find_spec("pjsua2") else "pjsua2-python has no wheel for this Python or machine"
    return "" if available() else "pyVoIP, the extra `lab`, is not installed"


@pytest.mark.soak
@pytest.mark.parametrize("cell", [cell for cell in cells() if cell.client != "PJSIP"], ids=str)
def test_cell(outcome: Outcome, cell: Cell) -> None:
    worked(outcome, cell)


@pytest.mark.soak
@pytest.mark.parametrize("cell", [cell for cell in cells() if cell.client == "PJSIP"], ids=str)
def test_cell_of_pjsip(outcome: Outcome, cell: Cell) -> None:
    """A test of its own, because `blocked.toml` may name it: the wheel is for x86-64 and Python below 3.13 only."""
    worked(outcome, cell)


def worked(outcome: Outcome, cell: Cell) -> None:
    if lacking := missing(cell.client):
        pytest.skip(lacking)
    if cell not in outcome:
        broken = {str(other): fault for other, fault in outcome.items() if other.client == cell.client and fault}
        pytest.fail(f"{cell} was not reached: {broken}", pytrace=False)
    if outcome[cell]:
        pytest.fail(outcome[cell], pytrace=False)


def test_the_page_says_what_is_tested() -> None:
    page = ROOT / "docs" / "foreign-phones.md"
    assert page.read_text(encoding="utf-8") == document(), "write it anew: python -m tests.interop.matrix"


def test_what_a_client_cannot_is_a_cell_of_the_table() -> None:
    everything = {(client, feature, way) for client in CLIENTS for feature in FEATURES for way in ("out", "in")}
    assert set(CANNOT) < everything
    assert {(cell.client, cell.feature, cell.direction) for cell in cells()} == everything - set(CANNOT)
