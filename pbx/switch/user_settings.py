"""What users have set at their telephones, as it is in force."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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

    def keep(self, settings: OwnSettings) -> None:
        before = self.of(settings.extension)
        if settings == before:
            return
        self._settings = {**self._settings, settings.extension: settings}
        self.quiet = self._quiet()
        self._switch.submit(OwnSettingsSaved(settings))
        for name, value in _differences(before, settings):
            self._switch.publish(OwnSettingChanged(settings.extension, name, value))

    def prune(self) -> None:
        """Users who are gone have set nothing: whoever gets the extension next begins anew."""
        for extension in self._settings.keys() - self._switch.directory.users_by_extension.keys():
            self.keep(OwnSettings(extension))

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
    for kind in _KINDS:
        if before.forward(kind) != now.forward(kind):
            yield f"forward {kind}", now.forward(kind) or "off"
