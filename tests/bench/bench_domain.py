"""What a domain of 10,000 users costs: decisions, changes, memory, lamps; `python -m tests.bench.bench_domain`.

CPU of the core alone, on the scale of a core of one's own (`pace`). The lamps: somebody's telephone begins to ring, and
500 that watch it are told; counted is the time inside the switch until the last NOTIFY has left, answers to the first
ones in between. Memory is that of a whole process with the domain and a switch that serves it.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pbx.bus import Bus
from pbx.callflow.question import Asked, Presence
from pbx.callflow.routing import route
from pbx.clock import Moment
from pbx.domain.directory import Directory
from pbx.media.virtual import VirtualEngine
from pbx.sip.uri import NameAddr
from pbx.store.memory import MemoryStore
from pbx.switch.switch import Switch
from tests.bench.figures import Figure, table
from tests.bench.machine import SERVER, on_core
from tests.bench.pace import Paces, Span
from tests.switch.town import DOMAIN, SWITCH, Phone, Town, directory

RUNS = 5
USERS, QUEUES, AGENTS, ATTENDANTS = 10_000, 200, 20, 500
DECISIONS, CHANGES, WATCHERS = 1_000, 10, 500
_NOW = Moment(1000.0, datetime(2026, 11, 24, 15, tzinfo=UTC))
_FIRST, _QUEUE, _ATTENDANT = 20_000, 31_000, 32_000


def company() -> Directory:
    """Users with a telephone each, queues of twenty of them, attendants of three keys, a number for every twentieth."""
    members = iter(range(_FIRST, _FIRST + QUEUES * AGENTS))
    return Directory.model_validate({
        "domain": {"name": "acme.lab", "caller_id": 14165550100},
        "sites": [{"name": f"Site {n}"} for n in range(20)],
        "time_frames": [{"name": "open", "weekdays": {"mon-fri": "08:00-18:00"}}],
        "users": [
            {"extension": _FIRST + n, "first_name": f"User {n}", "last_name": "Roy", "site": f"Site {n % 20}",
             "rules": [{"time_frame": "open"}, {"forward_no_answer": f"mailbox {_FIRST + n}"}]}
            for n in range(USERS)
        ],
        "devices": [{"id": _FIRST + n, "extension": _FIRST + n, "password": f"secret {n}"} for n in range(USERS)],
        "queues": [
            {"extension": _QUEUE + n, "name": f"Queue {n}",
             "agents": [{"extension": next(members)} for _ in range(AGENTS)]}
            for n in range(QUEUES)
        ],
        "attendants": [
            {"extension": _ATTENDANT + n, "name": f"Menu {n}", "menus": [
                {"keys": {1: f"user {_FIRST + n}", 2: f"queue {_QUEUE + n % QUEUES}", 3: f"mailbox {_FIRST + n}"}}]}
            for n in range(ATTENDANTS)
        ],
        "numbers": [
            {"number": 1_416_555_0000 + n, "routes": [{"to": f"user {_FIRST + n}"}]} for n in range(500)
        ],
    })  # fmt: skip


def decision_us(paces: Paces, of: Directory, dialled: Callable[[int], str]) -> tuple[float, Span]:
    """Return microseconds of a decision with its record as it is written."""
    presence = Presence(frozenset(of.devices_by_id))
    callers = [str(_FIRST + 9_000 + n % 900) for n in range(DECISIONS)]
    asked = [Asked(dialled(n), caller, caller, caller) for n, caller in enumerate(callers)]
    with paces.measured() as span:
        begun = time.process_time()
        for one in asked:
            route(of, one, presence, _NOW).record.to_json()
        used = time.process_time() - begun
    return used / DECISIONS * 1e6, span


def change_ms(paces: Paces, switch: Switch) -> tuple[float, Span]:
    """Return milliseconds from a changed user to the switch that goes by it."""
    with paces.measured() as span:
        begun = time.process_time()
        for n in range(CHANGES):
            of = switch.configured
            user = of.users_by_extension[str(_FIRST + n)].model_copy(update={"ring_s": 10 + n})
            switch.apply(of.with_user(user), _NOW)
        used = time.process_time() - begun
    return used / CHANGES * 1e3, span


def served(of: Directory) -> Switch:
    engine = VirtualEngine("10.0.0.1", lambda source, to, data: None, lambda prompt: 1.0)
    return Switch(
        of, {"udp": ("10.0.0.1", 5060)}, engine=engine, bus=Bus(), token=lambda length: "0" * length,
        history=MemoryStore(), now=_NOW,
    )  # fmt: skip


def memory_mb() -> float:
    """Return the resident megabytes of a process with the domain and its switch."""
    asked = [sys.executable, "-m", "tests.bench.bench_domain", "memory"]
    told = subprocess.run(asked, capture_output=True, text=True, check=True)
    return float(told.stdout)


def _resident_mb() -> float:
    with open("/proc/self/status") as status:
        return next(float(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


class _Lamps:
    """A town whose switch is timed: how long it has computed when the last watcher was told."""

    def __init__(self, town: Town) -> None:
        self.spent_s, self.told_s, self._left = 0.0, 0.0, WATCHERS
        switch: Any = town.switch
        for name in ("receive", "tick", "media", "take_outgoing"):
            setattr(switch, name, self._timed(getattr(switch, name)))

    def _timed(self, deed: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any) -> Any:
            begun = time.process_time()
            found = deed(*given)
            self.spent_s += time.process_time() - begun
            for item in found or ():
                if item.data.startswith(b"NOTIFY"):
                    self._left -= 1
                    self.told_s = self.spent_s if self._left == 0 else self.told_s
            return found

        return timed


def lamps_ms(paces: Paces) -> tuple[float, Span]:
    """Return how long the switch computes until `WATCHERS` telephones know that somebody's rings."""
    of = directory()
    watching = [{"id": str(n), "extension": str(n), "password": "x"} for n in range(_FIRST, _FIRST + WATCHERS)]
    users = [{"extension": it["id"], "first_name": "Watcher"} for it in watching]
    whole = of.model_dump(mode="json", context={"secrets": True})
    whole["users"] += users
    whole["devices"] += watching
    town = Town(Directory.model_validate(whole))
    ana, ben = town.phone("101"), town.phone("102")
    for it in watching:
        _watch(town.phone(it["id"], registered=False))
    town.run(5.0)
    lamps = _Lamps(town)
    with paces.measured() as span:
        ana.dial("102")
        town.run(2.0)
    assert lamps.told_s, "not everybody was told"
    ben.hang_up()
    return lamps.told_s * 1e3, span


