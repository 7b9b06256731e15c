"""Orders of hardware, and what has been sent and has arrived of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pbx.domain.directory import Directory
from pbx.domain.hardware import HardwareOrder, OrderLine, Shipment
from provisioning_server.families import Families
from provisioning_server.inventory import Draft, Refused


@dataclass(frozen=True, slots=True)
class OrderState:
    number: str
    supplier: str
    ordered_on: date
    ordered: int
    on_the_way: int
    arrived: int
    shipments: tuple[str, ...]

    @property
    def open(self) -> int:
        return max(0, self.ordered - self.on_the_way - self.arrived)


def ordered(directory: Directory, families: Families, order: HardwareOrder) -> Directory:
    """Write an order down."""
    if any(known.number == order.number for known in directory.orders):
        raise Refused(f"order {order.number} was not taken", "there is one of that number", "take another number")
    draft = Draft(directory, families, {}, lambda count: "")
    lines = [_meant(draft, line) for line in order.lines]
    whole = order.model_copy(update={"lines": tuple(lines)})
    return directory.replaced(orders=(*directory.orders, whole))


def shipped(
    directory: Directory,
    families: Families,
    foreign: Mapping[str, str],
    fresh: Callable[[int], str],
    shipment: Shipment,
    boxes: Sequence[tuple[str, str]],
) -> Directory:
    """Write a shipment down with its boxes, each (MAC, model; empty where the order is for one model alone)."""
    order = next((order for order in directory.orders if order.number == shipment.order), None)
    if order is None:
        raise Refused(
            f"shipment {shipment.number} was not taken", f"there is no order {shipment.order!r}", "order it first"
        )
    if shipment.number in directory.shipments_by_number:
        raise Refused(f"shipment {shipment.number} was not taken", "there is one of that number", "take another number")
    left = Counter({(line.family, line.model): line.quantity for line in order.lines})
    ours = {one.number for one in directory.shipments if one.order == order.number}
    left.subtract((item.family, item.model) for item in directory.hardware if item.shipment in ours)
    draft = Draft(directory.replaced(shipments=(*directory.shipments, shipment)), families, foreign, fresh)
    for mac, model in boxes:
        if not model and len(order.lines) > 1:
            why = f"order {order.number} is for several models"
            raise Refused(f"{mac} was not taken in", why, "name the model of each box")
        box = draft.stock(mac, model=model or order.lines[0].model, family="" if model else order.lines[0].family,
                          shipment=shipment.number)  # fmt: skip
        left[box.family, box.model] -= 1
        if left[box.family, box.model] < 0:
            why = f"order {order.number} is not for (as many) {box.model}"
            raise Refused(f"{mac} was not taken in", why, "compare the shipment with its order")
    return draft.directory()


def arrived(directory: Directory, number: str, on: date) -> Directory:
    """A shipment is here: its boxes lie in stock."""
    known = directory.shipments_by_number.get(number)
    if known is None:
        raise Refused(f"shipment {number!r} did not arrive", "nobody has written it down", "see `switchroom orders ls`")
    if on < known.shipped_on:
        raise Refused(f"shipment {number} did not arrive", f"it was sent on {known.shipped_on}", "name a later day")
    changed = known.model_copy(update={"arrived_on": on})
    return directory.replaced(shipments=tuple(changed if one is known else one for one in directory.shipments))


def states(directory: Directory) -> list[OrderState]:
    """How each order stands, the newest first."""
    boxes = Counter(item.shipment for item in directory.hardware)
    found = []
    for order in directory.orders:
        ours = [one for one in directory.shipments if one.order == order.number]
        here = sum(boxes[one.number] for one in ours if one.arrived_on is not None)
        away = sum(boxes[one.number] for one in ours if one.arrived_on is None)
        total = sum(line.quantity for line in order.lines)
        numbers = tuple(one.number for one in ours)
        found.append(OrderState(order.number, order.supplier, order.ordered_on, total, away, here, numbers))
    return sorted(found, key=lambda order: order.ordered_on, reverse=True)


def _meant(draft: Draft, line: OrderLine) -> OrderLine:
    family = draft.the_family(line.model, line.family)
    return line.model_copy(update={"family": family.id, "model": draft.model_of(family, line.model)})
