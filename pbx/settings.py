"""Settings: flags > environment > `switchroom.toml` > defaults; each value knows where it comes from.

A setting of `switchroom.toml`'s table `[listen]`, key `port_base`, is `listen.port_base` as a flag (`--set`) and
`SWITCHROOM_LISTEN__PORT_BASE` in the environment.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

FILE = "switchroom.toml"
PREFIX = "SWITCHROOM_"
FLAG = "flag"
_SECRET = frozenset({"console.password", "mail.password"})


def _path_or_none(value: object) -> object:
    return None if value == "" else value


def _several(value: object) -> object:
    """Text from a flag or the environment names several, by commas."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _whole_number(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _told_to_phones(address: str) -> str:
    """Phones are told this address, so it is one of this machine and not `any`."""
    try:
        found = ipaddress.IPv4Address(address)
    except ValueError:
        raise ValueError("give an IPv4 address of this machine") from None
    if found.is_unspecified or found.is_multicast:
        raise ValueError("phones are told this address: give one of this machine that they reach")
    return address


def _socket_address(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError("give address and port, as 127.0.0.1:22222")
    return text


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise ValueError("give an address or a network, as 192.0.2.7 or 192.0.2.0/24") from None


def socket_address(text: str) -> tuple[str, int]:
    """Read a checked `address:port`."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


MaybePath = Annotated[Path | None, BeforeValidator(_path_or_none)]
Algorithm = Literal["MD5", "SHA-256"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Listen(_Section):
    address: Annotated[str, AfterValidator(_told_to_phones)] = "127.0.0.1"
    port_base: int = Field(default=8600, ge=0, le=65535)
    """Port of the console; the others count from it. 0 takes any free ports."""


class Console(_Section):
    address: str = ""
    """Where the console listens; empty: as everything else when that is a loopback address, else 127.0.0.1."""
    password: SecretStr = SecretStr("")
    """Of the lab engineer (login `lab`); needed wherever the console is reached from elsewhere."""
    open: bool = True
    """On a loopback address whoever has not logged in is the lab engineer; False: everybody logs in."""
    names: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()
    """Names of hosts the console answers to, beside its address (a proxy's, for example)."""


class Lab(_Section):
    seed: MaybePath = None
    """Seed file; None for the office of the lab."""
    number: int = 20261124
    """Seed of chance in virtual time."""
    phones: bool = False
    """Whether `up` boots the seed's simulated phones."""


class Store(_Section):
    folder: MaybePath = None
    """Where `up` keeps its state; None for a folder that goes with the process."""
    secret: MaybePath = None
    """File with the installation's secret, which seals what the store keeps; None for one in its folder."""


class Sip(_Section):
    challenge: Annotated[Literal[407, 401], BeforeValidator(_whole_number)] = 407
    algorithms: Annotated[tuple[Algorithm, ...], BeforeValidator(_several), Field(min_length=1)] = ("MD5",)
    nonce_lifetime_s: float = Field(default=300.0, ge=1, le=86_400)
    max_calls: int = Field(default=2000, ge=1)
    strict: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()
    """Faults of handsets that are not forgiven, by name (docs/tolerances.md)."""
    tls_key_log: bool = False
    """Whether the secrets of TLS connections are written down, so that captures of the wire can be read."""


class Media(_Section):
    ports: int = Field(default=400, ge=2, le=20_000)
    """Pairs of UDP ports for sound, one a leg; each rests two seconds between calls (`pbx.media.ports`)."""
    engine: Literal["local", "rtpengine"] = "local"
    """Who carries the sound: a process of ours, or a running rtpengine."""
    rtpengine: Annotated[str, AfterValidator(_socket_address)] = "127.0.0.1:22222"
    """Its `--listen-ng`."""
    rtpengine_keys: Annotated[str, AfterValidator(_socket_address)] = "127.0.0.1:22223"
    """Its `--dtmf-log-dest`: an address of ours, where it tells of keys."""
    fax_speed: int = Field(default=1, ge=1, le=20)
    """How much faster than real time T.38 goes: more than 1 only where every fax machine is the lab's."""
    opus: bool = False
    """Whether Opus is offered beside G.711 and G.722; needs the extra `opus` and libopus."""
    direct: bool = False
    """Whether two parties that can send their media to each other, past the relay."""


class Provisioning(_Section):
    trusted_proxies: Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], BeforeValidator(_several)] = ()
    """Addresses and networks of proxies whose X-Forwarded-For is believed."""
    pnp: bool = False
    """Whether phones that ask the network by SIP multicast (224.0.1.75) are told where their server is."""
    redirect: bool = False
    """Whether the makers' redirect services are played, at port N+4; the network's names must lead phones there."""


