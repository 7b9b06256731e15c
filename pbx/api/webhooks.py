"""Tells subscribers: one queue a subscription, in order, tried again with longer pauses; the newest are kept."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import aiohttp

from pbx.api.house import House
from pbx.api.resources import calls, records
from pbx.api.subscribing import BACK_OFF_S, EVENTS, EVERYWHERE, KEPT, KIND, TRIES, Delivery, body_of, concerns, good
from pbx.domain.directory import Directory
from pbx.events import AgentStatusChanged, CallEnded, CallRecordWritten, DirectoryChanged, Event, Stamped

Post = Callable[[str, bytes, Mapping[str, str]], Awaitable[int]]
"""Returns the status, OSError when nobody answers."""
MOST_WAITING = 1000
TIMEOUT_S = 10.0


class Webhooks:
    """Owns the queues; `close` ends what is on its way. Each is signed with the proof of its subscription."""

    def __init__(self, house: House, post: Post, back_off_s: tuple[float, ...] = BACK_OFF_S) -> None:
        self._house, self._post, self._back_off_s = house, post, back_off_s
        self._queues: dict[str, deque[Delivery]] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._closing = asyncio.Event()
        self.newest: deque[Delivery] = deque(maxlen=KEPT)
        self.counts: dict[str, tuple[int, int]] = {}
        """Subscription → posts that were taken, and those that were not."""

    async def close(self) -> None:
        self._closing.set()
        for worker in self._workers.values():
            worker.cancel()
        await asyncio.gather(*self._workers.values(), return_exceptions=True)

    def take(self, stamped: Stamped) -> None:
        """Queue what subscribers are to be told of an event."""
        event = stamped.event
        kind = type(event)
        for model, row in self._subscriptions():
            if kind not in EVENTS.get(model, ()):
                continue
            told, people = self._told(model, event)
            if told and concerns(row, people):
                self._queue(row, told, stamped)

    # --- what is told -----------------------------------------------------------------------------------

    def _subscriptions(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Return who is to be told of anything at all: asked at every event of a call, and mostly nobody is."""
        served = self._served
        domain, resellers = served.domain.name, ("", EVERYWHERE, served.reseller.name)
        for where in (domain, EVERYWHERE):
            for document in self._house.documents(where, KIND).values():
                row = json.loads(document.text)
                if where == EVERYWHERE and row.get("reseller", "") not in resellers:
                    continue
                if row["expires"] > self._house.now.wall.timestamp() and row.get("domain") in (EVERYWHERE, domain):
                    yield row["model"], row

    @property
    def _served(self) -> Directory:
        served = (
            self._house.directory(name) for name in self._house.names() if self._house.switch_of(name) is not None
        )
        directory = next(served, None)
        assert directory is not None
        return directory

    def _told(self, model: str, event: Event) -> tuple[list[dict[str, Any]], frozenset[str]]:
        directory, hostname = self._served, self._house.hostname
        match event:
            case CallRecordWritten(call=name):
                record = next((one for one in self._house.store.records() if one.call == name), None)
                if record is None:
                    return [], frozenset()
                return [records.told(directory, record, hostname)], records.people_of(directory, record)
            case AgentStatusChanged(queue=queue, agent=agent, status=status):
                row = {"callqueue": queue, "callqueue-agent-id": f"{agent}@{directory.domain.name}", "status": status}
                return [{**row, "domain": directory.domain.name}], frozenset({agent})
            case DirectoryChanged(what=what, revision=revision):
                row = {"domain": directory.domain.name, "target-object": what, "revision": str(revision)}
                return [{**row, "action-type": "changed"}], frozenset()
        name = getattr(event, "call", "")
        if model in ("call", "call_origid"):
            switch = self._house.switch_of(directory.domain.name)
            call = switch.call(name) if switch is not None else None
            if call is None:
                return [], frozenset()
            row = calls.told(directory, call, hostname)
            people = calls.thing_of(directory, call).owners | {call.record.caller_number, call.record.answered_by}
            return [{**row, "remove": "yes"} if isinstance(event, CallEnded) else row], frozenset(people)
        fields = {name: getattr(event, name) for name in event.__dataclass_fields__}
        who = str(fields.get("extension") or fields.get("box") or fields.get("caller_number") or "")
        row = {"domain": directory.domain.name, "user": who, "model": model, "event": event.kind}
        return [{**row, **{name.replace("_", "-"): value for name, value in fields.items()}}], frozenset({who})

    # --- on its way -------------------------------------------------------------------------------------

    def _queue(self, row: Mapping[str, Any], told: list[dict[str, Any]], stamped: Stamped) -> None:
        name, url = str(row["id"]), str(row["post-url"])
        made = Delivery(
            f"{name}-{stamped.seq}",
            name,
            url,
            body_of(told),
            stamped.at.wall.timestamp(),
            self._house.proof(name).encode(),
        )
        queue = self._queues.setdefault(name, deque(maxlen=MOST_WAITING))
        queue.append(made)
        self.newest.append(made)
        if name not in self._workers:
            loop = asyncio.get_running_loop()
            self._workers[name] = loop.create_task(self._deliver(name, queue), name=f"webhook {name}")

    async def _deliver(self, name: str, queue: deque[Delivery]) -> None:
        try:
            while queue:
                await self._tell(queue.popleft())
        finally:
            self._workers.pop(name, None)

    async def _tell(self, delivery: Delivery) -> None:
        for pause_s in (*self._back_off_s[: TRIES - 1], None):
            headers = delivery.headers(self._house.now.wall.timestamp())
            try:
                status = await self._post(delivery.url, delivery.body, headers)
                delivery.tries.append(str(status))
                delivery.done = good(status)
            except (OSError, ValueError, TimeoutError, aiohttp.ClientError) as error:
                delivery.tries.append(f"{type(error).__name__}: {error}"[:200])
            taken, failed = self.counts.get(delivery.subscription, (0, 0))
            self.counts[delivery.subscription] = (taken + delivery.done, failed + (not delivery.done))
            if delivery.done or pause_s is None:
                return
            try:
                async with asyncio.timeout(pause_s):
                    await self._closing.wait()
                return
            except TimeoutError:
                continue


class Poster:
    """Posts over HTTP; follows nobody elsewhere."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))
        async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
            return response.status

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
