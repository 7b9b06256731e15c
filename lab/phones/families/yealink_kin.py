"""Yealink's older and newer desk phones, conference phones and DECT bases: they read what a T4x reads."""

from __future__ import annotations

from lab.phones.by_manifest import Reading, family
from lab.phones.families import yealink
from lab.phones.family import decoded

_READING = Reading(
    read=lambda body, name: yealink.read_config(decoded(body, name), name),
    accounts=lambda values: yealink.accounts(dict(values)),
    server_url=lambda values: values.get("static.auto_provision.server.url", ""),
    asks_dhcp=lambda values: values.get("static.auto_provision.dhcp_option.enable") != "0",
    listed=lambda body, name: yealink.read_boot(decoded(body, name), name),
)

FAMILIES = tuple(family(f"yealink/{name}", _READING) for name in ("t2x_t3x", "t7x_t8x", "cp", "dect"))