def _watch(phone: Phone) -> None:
    headers = [("Event", "dialog"), ("Expires", "3600"), ("Contact", f"<sip:{phone.name}@{phone.host}>")]
    uri = f"sip:102@{DOMAIN}"
    phone.stack.request(
        "SUBSCRIBE", uri, SWITCH, from_=phone.who, to=NameAddr(uri), now=phone.now, headers=headers,
        credentials=phone.credentials,
    )  # fmt: skip


def figures() -> list[Figure]:
    paces = Paces(SERVER)
    with on_core(SERVER):
        of = company()
        switch = served(of)
        gc.collect()
        gc.freeze()
        to_user = [decision_us(paces, of, lambda n: str(_FIRST + n)) for _ in range(RUNS)]
        to_number = [decision_us(paces, of, lambda n: str(_ATTENDANT + n % ATTENDANTS)) for _ in range(RUNS)]
        to_queue = [decision_us(paces, of, lambda n: str(_QUEUE + n % QUEUES)) for _ in range(RUNS)]
        changes = [change_ms(paces, switch) for _ in range(RUNS)]
        lamps = [lamps_ms(paces) for _ in range(3)]
    return [
        Figure("domain.pace", "of what a core of its own does", paces.all(), steady=False),
        Figure("domain.decision.user", "us of CPU", paces.alone(to_user), must=150),
        Figure("domain.decision.attendant", "us of CPU", paces.alone(to_number), must=150),
        Figure("domain.decision.queue", "us of CPU, 20 agents", paces.alone(to_queue), must=150),
        Figure("domain.change", "ms of CPU for one user of 10000", paces.alone(changes), must=20),
        Figure("domain.memory", "MB of a process", (memory_mb(),), must=250),
        Figure("domain.lamps", "ms of CPU until 500 watchers are told", paces.alone(lamps), must=100),
    ]


if __name__ == "__main__":
    if sys.argv[1:] == ["memory"]:
        kept = served(company())
        gc.collect()
        print(_resident_mb())
    else:
        print(table(figures()))
