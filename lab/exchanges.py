"""Domains beside the first that are served: each by an exchange of its own, with its switch, its store, its phones.

An exchange is a whole office on ports of its own, so nothing of one domain can reach another: registrations, calls,
messages and records lie in folders of their own. What is configured in either place is the same directory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lab.addresses import PortPlan
from lab.lab_settings import LabSettings
from lab.seeds.load import Seed
from lab.seeds.model import LabSeed
from lab.service import Lab
from pbx.domain.directory import Directory
from pbx.events import DirectoryChanged, TimeFrameSwitched
from pbx.store.protocol import Document, DocumentRemoved, DocumentSaved

if TYPE_CHECKING:
    from lab.office import Office

KIND = "exchange"
MOST = 8
"""Each has two processes for media."""


class CannotServe(ValueError):
    """The text says why."""


class Exchanges:
    """Owns the exchanges beside a lab's own; `open` starts those of before, `close` ends all."""

    def __init__(
        self,
        lab: Lab,
        settings: LabSettings,
        make: Callable[[Seed, LabSettings], Office],
        directory: Callable[[str], Directory | None],
        changed: Callable[[Directory], None],
    ) -> None:
        """`changed` is told of every new directory of an exchange."""
        self._lab, self._settings, self._make = lab, settings, make
        self._directory, self._changed = directory, changed
        self._offices: dict[str, Office] = {}
        self._starting: set[str] = set()
        self._recalled: asyncio.Task[None] | None = None

    def open(self) -> None:
        kept = [document.domain for document in self._lab.store.every_document() if document.kind == KIND]
        if kept:
            self._recalled = asyncio.create_task(self._recall(kept), name="exchanges")  # noqa: TID251 - ended in `close`

    async def close(self) -> None:
        if self._recalled is not None:
            self._recalled.cancel()
            await asyncio.wait([self._recalled])
        offices, self._offices = self._offices, {}
        await asyncio.gather(*(office.__aexit__(None, None, None) for office in offices.values()))

    def offices(self) -> Mapping[str, Office]:
        return self._offices

    def lab(self, domain: str) -> Lab | None:
        """Return the lab that serves a domain beside the first; None for one that is not served."""
        office = self._offices.get(domain)
        return office.lab if office is not None else None

    async def serve(self, domain: str) -> Office:
        """Start an exchange and power its phones; CannotServe for a domain that is not there, or is served."""
        directory = self._directory(domain)
        if directory is None:
            raise CannotServe(f"there is no domain {domain}")
        if domain == self._lab.directory.domain.name or domain in {*self._offices, *self._starting}:
            raise CannotServe(f"{domain} is served already")
        if len(self._offices) + len(self._starting) >= MOST:
            raise CannotServe(f"{MOST} exchanges run already; end one of them first")
        self._starting.add(domain)
        try:
            office = await self._start(directory)
        finally:
            self._starting.discard(domain)
        self._offices[domain] = office
        self._lab.store.submit(DocumentSaved(Document(domain, KIND, domain, "{}")))
        return office

    async def end(self, domain: str) -> None:
        """End an exchange; what it has kept is there when it starts again. CannotServe when there is none."""
        office = self._offices.pop(domain, None)
        if office is None:
            raise CannotServe(f"{domain} is not served beside the first domain")
        await office.__aexit__(None, None, None)
        self._lab.store.submit(DocumentRemoved(domain, KIND, domain))

    async def _recall(self, domains: Sequence[str]) -> None:
        for domain in domains:
            try:
                await self.serve(domain)
            except (CannotServe, OSError) as error:
                self._lab.complain("exchanges", f"{domain}: {error}")

    async def _start(self, directory: Directory) -> Office:
        domain = directory.domain.name
        settings = replace(
            self._settings, ports=PortPlan(), reseed=True, console_host="", rtpengine=None,
            data=self._lab.data_folder / "domains" / domain,
        )  # fmt: skip
        outside = [one for one in self._lab.lab_seed.carrier if one.number not in directory.numbers_by_digits]
        quiet = {user.extension: ("quiet",) for user in directory.users}  # fresh from its forms
        office = self._make(Seed(directory, LabSeed(carrier=tuple(outside), traits=quiet)), settings)
        await office.__aenter__()
        office.lab.bus.subscribe(
            lambda stamped: self._changed(office.lab.directory), [DirectoryChanged, TimeFrameSwitched]
        )
        if settings.phones:
            office.lab.power(True)
        return office
