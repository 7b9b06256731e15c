"""Boxes as things that are bought: orders, what was sent, and each MAC there is, whether a device uses it or not.

Where a box stands is told by the rest of the domain and written nowhere twice: a box whose MAC a device has is
assigned, one of a shipment that has not arrived is on its way, the others lie in stock until they are retired.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from pbx.domain.base import MacAddress, Model

Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/#-]{0,39}$")]
"""A number as suppliers and carriers print it."""
Standing = Literal["assigned", "in stock", "on its way", "retired"]


class OrderLine(Model):
    family: str = ""
    """`vendor/family` of `device_templates`; empty while an order is written, where the model tells it."""
    model: str
    quantity: int = Field(ge=1, le=100_000)


class HardwareOrder(Model):
    number: Label
    supplier: str = Field(default="", max_length=80)
    ordered_on: date
    lines: tuple[OrderLine, ...] = Field(min_length=1)


class Shipment(Model):
    number: Label
    """Of the shipment itself, as the carrier tracks it."""
    order: Label
    carrier: str = Field(default="", max_length=80)
    shipped_on: date
    arrived_on: date | None = None


class Hardware(Model):
    mac: MacAddress
    family: str = ""
    model: str = ""
    serial: str = Field(default="", max_length=60)
    shipment: str = ""
    """Number of the shipment it came with; empty when nobody wrote that down."""
    retired: bool = False
    """Gone for good; a MAC that is retired is given to nobody."""
    note: str = Field(default="", max_length=200)
