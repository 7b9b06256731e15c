"""The bench: one office for all clients, each with extensions of its own, booted by what our server serves it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.interop.foreign import booted_baresip, booted_linphone
from tests.interop.matrix.cells import CLIENTS
from tests.interop.matrix.clients import BaresipClient, LinphoneClient, PjsipClient, PyvoipClient
from tests.interop.matrix.partner import Partners
from tests.interop.matrix.scenarios import Bench
from tests.interop.matrix.scripted import ScriptedBench
from tests.interop.office import Switchroom, seed_with
from tests.interop.program import Program
from tests.interop.stock_pyvoip import StockPyvoip

FRIEND_HZ, THIRD_HZ = 2100.0, 2400.0
"""Above every note of the music on hold, as the clients' own."""
RING_S = 60
ENCRYPTED = frozenset({"baresip SRTP"})
"""Whose media must be; of all others it must not."""
FRIEND, THIRD, PLACES = 1, 2, 3
"""Whose the extensions after the client's own are."""

_FAMILIES = {
    "baresip": {"family": "generic/baresip", "model": "baresip"},
    "linphone": {"family": "linphone/desktop", "model": "Linphone"},
    "PJSIP": {"family": "generic/json", "model": "pyVoIP"},
    "sipp": {},
    "stock pyVoIP": {"family": "generic/json", "model": "pyVoIP"},
}


def extension_of(client: str) -> int:
    """The client's own; its partners have the next."""
    return 2001 + 10 * list(CLIENTS).index(client)


def office_for(folder: Path) -> Switchroom:
    """Start an office in which every client and its partners have a place."""
    users: list[dict[str, object]] = []
    devices: list[dict[str, Any]] = []
    for client in CLIENTS:
        first, kind = extension_of(client), _kind(client)
        phone: dict[str, Any] = {**_FAMILIES[kind]}
        if kind == "baresip":
            phone["transport"] = {"baresip UDP": "udp", "baresip TCP": "tcp"}.get(client, "tls")
            phone["srtp"] = "yes" if client in ENCRYPTED else "no"
        for extension in range(first, first + PLACES):
            users.append({
                "extension": extension, "first_name": f"{client} {extension}", "ring_s": RING_S,
                "voicemail_pin": f"4{extension}",
            })  # fmt: skip
            foreign = {**phone, "mac": _mac(first)} if extension == first else {}
            devices.append({"id": str(extension), "extension": extension, **foreign})
    for number, device in enumerate(devices, start=0xF0E):
        device |= {"password": f"matrix-secret-{device['id']}-xyz", "token": f"{number:032x}"}
    seed = seed_with(folder / "seed.yaml", devices, users)
    return Switchroom(folder, seed, "--set", "sip.challenge=401")


@contextmanager
def at_bench(client: str, switchroom: Switchroom, partners: Partners, folder: Path) -> Iterator[Bench | ScriptedBench]:
    """Boot a client and put its partners beside it."""
    first = extension_of(client)
    address = f"127.0.78.{first - 2000}"
    friend = partners.line(str(first + FRIEND), FRIEND_HZ)
    third = partners.line(str(first + THIRD), THIRD_HZ)
    common: dict[str, Any] = {"name": client, "switchroom": switchroom, "friend": friend, "third": third}
    with ExitStack() as stack:
        match _kind(client):
            case "baresip":
                booted = booted_baresip(
                    switchroom,
                    str(first),
                    folder,
                    address,
                    hertz=BaresipClient.hertz,
                    authority=switchroom.ready["tls"]["ca_file"],
                )
                phone = BaresipClient(str(first), stack.enter_context(booted), switchroom.domain)
                yield Bench(**common, client=phone, encrypted=client in ENCRYPTED)
            case "linphone":
                early = "incoming_calls_early_media=1\nreal_early_media=1\n"
                booted = booted_linphone(
                    switchroom, str(first), folder, address, hertz=LinphoneClient.hertz, more=early
                )
                linphone = LinphoneClient(str(first), stack.enter_context(booted), switchroom.domain)
                yield Bench(**common, client=linphone, encrypted=client in ENCRYPTED)
            case "PJSIP":
                home = folder / str(first)
                home.mkdir()
                program = Program(
                    "tests.interop.pjsip", _json_of(switchroom, first), address, str(home),
                    str(PjsipClient.HERTZ), log=home / "log",
                )  # fmt: skip
                pjsip = PjsipClient(str(first), stack.enter_context(program), home)
                program.wait_for("registered", status=200)
                yield Bench(**common, client=pjsip, encrypted=client in ENCRYPTED)
            case "sipp":
                home = folder / str(first)
                home.mkdir()
                yield ScriptedBench(**common, device=str(first), address=address, folder=home)
            case "stock pyVoIP":
                home = folder / str(first)
                home.mkdir()
                url = _json_of(switchroom, first)
                stock = stack.enter_context(StockPyvoip(url, address, home / "log"))
                stock.wait_for("ready")
                pyvoip = PyvoipClient(str(first), stock, home)
                yield Bench(**common, client=pyvoip, encrypted=client in ENCRYPTED)


def _kind(client: str) -> str:
    return client.split()[0] if client.startswith("baresip") else client


def _json_of(switchroom: Switchroom, extension: int) -> str:
    return f"{switchroom.device(str(extension))['config_url']}{_mac(extension)}.json"


def _mac(extension: int) -> str:
    return f"02f0e000{extension}"
