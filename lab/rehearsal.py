"""A plan in virtual time: a world from one seed, its phones booted, the plan run, the result returned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

from lab.bench import LabBench
from lab.clockwork import seeded_token
from lab.portal.virtual import VirtualPortal
from lab.provisioner import VirtualProvisioner, virtual_office
from lab.seeds.load import Seed
from lab.stir import CERTIFICATE, signer_of
from lab.wire import Impairment
from lab.world import CARRIER, PROVISIONING_HOST, SECOND_CARRIER, SWITCH, World
from pbx.events import Stamped
from pbx.media.prompts.catalogue import seconds_of
from pbx.media.virtual_speaking import BEAT_S
from pbx.store.memory import MemoryStore
from pbx.switch.settings import SwitchSettings
from provisioning_server.respond import Office
from test_plans.plan import Case, Plan
from test_plans.preview import preview
from test_plans.runner import Progress, Runner
from test_plans.verdicts import RunResult

LAPTOPS = 4
"""Computers on the lab's network, for plans that ask for one."""


class MemoryKeeper:
    """A world's store; a restart finds what was there."""

    def __init__(self, history: MemoryStore | None = None) -> None:
        self.history = history or MemoryStore()

    def restarted(self) -> MemoryKeeper:
        return MemoryKeeper(MemoryStore.thawed(self.history.frozen()))


def virtual_world(
    seed: Seed,
    number: int,
    impairment: Impairment | None = None,
    sip: SwitchSettings | None = None,
    longest_beat_s: float = BEAT_S,
) -> World:
    """Return the world of a seed, nothing switched on yet."""

    def provisioner(world: World) -> VirtualProvisioner:
        office = virtual_office(SWITCH, PROVISIONING_HOST, f"secret {number}".encode())
        return VirtualProvisioner(office, lambda: world.directory, world.publish, f"tftp://{PROVISIONING_HOST}/")

    world = World(
        seed,
        number=number,
        keeper=MemoryKeeper(),
        provisioner=provisioner,
        seconds_of=seconds_of,
        impairment=impairment,
        settings=replace(
            sip or SwitchSettings(),
            carrier=CARRIER,
            more_carriers=(SECOND_CARRIER,),
            signer=signer_of(f"secret {number}".encode(), lambda: f"https://{PROVISIONING_HOST}{CERTIFICATE}"),
        ),
        longest_beat_s=longest_beat_s,
        laptops=LAPTOPS,
    )

    def store() -> MemoryStore:
        assert isinstance(world.history, MemoryStore)
        return world.history

    world.portal = VirtualPortal(world, store, seeded_token(number, "portal"))
    return world


def office_of(world: World) -> Callable[[], Office | None]:
    """Return what asks for the provisioning of a world."""
    provisioner = world.provisioner
    return lambda: provisioner.office if isinstance(provisioner, VirtualProvisioner) else None


def rehearse(
    plan: Plan,
    seed: Seed,
    *,
    number: int = 1,
    impairment: Impairment | None = None,
    only: Callable[[Case], bool] = lambda case: True,
    progress: Progress = lambda result, what: None,
    world: World | None = None,
    sip: SwitchSettings | None = None,
    most_s: float = 36_000.0,
) -> RunResult:
    """Boot the phones and run the plan; at most `most_s` of virtual time, so that nothing can hang."""
    world = booted_world(seed, number, impairment, sip, world=world)
    return run_plan(world, plan, number=number, only=only, progress=progress, most_s=most_s)


def booted_world(
    seed: Seed,
    number: int = 1,
    impairment: Impairment | None = None,
    sip: SwitchSettings | None = None,
    *,
    world: World | None = None,
) -> World:
    """Return a world whose phones are registered and at rest."""
    world = world or virtual_world(seed, number, impairment, sip)
    world.boot_all()
    world.run(1.0)
    return world


def previewed(world: World, plan: Plan, *, number: int = 1, only: Callable[[Case], bool]) -> Iterator[str]:
    """Yield what a run on this world would do, a line a case and a step."""
    return preview(plan, LabBench(world).devices(), seed=number, only=only)


def run_plan(
    world: World,
    plan: Plan,
    *,
    number: int = 1,
    only: Callable[[Case], bool] = lambda case: True,
    progress: Progress = lambda result, what: None,
    most_s: float = 36_000.0,
    begun: Callable[[RunResult], None] = lambda result: None,
    stopped: Callable[[], str] = lambda: "",
    decide: Callable[[Case], str] | None = None,
) -> RunResult:
    """Drive a runner on a world whose phones are booted.

    `begun` is told of the result before the first case; `stopped` says why the run is to end, once it is; `decide` says
    of each case what becomes of it (`runner.GO`, …) and so takes them one by one.
    """
    runner = Runner(LabBench(world), plan, seed=number, only=only, progress=progress, one_by_one=decide is not None)
    begun(runner.result)
    news: list[Stamped] = []
    stop = world.now.mono + most_s
    with ExitStack() as ends:
        ends.callback(world.bus.subscribe(news.append))
        ends.enter_context(world.sip_control.run())
        if isinstance(world.portal, VirtualPortal):
            ends.callback(world.portal.close)
        runner.start()
        while not runner.done and world.now.mono < stop:
            if not runner.result.interrupted and (reason := stopped()):
                runner.stop(reason)
            while news:
                waiting, news[:] = list(news), []
                for stamped in waiting:
                    runner.feed(stamped)
            runner.tick()
            if runner.waiting is not None and decide is not None:
                runner.decide(decide(runner.waiting))
            elif not news and not runner.done:
                world.run(max(0.0, min(runner.deadline, stop) - world.now.mono), lambda: bool(news))
        if not runner.done:
            runner.abort(f"it was not over after {most_s:g} s")
    return runner.result
