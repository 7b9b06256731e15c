"""Page groups: whose phones speak what somebody says (domain-features 1.8)."""

from __future__ import annotations

from pydantic import Field

from pbx.domain.base import Extension, Model


class PageGroup(Model):
    """Resellers differ in what a page is; here it is one way, and leaves out who talks or wants no calls."""

    extension: Extension
    name: str
    members: tuple[Extension, ...] = Field(min_length=1)
    longest_s: float = Field(default=120.0, gt=0, le=3600)
    """Forgotten receivers must not fill a house for ever."""
