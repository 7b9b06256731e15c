"""What users have set at their telephones, as it is in force."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pbx.callflow.ports import OwnSettingsSaved
from pbx.domain.own_settings import Kind, OwnSettings
from pbx.events import OwnSettingChanged

if TYPE_CHECKING:
    from pbx.switch.switch import Switch

_KINDS: tuple[Kind, ...] = ("always", "busy", "no answer")


class UserSettings:
    """Owns the settings; each change is kept by the store and told."""

    def __init__(self, switch: Switch, kept: Iterable[OwnSettings]) -> None:
        self._switch = switch
        self._settings = {settings.extension: settings for settings in kept}
        self.quiet = self._quiet()
        """Extensions with do not disturb."""
        self.undisturbed: dict[str, str] = {}
        """Calls that no other is to knock at → the extension that asked for it."""

    def of(self, extension: str) -> OwnSettings:
        return self._settings.get(extension) or OwnSettings(extension)

    def all(self) -> Mapping[str, OwnSettings]:
        return self._settings

    def guests(self) -> dict[str, str]:
        """Return who is logged in at which hot desk, by device."""
        return {settings.desk: extension for extension, settings in self._settings.items() if settings.desk}

    def take_desk(self, device: str, extension: str) -> None:
        """Log a user in at a hot desk: out at any other, and whoever was at this; a telephone's own user frees it."""
        for guest in [guest for guest, settings in self._settings.items() if settings.desk == device != ""]:
            self.keep(replace(self.of(guest), desk=""))
        known = self._switch.configured.devices_by_id.get(device)
        if known is not None and known.extension != extension:
            self.keep(replace(self.of(extension), desk=device))

    def keep(self, settings: OwnSettings) -> None:
        before = self.of(settings.extension)
        if settings == before:
            return
        self._settings = {**self._settings, settings.extension: settings}
        self.quiet = self._quiet()
        self._switch.submit(OwnSettingsSaved(settings))
        if settings.desk != before.desk:
            self._switch.desks_changed((before.desk, settings.desk))
        for name, value in _differences(before, settings):
            self._switch.publish(OwnSettingChanged(settings.extension, name, value))

    def prune(self) -> None:
        """Users who are gone have set nothing: whoever gets the extension next begins anew. Nor is a desk that is none
        any more anybody's."""
        directory = self._switch.configured
        for extension in self._settings.keys() - directory.users_by_extension.keys():
            self.keep(OwnSettings(extension))
        for device, extension in self.guests().items():
            known = directory.devices_by_id.get(device)
            if known is None or not known.hot_desk:
                self.keep(replace(self.of(extension), desk=""))

    def _quiet(self) -> frozenset[str]:
        return frozenset(extension for extension, it in self._settings.items() if it.do_not_disturb)


def _differences(before: OwnSettings, now: OwnSettings) -> Iterator[tuple[str, str]]:
    for name, old, new in (
        ("do not disturb", before.do_not_disturb, now.do_not_disturb),
        ("reject anonymous", before.rejects_anonymous, now.rejects_anonymous),
        ("call waiting", before.call_waiting, now.call_waiting),
    ):
        if old != new:
            yield name, "on" if new else "off"
    if before.desk != now.desk:
        yield "hot desk", now.desk or "off"
    for kind in _KINDS:
        if before.forward(kind) != now.forward(kind):
            yield f"forward {kind}", now.forward(kind) or "off"
