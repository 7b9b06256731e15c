"""A virtual world whose provisioning is a table of files in the test."""

from __future__ import annotations

from collections.abc import Callable

from lab.inventory import Station
from lab.phones.family import Fetch, Fetched
from lab.rehearsal import MemoryKeeper
from lab.seeds.load import Seed
from lab.seeds.model import LabSeed
from lab.wire import Impairment
from lab.world import SWITCH, World
from pbx.clock import Moment
from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from pbx.domain.tenancy import Domain, User


class Shelf:
    """Serves what `files` holds by name; a callable makes it anew at each request."""

    def __init__(self) -> None:
        self.files: dict[str, bytes | Callable[[], bytes]] = {}
        self.asked: list[str] = []

    def url(self, station: Station) -> str:
        return "http://10.0.0.2/p/"

    def first_url(self, device: str) -> str:
        return "http://10.0.0.2/p/"

    def reopen(self, mac: str) -> None:
        self.asked.append(f"reopen {mac}")

    def discovered(self, data: bytes, source: tuple[str, int], ours: tuple[str, int], now: Moment) -> tuple[bytes, ...]:
        return ()

    def fetch(self, wanted: Fetch, address: str, now: Moment) -> Fetched:
        self.asked.append(wanted.name)
        found = self.files.get(wanted.name)
        if found is None:
            return Fetched(404)
        return Fetched(200, found() if callable(found) else found)


def yealink_file(device: str, *, label: str = "", password: str = "pw", extra: str = "") -> bytes:
    return (
        "#!version:1.0.0.1\naccount.1.enable=1\n"
        f"account.1.label={label or device}\naccount.1.user_name={device}\naccount.1.password={password}\n"
        f"account.1.display_name=Person {device}\naccount.1.sip_server.1.address=small.lab\n"
        f"account.1.outbound_proxy_enable=1\naccount.1.outbound_proxy.1.address={SWITCH.host}\n"
        f"account.1.sip_server.1.expires=120\naccount.1.subscribe_mwi=1\n{extra}"
    ).encode()


def small_world(number: int = 1, impairment: Impairment | None = None) -> tuple[World, Shelf]:
    """Two Yealink phones, 101 and 102, and an adapter with 111 and 112."""
    users = [User(extension=extension, first_name=f"Person {extension}") for extension in ("101", "102", "111", "112")]
    boxes = {
        "101": ("805ec0000101", 1, "yealink/t4x_t5x", "T54W"),
        "102": ("805ec0000102", 1, "yealink/t4x_t5x", "T54W"),
        "111": ("000b82000111", 1, "grandstream/ht8xx", "HT802"),
        "112": ("000b82000111", 2, "grandstream/ht8xx", "HT802"),
    }
    devices = [
        Device(id=device, extension=device, password="pw", mac=mac, port=port, family=family, model=model)
        for device, (mac, port, family, model) in boxes.items()
    ]
    directory = Directory(domain=Domain(name="small.lab"), users=tuple(users), devices=tuple(devices))
    shelf = Shelf()
    shelf.files = {
        "805ec0000101.cfg": yealink_file("101"),
        "805ec0000102.cfg": yealink_file("102"),
        "cfg000b82000111.xml": (
            f"<gs_provision><config><P271>1</P271><P47>small.lab</P47><P48>{SWITCH.host}</P48><P35>111</P35>"
            f"<P34>pw</P34><P401>1</P401><P747>small.lab</P747><P748>{SWITCH.host}</P748><P735>112</P735>"
            "<P734>pw</P734></config></gs_provision>"
        ).encode(),
    }
    world = World(
        Seed(directory, LabSeed()),
        number=number,
        keeper=MemoryKeeper(),
        provisioner=lambda _: shelf,
        seconds_of=lambda name: 2.0,
        impairment=impairment,
    )
    return world, shelf
