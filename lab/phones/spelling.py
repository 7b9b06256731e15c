"""How a firmware spells an account, as a table, and how it becomes one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.phones.family import Account, BootFailed, host_and_port, labelled

Name = str | tuple[str, ...]
"""With `{n}` for the line's number, `{n0}` counted from 0, `{n5}` in five digits; or one name for each line in turn."""

_YES = frozenset({"1", "yes", "on", "true", "y"})
_BY_NAME = {"": "udp", "udp": "udp", "tcp": "tcp", "tls": "tls"}


@dataclass(frozen=True, slots=True)
class Spelling:
    user: Name
    password: Name
    domain: Name
    """Host of the registrar, with a port or without."""
    enabled: Name = ""
    """Empty: a line is in use when it has a user."""
    auth_user: Name = ""
    server: Name = ""
    """Outbound proxy, with a port or without."""
    server_port: Name = ""
    transport: Name = ""
    transports: Mapping[str, str] = field(default_factory=lambda: _BY_NAME)
    expires: Name = ""
    expires_unit_s: int = 1
    name: Name = ""
    label: Name = ""
    voicemail: Name = ""
    mwi: Name = ""


def accounts(values: Mapping[str, str], spelling: Spelling, most: int = 16) -> tuple[Account, ...]:
    """Return every line in use. BootFailed when one has no server."""
    return tuple(_account(values, spelling, n) for n in range(1, most + 1) if _in_use(values, spelling, n))


def _in_use(values: Mapping[str, str], spelling: Spelling, n: int) -> bool:
    if spelling.enabled and _value(values, spelling.enabled, n).lower() not in _YES:
        return False
    return bool(_value(values, spelling.user, n))


def _account(values: Mapping[str, str], spelling: Spelling, n: int) -> Account:
    def of(name: Name, default: str = "") -> str:
        return _value(values, name, n) or default

    user, _, at = of(spelling.user).removeprefix("sip:").partition("@")
    domain, port = host_and_port(of(spelling.domain) or at, 5060)
    if not domain:
        raise BootFailed("Config bad", f"line {n} has no server ({spelling.domain})")
    server, *parameters = (of(spelling.server) or domain).split(";")
    host, port = host_and_port(server, int(of(spelling.server_port) or port))
    by_uri = next((one.partition("=")[2] for one in parameters if one.startswith("transport=")), "")
    transport = (by_uri or of(spelling.transport)).strip().lower()
    if transport not in spelling.transports:
        raise BootFailed("Config bad", f"line {n} wants the transport {transport!r}")
    name = of(spelling.name, user)
    return Account(
        port=n,
        user=user,
        auth_user=of(spelling.auth_user, user),
        password=of(spelling.password),
        domain=domain,
        server_host=host,
        server_port=port,
        transport=spelling.transports[transport],
        expires_s=int(of(spelling.expires, "3600")) * (spelling.expires_unit_s if of(spelling.expires) else 1),
        label=of(spelling.label) or labelled(user, name),
        display_name=name,
        voicemail=of(spelling.voicemail),
        subscribe_mwi=of(spelling.mwi).lower() in _YES or "@" in of(spelling.mwi),
    )


def _value(values: Mapping[str, str], name: Name, n: int) -> str:
    if isinstance(name, tuple):
        name = name[n - 1] if n <= len(name) else ""
    return values.get(name.replace("{n}", str(n)).replace("{n0}", str(n - 1)).replace("{n5}", f"{n:05}"), "")
