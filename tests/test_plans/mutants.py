"""Sixty switchrooms with one thing broken on purpose, and the case of the deployment plan that must find each.

Every fault is put into the built system from here; neither the plan nor the runner can know which. Most are settings
that the switch believes to be otherwise than they are (`switch_believes`): a rule that is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from pbx.callflow import answering, findings, identity, routing
from pbx.domain.dialplan import Dialled, Means
from pbx.domain.directory import Directory
from pbx.domain.timeframes import TimeFrame
from pbx.media.negotiation import Negotiation
from pbx.media.virtual import VirtualEngine
from pbx.media.virtual_speaking import Speaking
from pbx.sip.digest import DigestServer, Verdict
from pbx.sip.registrar import Registrar, Removed
from pbx.statistics import Statistics
from pbx.switch import dialling, registration
from pbx.switch.agents import Agents
from pbx.switch.notices import Notices
from pbx.switch.parking import Parking
from pbx.switch.recording import CallRecordings
from pbx.switch.switch import Switch
from pbx.switch.trunks import Trunks
from pbx.switch.watchers import Watchers
from provisioning_server import overlay, sheet
from provisioning_server.ledger import Admission, Key, Ledger
from provisioning_server.shelf import Shelf
from tests.test_plans import test_mutants as office

Break = Callable[[pytest.MonkeyPatch], None]


def switch_believes(change: Callable[[Directory], Directory]) -> Break:
    """The switch works by a domain that is not the one that is configured."""

    def break_it(patch: pytest.MonkeyPatch) -> None:
        begin, apply = Switch.__init__, Switch.apply
        patch.setattr(Switch, "__init__", lambda self, directory, *a, **k: begin(self, change(directory), *a, **k))
        patch.setattr(Switch, "apply", lambda self, directory, *a, **k: apply(self, change(directory), *a, **k))

    return break_it


def every(section: str, **values: Any) -> Break:
    """Each object of a section has these values, whatever was set."""
    return switch_believes(
        lambda d: d.replaced(**{section: tuple(it.model_copy(update=values) for it in getattr(d, section))})
    )


def rules(**values: Any) -> Break:
    """Each answering rule has these values, whatever was set."""

    def without(directory: Directory) -> Directory:
        users = (u.model_copy(update={"rules": tuple(r.model_copy(update=values) for r in u.rules)})
                 for u in directory.users)  # fmt: skip
        return directory.replaced(users=tuple(users))

    return switch_believes(without)


def targets(**values: Any) -> Break:
    def changed(directory: Directory) -> Directory:
        users = []
        for user in directory.users:
            made = tuple(
                rule.model_copy(
                    update={"simultaneous_ring": tuple(t.model_copy(update=values) for t in rule.simultaneous_ring)}
                )
                for rule in user.rules
            )
            users.append(user.model_copy(update={"rules": made}))
        return directory.replaced(users=tuple(users))

    return switch_believes(changed)


def agents(**values: Any) -> Break:
    return switch_believes(
        lambda d: d.replaced(
            queues=tuple(
                q.model_copy(update={"agents": tuple(a.model_copy(update=values) for a in q.agents)}) for q in d.queues
            )
        )
    )


def menus(**values: Any) -> Break:
    return switch_believes(
        lambda d: d.replaced(
            attendants=tuple(
                a.model_copy(update={"menus": tuple(m.model_copy(update=values) for m in a.menus)})
                for a in d.attendants
            )
        )
    )


def mailboxes(**values: Any) -> Break:
    return switch_believes(
        lambda d: d.replaced(
            users=tuple(u.model_copy(update={"mailbox": u.mailbox.model_copy(update=values)}) for u in d.users)
        )
    )


def the_domain(**values: Any) -> Break:
    return switch_believes(lambda d: d.replaced(domain=d.domain.model_copy(update=values)))


def the_platform(**values: Any) -> Break:
    return switch_believes(
        lambda d: d.replaced(
            domain=d.domain.model_copy(update={"platform": d.domain.platform.model_copy(update=values)})
        )
    )


def instead(owner: object, name: str, what: object) -> Break:
    return lambda patch: patch.setattr(owner, name, what)


# --- faults of code -----------------------------------------------------------------------------------


def a_token_opens_every_box(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Ledger, "admit", lambda self, *asked, **more: Admission(Key.FIRST))


def configurations_are_stale(patch: pytest.MonkeyPatch) -> None:
    file, old = Shelf.file, {}
    patch.setattr(Shelf, "file", lambda self, d, name, make, now: old.setdefault(name, None) or old.__setitem__(
        name, file(self, d, name, make, now)) or old[name])  # fmt: skip


def the_device_layer_is_weakest(patch: pytest.MonkeyPatch) -> None:
    layers = sheet.own_layers
    patch.setattr(sheet, "own_layers", lambda *asked: list(reversed(layers(*asked))))


def every_phone_is_in_one_zone(patch: pytest.MonkeyPatch) -> None:
    layers = sheet.own_layers

    def wrong(*asked: Any) -> list[overlay.Layer]:
        return [replace(layer, settings={k: v for k, v in layer.settings.items() if k != "time.zone"})
                for layer in layers(*asked)]  # fmt: skip

    patch.setattr(sheet, "own_layers", wrong)


def any_password_will_do(patch: pytest.MonkeyPatch) -> None:
    verify = DigestServer.verify

    def lax(self: DigestServer, *asked: Any, **more: Any) -> Verdict:
        verdict = verify(self, *asked, **more)
        return Verdict.OK if verdict is Verdict.WRONG else verdict

    patch.setattr(DigestServer, "verify", lax)


def old_proofs_are_good_for_ever(patch: pytest.MonkeyPatch) -> None:
    verify = DigestServer.verify

    def lax(self: DigestServer, *asked: Any, **more: Any) -> Verdict:
        verdict = verify(self, *asked, **more)
        return Verdict.OK if verdict in (Verdict.STALE, Verdict.REPLAYED) else verdict

    patch.setattr(DigestServer, "verify", lax)


def nobody_leaves(patch: pytest.MonkeyPatch) -> None:
    tell = registration.Registration.tell
    patch.setattr(registration.Registration, "tell", lambda self, changes: tell(
        self, tuple(change for change in changes if not isinstance(change, Removed) or change.expired)))  # fmt: skip


def the_first_phone_of_a_user_rings_alone(patch: pytest.MonkeyPatch) -> None:
    devices = answering._Called.devices
    patch.setattr(answering._Called, "devices", property(lambda self: devices.fget(self)[:1]))  # type: ignore[attr-defined]


def a_key_is_lost(patch: pytest.MonkeyPatch) -> None:
    send = Speaking._send_digit
    patch.setattr(
        Speaking, "_send_digit", lambda s, it, digit, event: None if digit == "7" else send(s, it, digit, event)
    )


def available_numbers_ring(patch: pytest.MonkeyPatch) -> None:
    from pbx.domain.numbers import NumberRoute

    def routed(directory: Directory) -> Directory:
        to = NumberRoute.model_validate({"to": "user 202"})
        return directory.replaced(numbers=tuple(
            number if number.routes else number.model_copy(update={"routes": (to,)}) for number in directory.numbers
        ))  # fmt: skip

    switch_believes(routed)(patch)


def nine_one_one_wants_no_nine(patch: pytest.MonkeyPatch) -> None:
    read = routing.read_dialled

    def strict(text: str, *more: Any) -> Dialled:
        return Dialled(Means.NOTHING, text) if text == "9911" else read(text, *more)

    patch.setattr(routing, "read_dialled", strict)


def everybody_is_at_head_office(patch: pytest.MonkeyPatch) -> None:
    """911 shows the address of the first device for all."""
    where = identity.emergency_location

    def wrong(directory: Directory, device: str) -> identity.EmergencyLocation:
        return where(directory, "101")

    for module in (identity, routing, findings):
        if hasattr(module, "emergency_location"):
            patch.setattr(module, "emergency_location", wrong)


def nothing_is_said_of_who_forwarded(patch: pytest.MonkeyPatch) -> None:
    made = dialling.trunk_headers
    patch.setattr(dialling, "trunk_headers", lambda *asked: [
        header for header in made(*asked) if header[0] not in ("Diversion", "History-Info")])  # fmt: skip


def privacy_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    made = dialling.trunk_headers
    patch.setattr(dialling, "trunk_headers", lambda *asked: [h for h in made(*asked) if h[0] != "Privacy"])


def parked_parties_are_lost(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Parking, "call_in", lambda self, slot: None)


def rules_are_read_backwards(patch: pytest.MonkeyPatch) -> None:
    def backwards(directory: Directory) -> Directory:
        users = (u.model_copy(update={"rules": tuple(reversed(u.rules))}) for u in directory.users)
        return directory.replaced(users=tuple(users))

    switch_believes(backwards)(patch)
    order = answering.sorted if hasattr(answering, "sorted") else sorted
    patch.setattr(answering, "sorted", lambda places, key: order(places), raising=False)


def frames_are_an_hour_late(patch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    covers = TimeFrame.covers
    patch.setattr(TimeFrame, "covers", lambda self, moment, zone: covers(self, moment - timedelta(hours=1), zone))


def zones_of_users_are_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Directory, "zone_of_user", lambda self, user: self.domain.time_zone)


def sums_of_queues_are_wrong(patch: pytest.MonkeyPatch) -> None:
    left = Statistics._left

    def twice(self: Statistics, event: Any, now: float) -> None:
        left(self, event, now)
        if event.outcome == "abandoned":
            left(self, event, now)
            self.queues[event.queue].abandoned += 1

    patch.setattr(Statistics, "_left", twice)


def mail_stays_at_home(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Notices, "queue", lambda self, notice: None)


def lamps_of_others_never_change(patch: pytest.MonkeyPatch) -> None:
    changed = Watchers.changed
    patch.setattr(Watchers, "changed", lambda s, package, it: None if package == "dialog" else changed(s, package, it))


def a_transfer_drops_a_leg(patch: pytest.MonkeyPatch) -> None:
    """Whoever is transferred is let go at once."""
    from pbx.switch import inbound, signalling, transfer

    refer = transfer.referred

    def dropping(switch: Any, call: Any, leg: Any, referrer: Any, target: str) -> None:
        other = leg.joined
        refer(switch, call, leg, referrer, target)
        if other in call.legs:
            call.drop(other)

    for module in (inbound, signalling, transfer):
        if hasattr(module, "referred"):
            patch.setattr(module, "referred", dropping)


def recordings_never_begin(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(CallRecordings, "begin", lambda self, call, leg, why: False)


def wrap_up_is_skipped(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Agents, "has_wrapped_up", lambda self, name, now: True)


def lossy_calls_look_clean(patch: pytest.MonkeyPatch) -> None:
    report = VirtualEngine._report

    def flatter(self: VirtualEngine, event: Any) -> None:
        figures = getattr(event, "statistics", None)
        clean = replace(event, statistics=replace(figures, lost=0, jitter_ms=0.0, mos=4.4)) if figures else event
        report(self, clean)

    patch.setattr(VirtualEngine, "_report", flatter)


def bindings_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Registrar, "load", lambda self, bindings: None)


def the_transfer_of_agents_priorities(directory: Directory) -> Directory:
    queues = (q.model_copy(update={"agents": tuple(a.model_copy(update={"priority": -a.priority}) for a in q.agents)})
              for q in directory.queues)  # fmt: skip
    return directory.replaced(queues=tuple(queues))


MUTANTS: Mapping[str, tuple[Break, str]] = {
    # --- the ten of the office, found here too
    "no lamp is ever lit": (office.no_lamp_is_ever_lit, "I03"),
    "the caller hears nobody": (office.the_caller_hears_nobody, "C01"),
    "no record is kept": (office.no_record_is_kept, "N07"),
    "the wrong prompt is played": (office.the_wrong_prompt_is_played, "G01-open"),
    "every queue rings everybody": (office.every_queue_rings_everybody, "H01-linear-hunt"),
    "do not disturb is ignored": (office.do_not_disturb_is_ignored, "J04"),
    "611 is barred": (office.support_is_barred, "K01@101"),
    "hold is silent": (office.hold_is_silent, "F01"),
    "a phone is told another's extension": (office.a_phone_is_told_somebody_elses_extension, "A09"),
    "messages are lost": (office.messages_are_lost, "I01"),
    # --- provisioning
    "a token opens every box": (a_token_opens_every_box, "A03"),
    "configurations are stale": (configurations_are_stale, "A08"),
    "the device layer is weakest": (the_device_layer_is_weakest, "A05"),
    "every phone is in one zone": (every_phone_is_in_one_zone, "A10"),
    # --- registration
    "any password will do": (any_password_will_do, "B02"),
    "nobody leaves": (nobody_leaves, "B06"),
    "only the first phone rings": (the_first_phone_of_a_user_rings_alone, "B07"),
    "old proofs are good for ever": (old_proofs_are_good_for_ever, "B08"),
    "nothing is encrypted": (every("devices", srtp="no"), "B10-yes"),
    "any user agent registers": (every("devices", user_agents=()), "B12"),
    # --- calls
    "no common codec still rings": (instead(Negotiation, "has_nothing_for", lambda self, offered: False), "C10-none"),
    "a key is lost": (a_key_is_lost, "C11"),
    # --- numbers, caller ID
    "available numbers ring": (available_numbers_ring, "D03"),
    "prefixes are lost": (every("numbers", caller_id_prefix=""), "D05"),
    "blocked callers get through": (rules(block=()), "D08"),
    "nobody has too many calls": (every("users", max_calls=0), "D09"),
    "the user's area code is ignored": (every("users", area_code=""), "E01"),
    "premium calls are allowed": (instead(Directory, "why_barred", lambda self, user, number: ""), "E03"),
    "users' own numbers are not shown": (every("users", caller_id=None), "E04-user"),
    "privacy is forgotten": (privacy_is_forgotten, "E05"),
    "nothing is said of who forwarded": (nothing_is_said_of_who_forwarded, "E07-original"),
    "the second trunk is never tried": (instead(Trunks, "goes_on", lambda self, call, leg, status: False), "E09"),
    "a silent trunk is waited for": (instead(Trunks, "look", lambda self, call: None), "E09-silent"),
    "nothing is attested": (instead(dialling, "attested", lambda *about: []), "E10"),
    # --- in a call
    "every site has the same music": (every("sites", music="default"), "F02"),
    "a transfer drops a leg": (a_transfer_drops_a_leg, "F03"),
    "a park slot is lost": (parked_parties_are_lost, "F07"),
    "nobody is called back from a slot": (the_platform(park_callback_s=600.0), "F08"),
    "no intercom answers by itself": (instead(dialling, "_answers_itself", lambda switch, device: {}), "F11"),
    "recordings never begin": (recordings_never_begin, "F12"),
    # --- attendants, queues
    "keys do nothing": (menus(keys={}), "G02-user"),
    "no extension can be dialled": (menus(dial_by_extension=()), "G04"),
    "any extension can be dialled": (menus(dial_by_extension=(3, 4, 5)), "G04-refused"),
    "loops are not seen": (instead(findings, "_loops", lambda drawn: ()), "G08"),
    "wrap-up is skipped": (wrap_up_is_skipped, "H04"),
    "queues have room for all": (every("queues", max_callers=0), "H06"),
    "nobody waits too long": (every("queues", max_wait_s=0.0), "H07"),
    "the second queue goes first": (switch_believes(the_transfer_of_agents_priorities), "H10"),
    "nobody confirms": (agents(confirm=False), "H11"),
    "who misses a call stays": (every("queues", logout_after_miss=False), "H13"),
    "sums of queues are wrong": (sums_of_queues_are_wrong, "H14"),
    # --- messages, lamps
    "mail stays at home": (mail_stays_at_home, "I02-yes"),
    "mailboxes are never full": (mailboxes(storage_kb=0), "I06"),
    "lamps of others never change": (lamps_of_others_never_change, "I09"),
    # --- answering rules
    "rules are read backwards": (rules_are_read_backwards, "J01"),
    "time frames are an hour late": (frames_are_an_hour_late, "J02"),
    "users' zones are ignored": (zones_of_users_are_ignored, "J02"),
    "who rings along rings at once": (targets(delay_s=0.0), "J07-delay"),
    "nobody is screened": (rules(call_screening=False), "J08-screened"),
    # --- emergency
    "911 takes no nine": (nine_one_one_wants_no_nine, "K03"),
    "911 shows the head office": (everybody_is_at_head_office, "K04"),
    "nobody on site is told of 911": (the_domain(emergency_contacts=""), "K05-mail"),
    # --- the rest
    "lossy calls look clean": (lossy_calls_look_clean, "M03"),
    "bindings are forgotten": (bindings_are_forgotten, "N03"),
}
"""What is broken → how, and the case that names it."""
