"""Reading what the user named: settings, a seed, a moment."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from lab.errors import BAD_INPUT, NO_START, USAGE, UserError
from lab.mail.relay import Relay
from lab.seeds.load import OFFICE, Seed, SeedError, load_seed
from pbx.media.codecs import CODECS, OPUS, has_opus
from pbx.settings import FLAG, BadSettings, Setting, Settings, load_settings, socket_address
from pbx.sip.tolerances import Tolerance
from pbx.switch.settings import SwitchSettings

SEEDS = OFFICE.parent
"""Domains that come with the house, by name."""


def the_settings(flags: Mapping[str, Any], assignments: Sequence[str] = ()) -> Settings:
    """Return the settings of this folder and environment; a flag that is None was not given."""
    return _loaded(flags, assignments)[0]


def settings_with_origins(assignments: Sequence[str]) -> list[Setting]:
    return _loaded({}, assignments)[1]


def _loaded(flags: Mapping[str, Any], assignments: Sequence[str]) -> tuple[Settings, list[Setting]]:
    """`assignments` are the `NAME=VALUE` of `--set`; the flag of a setting's own goes before."""
    named: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise UserError(
                f"--set {assignment!r} was not understood", "it has no `=`",
                "write it like --set sip.challenge=401", "switchroom config show", USAGE,
            )  # fmt: skip
        named[name.strip()] = value.strip()
    named |= {name: value for name, value in flags.items() if value is not None}
    try:
        return load_settings(Path.cwd(), flags=named)
    except BadSettings as error:
        code = USAGE if error.origin == FLAG else BAD_INPUT
        raise UserError(
            "a setting is not understood", str(error), "mend or remove it", "switchroom config show", code
        ) from None


def switch_settings(settings: Settings) -> SwitchSettings:
    chosen = settings.sip
    return SwitchSettings(
        challenge=chosen.challenge,
        algorithms=chosen.algorithms,
        nonce_lifetime_s=chosen.nonce_lifetime_s,
        max_calls=chosen.max_calls,
        codecs=_codecs(settings),
        direct_media=settings.media.direct,
        strict=frozenset(_tolerance(name) for name in chosen.strict),
    )


def mail_relay(settings: Settings) -> Relay | None:
    """Return where mail goes, None for the lab's own outbox."""
    mail = settings.mail
    return Relay(mail.server, mail.port, mail.tls, mail.user, mail.password) if mail.server else None


def _codecs(settings: Settings) -> tuple[str, ...]:
    if not settings.media.opus:
        return CODECS
    if settings.media.engine != "local":
        raise UserError(
            "a setting is not understood", "media.opus goes with media.engine = local alone", "leave one of them out",
            "docs/media.md", BAD_INPUT,
        )  # fmt: skip
    if not has_opus():
        raise UserError(
            "Opus cannot be offered", "media.opus is set, and opuslib-next or libopus is not here",
            "pip install 'switchroom[opus]', and apt-get install libopus0", "docs/media.md", NO_START,
        )  # fmt: skip
    return (*CODECS, OPUS)


def rtpengine(settings: Settings) -> tuple[tuple[str, int], tuple[str, int]] | None:
    """Return where it is and where it tells of keys; None when a process of ours carries the sound."""
    chosen = settings.media
    if chosen.engine == "local":
        return None
    return socket_address(chosen.rtpengine), socket_address(chosen.rtpengine_keys)


def _tolerance(name: str) -> Tolerance:
    known = [one.name.lower() for one in Tolerance]
    if name not in known:
        raise UserError(
            "a setting is not understood", f"sip.strict names {name!r}, which is no tolerance",
            f"name any of {', '.join(known)}", "docs/tolerances.md", BAD_INPUT,
        )  # fmt: skip
    return Tolerance[name.upper()]


def the_seed(path: Path | None) -> Seed:
    try:
        return load_seed(path or OFFICE)
    except SeedError as error:
        raise UserError(error.happened, error.why, error.remedy, error.reference, BAD_INPUT) from None


def must_be_device(text: str, what: str, known: Collection[str]) -> None:
    """Refuse a device that does not exist, naming the nearest."""
    if text in known:
        return
    close = difflib.get_close_matches(text, list(known), n=1)
    hint = f"did you mean {close[0]}?" if close else "list them: switchroom phone ls"
    raise UserError(f"there is no device {text!r}", f"{what} names it", hint, "switchroom why --help", USAGE)


def the_moment(text: str, zone: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    except ValueError as error:
        raise UserError(
            f"{text!r} is no moment", str(error), 'write it like "2026-12-25 10:15"', "switchroom why --help", BAD_INPUT
        ) from None
