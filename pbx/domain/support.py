"""The provider's support domain (domain-features 3): 611 and the toll-free number lead to its attendant.

It ships with the house, so that 611 works with nothing configured; a provider may bring another.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import yaml

from pbx.domain.directory import Directory

ENTRY = "611"
"""Extension of the attendant everybody comes to."""
QUEUE = "70611"
"""Support agents; key 3."""
SUCCESS_BOX = "70612"
"""Requests to the success team, answered within a business day."""
SUPPORT_BOX = "70613"
"""Messages for technical support, out of hours and when no agent was free."""
BUSINESS_DAYS = "business-days"
"""Time frame in which messages are answered."""


@cache
def support_domain() -> Directory:
    """Return the domain that ships."""
    text = resources.files("pbx.domain").joinpath("support.yaml").read_text("utf-8")
    return Directory.model_validate(yaml.load(text, Loader=yaml.BaseLoader))