class Log(_Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    form: Literal["auto", "json", "text"] = "auto"
    """`auto` is text on a terminal, else JSON."""


class Mail(_Section):
    server: str = ""
    """Mail server that takes the mail; empty for the lab's own outbox."""
    port: int = Field(default=25, ge=1, le=65535)
    tls: Literal["no", "opportunistic", "yes"] = "opportunistic"
    """STARTTLS: never, where the server offers it, or nothing is sent."""
    user: str = ""
    """For servers that ask who it is."""
    password: SecretStr = SecretStr("")
    sender: str = ""
    """From whom mail comes; empty: switchroom@ and the domain."""


class Settings(_Section):
    listen: Listen = Listen()
    console: Console = Console()
    lab: Lab = Lab()
    store: Store = Store()
    sip: Sip = Sip()
    media: Media = Media()
    mail: Mail = Mail()
    provisioning: Provisioning = Provisioning()
    log: Log = Log()


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    value: Any
    origin: str
    """`default`, `file switchroom.toml`, `environment SWITCHROOM_…` or `flag`."""
    instead_of: str
    """What the next lower layer that names it says; empty when none does."""


class BadSettings(ValueError):
    """A setting that is not understood; names it and where it stands. `origin` is the layer."""

    def __init__(self, text: str, origin: str) -> None:
        super().__init__(text)
        self.origin = origin


def load_settings(
    folder: Path, environment: Mapping[str, str] = os.environ, flags: Mapping[str, Any] | None = None
) -> tuple[Settings, list[Setting]]:
    """Return the settings and, for each, value and origin; BadSettings names what is wrong and where.

    A flag that is None was not given.
    """
    known = _flat(Settings().model_dump())
    said: dict[str, list[tuple[str, Any]]] = {name: [("default", value)] for name, value in known.items()}
    for origin, name, value in _layers(folder, environment, flags or {}):
        if name not in known:
            raise BadSettings(f"{origin}: there is no setting {name!r}{_nearest(name, known)}", origin)
        said[name].append((origin, value))
    nested: dict[str, dict[str, Any]] = {}
    for name, values in said.items():
        section, _, key = name.partition(".")
        nested.setdefault(section, {})[key] = values[-1][1]
    try:
        settings = Settings.model_validate(nested)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"][:2]))
        origin, value = said[name][-1]
        raise BadSettings(
            f"{origin}: {name} = {value!r}: {first['msg'].removeprefix('Value error, ')}", origin
        ) from None
    taken = _flat(settings.model_dump(mode="json"))
    return settings, [
        Setting(name, taken[name], values[-1][0], "" if name in _SECRET else _below(values))
        for name, values in said.items()
    ]


def _layers(folder: Path, environment: Mapping[str, str], flags: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield (origin, name, value), the weakest layer first."""
    origin = f"file {FILE}"
    for name, value in _flat(_file(folder / FILE, origin)).items():
        yield origin, name, value
    for variable, text in environment.items():
        if variable.startswith(PREFIX):
            name = variable.removeprefix(PREFIX).lower().replace("__", ".")
            yield f"environment {variable}", name, text
    for name, value in flags.items():
        if value is not None:
            yield FLAG, name, value


def _file(path: Path, origin: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path}: {error}", origin) from None
    except OSError as error:
        raise BadSettings(f"{path} cannot be read: {error.strerror}", origin) from None


def _below(values: list[tuple[str, Any]]) -> str:
    if len(values) < 3:
        return ""
    origin, value = values[-2]
    return f"{origin} says {value}"


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found.update(_flat(value, f"{name}."))
        else:
            found[name] = value
    return found
