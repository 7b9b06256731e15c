"""What a phone family is to its own firmware: how it finds its server, what it asks for, how it reads the answer.

A boot is a script: it yields a `Fetch`, is sent the `Fetched` answer, and returns the `PhoneConfig` it read
from the vendor's own syntax. Nothing here knows the templates the server rendered: a value reaches the phone
only by being spelled the way the vendor spells it (provisioning.md 1).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlsplit

from lab.phones.occurrences import Occurrence
from pbx.domain.devices import normal_mac
from pbx.numerals import natural

OBEYS = frozenset({"talk", "hold", "refer"})
"""What the lab's phones let be done to them by SIP; makers ship theirs with all of it off."""


@dataclass(frozen=True, slots=True)
class Box:
    """One piece of hardware (or one installed softphone): what is printed on its label, and its firmware."""

    family: str
    """`vendor/family`, as in `device_templates`."""
    model: str
    mac: str
    """Twelve lower-case hex digits; empty for a softphone that has none."""
    firmware: str
    typed_url: str = ""
    """A provisioning URL entered or scanned by a person, for phones that do no discovery."""
    login: tuple[str, str] | None = field(default=None, repr=False)
    """User and password for the server, typed in or burnt in by the maker."""
    obeys: frozenset[str] = OBEYS
    """What it lets be done to it by SIP: `talk`, `hold`, `refer`, `csta`."""
    challenges_notify: bool = False
    """Wants to know who commands it: a NOTIFY that resyncs it is answered 401 first, as on some Grandstreams."""
    activation_code: str = ""
    """Typed in by a person, for makers whose redirect service takes one."""
    certificate: str = ""
    """Name in the certificate its maker has put in; empty for its own MAC, as it should be."""
    file_key: str = field(default="", repr=False)
    """By which its files may be encrypted, as its flash has it from a former one."""

    @property
    def mac_upper(self) -> str:
        return self.mac.upper()

    @property
    def mac_colons(self) -> str:
        return ":".join(self.mac[i : i + 2] for i in range(0, 12, 2))


@dataclass(frozen=True, slots=True)
class Fetch:
    """One file the phone asks for."""

    url: str
    """Absolute; the scheme is the protocol: `http`, `https` or `tftp`."""
    user_agent: str
    headers: tuple[tuple[str, str], ...] = ()
    certificate: str = ""
    """Name of the certificate shown to the server; empty for none."""
    follow: bool = True
    """Whether a redirection is followed, or told."""
    method: str = "GET"
    body: bytes = b""
    """What is sent back, by PUT."""

    @property
    def protocol(self) -> str:
        return self.url.partition(":")[0]

    @property
    def name(self) -> str:
        """The file name alone: what the boot strip shows."""
        return urlsplit(self.url).path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer to a `Fetch`: an HTTP status (TFTP errors are told as their nearest HTTP status), 0 for none."""

    status: int
    body: bytes = b""
    location: str = ""
    """Where a redirection leads that was not followed."""
    challenge: str = ""
    """WWW-Authenticate of a 401."""
    etag: str = ""
    cut: bool = False
    """The connection went before the end: the body is what had come."""

    @property
    def ok(self) -> bool:
        return self.status == 200 and not self.cut


@dataclass(frozen=True, slots=True)
class Account:
    """One line as its configuration says."""

    port: int
    """Line of the phone, or FXS port of the ATA; from 1."""
    user: str
    auth_user: str
    password: str = field(repr=False)
    domain: str
    """Host part of the address of record."""
    server_host: str
    """Where requests are sent: the outbound proxy when there is one."""
    server_port: int
    transport: str = "udp"
    expires_s: int = 3600
    label: str = ""
    display_name: str = ""
    voicemail: str = ""
    """What the messages key dials."""
    subscribe_mwi: bool = False
    ha1: str = field(default="", repr=False)
    """Given instead of the password by families that prefer it."""
    realm: str = ""


@dataclass(frozen=True, slots=True)
class PhoneConfig:
    """What the phone read: its accounts and every value by the vendor's own name."""

    accounts: tuple[Account, ...]
    values: Mapping[str, str] = field(repr=False)
    files: tuple[str, ...] = ()
    """Names of the files that were applied, in order."""
    server_url: str = field(default="", repr=False)
    """Where the phone is told to fetch from the next time; it keeps this in its flash. Holds a credential."""
    asks_dhcp: bool = True
    """Whether DHCP still goes before `server_url`; a configuration may switch that off."""
    file_key: str = field(default="", repr=False)
    """By which the files of the next boots may be encrypted; kept in the flash, too."""
    firmware_url: str = ""
    """The image it is to run; empty where its configuration names none."""


