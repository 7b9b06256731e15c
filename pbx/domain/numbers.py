"""Phone numbers and what happens to a call for one (domain-features 1.3)."""

from __future__ import annotations

from pydantic import Field

from pbx.domain.base import E164, Model
from pbx.domain.destinations import Destination


class NumberRoute(Model):
    """Destination while a time frame lasts; `*` always."""

    time_frame: str = "*"
    to: Destination


class PhoneNumber(Model):
    number: E164
    description: str = ""
    routes: tuple[NumberRoute, ...] = ()
    """In order; none means *available*, answered 404 as the platform does."""
    caller_id_prefix: str = Field(default="", max_length=15)
    site: str = ""
