"""Ten switchrooms with one rule broken on purpose: the office plan finds each at the right case (issue 2, item 6).

Every fault is put into the built system from here; neither the plan nor the runner can know which.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.rehearsal import rehearse
from lab.seeds.load import load_seed
from pbx.callflow import routing
from pbx.callflow.ports import MessageSaved, RecordSaved
from pbx.callflow.strategies import linear_hunt, ring_all, round_robin
from pbx.domain.dialplan import Dialled, Means
from pbx.domain.sounds import Music, Prompts, Silence
from pbx.media.virtual import VirtualEngine
from pbx.media.virtual_speaking import Speaking
from pbx.store.memory import MemoryStore
from pbx.switch.watchers import Watchers
from provisioning_server import sheet
from provisioning_server.overlay import Layer
from test_plans.plan import load_plan
from test_plans.runner import VERBS

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time

PLAN = load_plan(Path(__file__).parents[2] / "test_plans" / "plans" / "office.yaml", VERBS)
SEED = load_seed()
Break = Callable[[pytest.MonkeyPatch], None]


def no_lamp_is_ever_lit(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Watchers, "_notify", lambda self, subscription, *, again=False: None)


def the_caller_hears_nobody(patch: pytest.MonkeyPatch) -> None:
    emit = Speaking.emit

    def one_way(self, it, label, packets, *more):
        if not (it.bridged and it.name.endswith(".0")):
            emit(self, it, label, packets, *more)

    patch.setattr(Speaking, "emit", one_way)


def no_record_is_kept(patch: pytest.MonkeyPatch) -> None:
    submit = MemoryStore.submit
    patch.setattr(MemoryStore, "submit", lambda s, change: 0 if isinstance(change, RecordSaved) else submit(s, change))


def the_wrong_prompt_is_played(patch: pytest.MonkeyPatch) -> None:
    play = VirtualEngine.play

    def wrong(self, leg, sound, token=""):
        welcome = isinstance(sound, Prompts) and sound.names == ("attendant-welcome",)
        play(self, leg, Prompts(("attendant-closed",)) if welcome else sound, token)

    patch.setattr(VirtualEngine, "play", wrong)


def every_queue_rings_everybody(patch: pytest.MonkeyPatch) -> None:
    for strategy in (linear_hunt, round_robin):
        patch.setattr(strategy, "choose", ring_all.choose)


def do_not_disturb_is_ignored(patch: pytest.MonkeyPatch) -> None:
    apply = routing.apply_rules

    def disturbed(directory, *more):
        users = []
        for user in directory.users:
            rules = tuple(rule.model_copy(update={"do_not_disturb": False}) for rule in user.rules)
            users.append(user.model_copy(update={"rules": rules}))
        return apply(directory.replaced(users=tuple(users)), *more)

    patch.setattr(routing, "apply_rules", disturbed)


def support_is_barred(patch: pytest.MonkeyPatch) -> None:
    read = routing.read_dialled

    def barred(*text):
        dialled = read(*text)
        return Dialled(Means.NOTHING, dialled.digits) if dialled.means is Means.SUPPORT else dialled

    patch.setattr(routing, "read_dialled", barred)


def hold_is_silent(patch: pytest.MonkeyPatch) -> None:
    play = VirtualEngine.play

    def quiet(self, leg, sound, token=""):
        play(self, leg, Silence() if isinstance(sound, Music) else sound, token)

    patch.setattr(VirtualEngine, "play", quiet)


def a_phone_is_told_somebody_elses_extension(patch: pytest.MonkeyPatch) -> None:
    layers = sheet.own_layers

    def wrong(*asked):
        return [
            Layer(layer.name, {k: "199 Nobody" if k.endswith(".label") else v for k, v in layer.settings.items()})
            for layer in layers(*asked)
        ]

    patch.setattr(sheet, "own_layers", wrong)


def messages_are_lost(patch: pytest.MonkeyPatch) -> None:
    submit = MemoryStore.submit
    patch.setattr(MemoryStore, "submit", lambda s, change: 0 if isinstance(change, MessageSaved) else submit(s, change))


WELCOMED = r"D02-attendant|G01-open|G02-.*|G03-.*|G04.*"
"""Whoever waits for the welcome before pressing a key."""


@pytest.mark.parametrize(
    ("fault", "cases", "also"),
    [
        (no_lamp_is_ever_lit, {"I03"}, ""),
        (the_caller_hears_nobody, {"C01"}, "C02|D01"),
        (no_record_is_kept, {"C01"}, "C0.|E02"),
        (the_wrong_prompt_is_played, {"G01-open", "D02-attendant"}, WELCOMED),
        (every_queue_rings_everybody, {"H01-round-robin", "H01-linear-hunt"}, ""),
        (do_not_disturb_is_ignored, {"J04"}, ""),
        (support_is_barred, {"K01"}, "K01@.*|K02-.*"),  # at whichever phone comes first: it is a blocker
        (hold_is_silent, {"F01", "F02", "F02-head-office"}, "H01-ring-all"),
        (a_phone_is_told_somebody_elses_extension, {"A09"}, "A01|A08"),
        (messages_are_lost, {"I01"}, "I03|N03"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_rule_is_found_at_its_case_and_only_where_it_matters(
    fault: Break, cases: set[str], also: str, monkeypatch: pytest.MonkeyPatch
):
    fault(monkeypatch)
    result = rehearse(PLAN, SEED)
    failed = {case.case: case.reason for case in result.cases if case.verdict == "failed"}
    assert cases <= {*failed, *(case.partition("@")[0] for case in failed)}, failed
    assert [case for case in failed if case not in cases and not re.fullmatch(also, case)] == []
    assert {case.verdict for case in result.cases} <= {"passed", "failed", "skipped"}
    assert result.exit_code == 1