class BootFailed(Exception):
    """The phone stops and says so: `words` are for its screen, e.g. `Config 404`."""

    def __init__(self, words: str, detail: str) -> None:
        super().__init__(f"{words}: {detail}")
        self.words = words
        self.detail = detail


class Resync(Enum):
    """What a NOTIFY makes the phone do."""

    RELOAD = "reload"
    REBOOT = "reboot"
    NOTHING = "nothing"


BootScript = Generator[Fetch, Fetched, PhoneConfig]


@dataclass(frozen=True, slots=True)
class Family:
    name: str
    dhcp_options: tuple[int, ...]
    """In the order the phone prefers them; empty for phones that use only a typed URL."""
    boot: Callable[[Box, str], BootScript]
    """(box, URL found) → script."""
    user_agent: Callable[[Box], str]
    """Of its SIP messages."""
    resync: Callable[[str], Resync]
    """Value of the NOTIFY's Event header → what happens."""
    default_firmware: str
    server_in: Callable[[bytes, str], str] = lambda body, name: ""
    """(body, name) of a file in its syntax → the server it names, as makers' redirect services say it."""
    fxs_ports: int = 0
    """Analogue ports of an ATA; 0 for everything with a screen."""
    tells: Callable[[Mapping[str, str], Occurrence, Box], Fetch | None] = lambda values, occurrence, box: None
    """(its configuration, what has happened, itself) → whom it tells, and how; None for nobody."""


def joined(url: str, name: str) -> str:
    """Return the URL of file `name` in the directory `url`."""
    return f"{url.rstrip('/')}/{name}"


def expanded(text: str, macros: Mapping[str, str]) -> str:
    """Return `text` with the vendor's macros replaced, longest name first (`$MAC` before `$MA`)."""
    for macro in sorted(macros, key=len, reverse=True):
        text = text.replace(macro, macros[macro])
    return text


def host_and_port(text: str, default_port: int) -> tuple[str, int]:
    """Split `host[:port]`; port 0 or none means the default."""
    host, colon, port = text.strip().rpartition(":")
    number = natural(port) if colon else None
    if number is None:
        return text.strip(), default_port
    return host, number or default_port


def labelled(user: str, name: str) -> str:
    """What a phone without a label setting writes beside its line: who it is, and its name."""
    return name if user in name else f"{user} {name}".strip()


def check_sync(event: str, *, bare: Resync, packages: tuple[str, ...] = ("check-sync",)) -> Resync:
    """Read a NOTIFY's Event: packages and parameters are compared without case (provisioning.md 1.4).

    `bare` is what the family does when no `reboot` parameter says it.
    """
    package, _, parameters = event.lower().replace(" ", "").partition(";")
    if package not in packages:
        return Resync.NOTHING
    for parameter in parameters.split(";"):
        if parameter == "reboot=true":
            return Resync.REBOOT
        if parameter == "reboot=false":
            return Resync.RELOAD
    return bare


def decoded(body: bytes, name: str) -> str:
    """Return the file's text; `BootFailed` when it is not UTF-8."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise BootFailed("Config bad", f"{name} is not text: {fault.reason} at byte {fault.start}") from fault


def boxed(family: Family, model: str, mac: str, *, firmware: str = "", typed_url: str = "") -> Box:
    """Return a factory-fresh box; `mac` in any usual spelling."""
    return Box(
        family.name, model, normal_mac(mac) if mac else "", firmware or family.default_firmware, typed_url=typed_url
    )
