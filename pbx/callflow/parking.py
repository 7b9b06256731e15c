"""Park: a party waits in a slot, on music, until somebody fetches it (domain-features 1.7, F07, F08).

700–719 wait without end, 720–799 ring whoever parked the party after a while, and again when that stays without answer.
"""

from __future__ import annotations

from pbx.callflow.question import Ringing
from pbx.callflow.ring import Outcome, ring, talk
from pbx.callflow.script import Script, until
from pbx.callflow.vocabulary import Control, LegJoined, Parked, Played
from pbx.clock import FOREVER
from pbx.domain.destinations import Cause, Destination, HangUp, ToDevice
from pbx.domain.dialplan import ANY_SLOT
from pbx.domain.sounds import Prompts, spoken_digits
from pbx.events import ParkRecalled

RING_PARKER_S = 25.0


def wait_in_slot(call: Control, slot: str) -> Script[Destination | None]:
    """Wait to be fetched; a caller who has dialled a taken slot itself fetches, anybody else finds it busy."""
    if call.asked.dialled == slot and call.fetch(slot):
        return None
    parked = call.park(slot)
    if parked is None:
        return HangUp(cause=Cause.BUSY)
    outcome, leg = "abandoned", ""
    try:
        call.answer()
        outcome, leg = yield from _until_fetched(call, parked)
    finally:
        call.leave_slot(parked.slot, outcome, leg)
    return (yield from talk(call, leg))


def _until_fetched(call: Control, parked: Parked) -> Script[tuple[str, str]]:
    """Return how the waiting ended, and the leg the party talks to from now on."""
    music = call.music(_owner(call, parked))
    if call.asked.dialled == ANY_SLOT:  # whoever asked for any slot has to be told which it is
        told = call.play(Prompts(("parked-at", *spoken_digits(parked.slot))))
        news = yield until(LegJoined, Played, where=lambda event: isinstance(event, LegJoined) or event.token == told)
        if isinstance(news, LegJoined):
            return "fetched", news.leg
    call.play(music)
    patience_s = call.directory.domain.platform.park_callback_s if parked.call_back else FOREVER
    while True:
        news = yield until(LegJoined, within_s=patience_s)
        if isinstance(news, LegJoined):
            return "fetched", news.leg
        call.publish(ParkRecalled(call.id, parked.slot, parked.parker))
        rung = yield from ring(call, _phones(call, parked), RING_PARKER_S, quiet=True)
        if rung.outcome is Outcome.ANSWERED:
            return ("returned" if rung.target is not None else "fetched"), rung.leg


def _owner(call: Control, parked: Parked) -> str:
    """The extension whose site's music is heard."""
    device = call.directory.devices_by_id.get(parked.parker)
    return device.extension if device is not None else ""


def _phones(call: Control, parked: Parked) -> list[Ringing]:
    """All phones of whoever parked the party."""
    devices = call.directory.devices_by_extension.get(_owner(call, parked), ())
    return [Ringing(ToDevice(device=device.id)) for device in devices]
