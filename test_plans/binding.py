"""From roles to devices: distinct, registered, idle, able; the least used first, so that every phone gets its turn.

A role that is bound to `each-device` or `each-model` makes as many cases of its case as there are (testing.md A4).
"""

from __future__ import annotations

import fnmatch
import glob
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from zlib import crc32

from test_plans.bench import BenchDevice
from test_plans.model import EACH_DEVICE, ONCE, Case, Plan, Role

COMPUTERS = frozenset({"laptop", "browser"})
"""Families that take part only where a plan asks for them by name: they are no telephones of the office."""


def fits(device: BenchDevice, role: Role, bound: Mapping[str, BenchDevice]) -> bool:
    """Tell whether a device could play a role beside those bound already."""
    if role.device not in ("", device.id):
        return False
    if (device.family == "outside") != role.outside or (device.family in COMPUTERS) != (role.family in COMPUTERS):
        return False
    if not (role.can <= device.capabilities and role.traits <= device.traits) or role.without & device.traits:
        return False
    if not fnmatch.fnmatchcase(device.family, role.family) or not fnmatch.fnmatchcase(device.model, role.model):
        return False
    if role.same_box and (role.same_box not in bound or bound[role.same_box].mac != device.mac):
        return False
    return _at_site(device, role, bound)


def bind(
    roles: Sequence[Role], devices: Sequence[BenchDevice], used: Mapping[str, int], seed: int = 0
) -> dict[str, BenchDevice] | None:
    """Return role → device, or None when these devices cannot fill every role; `seed` breaks ties."""
    order = sorted(roles, key=lambda role: (bool(role.same_box or role.site[:1] in ("=", "!")), -_strictness(role)))

    def rank(device: BenchDevice) -> tuple[int, int, str]:
        return used.get(device.id, 0), crc32(f"{seed}/{device.id}".encode()) if seed else 0, device.id

    ranked = sorted(devices, key=rank)
    return _fill(order, ranked, {})


class Roster:
    """Who could play which role, found once: settings and families change seldom, and a runner asks at every look."""

    def __init__(self, devices: Sequence[BenchDevice]) -> None:
        self.devices = devices
        self._by_id = {device.id: device for device in devices}
        self._able: dict[Role, frozenset[str]] = {}

    def forget(self) -> None:
        """Something of the devices' settings has changed."""
        self._able.clear()

    def bind(
        self, roles: Sequence[Role], is_free: Callable[[BenchDevice], bool], used: Mapping[str, int], seed: int = 0
    ) -> dict[str, BenchDevice] | None:
        """`bind`, of those devices that are free."""
        able: set[str] = set()
        for role in roles:
            candidates = [self._by_id[name] for name in self._of(role)]
            free = {device.id for device in candidates if is_free(device)}
            if not free:
                return None
            able |= free
        return bind(roles, [device for device in self.devices if device.id in able], used, seed)

    def _of(self, role: Role) -> frozenset[str]:
        """Those who fit but for whom else takes part."""
        found = self._able.get(role)
        if found is None:
            alone = replace(role, same_box="", site="" if role.site[:1] in ("=", "!") else role.site)
            found = self._able[role] = frozenset(device.id for device in self.devices if fits(device, alone, {}))
        return found


def spread(plan: Plan, devices: Sequence[BenchDevice]) -> Plan:
    """Return the plan with a case `K01@101` for every device (or model) of a role bound to each of them."""
    return replace(plan, cases=tuple(one for case in plan.cases for one in _each(case, devices)))


def _each(case: Case, devices: Sequence[BenchDevice]) -> Iterable[Case]:
    """A case whose role nobody fits stays one, to be blocked."""
    role = next((role for role in case.roles if role.bind != ONCE), None)
    able = [device for device in devices if fits(device, role, {})] if role is not None else []
    if role is None or not able:
        yield case
        return
    if role.bind == EACH_DEVICE:
        narrowed = {device.id: replace(role, bind=ONCE, device=device.id) for device in able}
    else:
        narrowed = {device.model: replace(role, bind=ONCE, model=glob.escape(device.model)) for device in able}
    for name, one in sorted(narrowed.items()):
        roles = tuple(one if other is role else other for other in case.roles)
        yield from _each(replace(case, id=f"{case.id}@{name}", roles=roles), devices)


def missing(roles: Sequence[Role], devices: Sequence[BenchDevice]) -> str:
    """Say which role nobody can play."""
    for role in roles:
        if not any(fits(device, role, {}) for device in devices) and not role.same_box:
            wanted = [*sorted(role.can), *sorted(role.traits)]
            return f"no device for role {role.name!r} ({', '.join(wanted) or role.family})"
    return "not enough devices for its roles at once"


def _fill(
    roles: Sequence[Role], devices: Sequence[BenchDevice], bound: dict[str, BenchDevice]
) -> dict[str, BenchDevice] | None:
    if not roles:
        return bound
    role, *rest = roles
    for device in devices:
        if device not in bound.values() and fits(device, role, bound):
            found = _fill(rest, devices, {**bound, role.name: device})
            if found is not None:
                return found
    return None


def _strictness(role: Role) -> int:
    return (
        bool(role.device) * 100
        + len(role.traits) * 2
        + len(role.without)
        + (role.family != "*")
        + (role.model != "*")
        + bool(role.site)
    )


def _at_site(device: BenchDevice, role: Role, bound: Mapping[str, BenchDevice]) -> bool:
    if not role.site:
        return True
    if role.site[0] in "=!":
        other = bound.get(role.site[1:])
        return other is not None and (device.site == other.site) == (role.site[0] == "=")
    return device.site == role.site
