"""What is said of boxes for once on a running lab: looked at, kept through a restart, and told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from lab.service import Lab
from pbx.domain.devices import Device
from pbx.events import OneShotGiven, OneShotTaken, Stamped
from pbx.store.protocol import Document, DocumentRemoved, DocumentSaved
from provisioning_server.inventory import Refused
from provisioning_server.one_shot import OneShot, OneShots
from provisioning_server.one_shot_desk import one_shot
from provisioning_server.overlay import Scalar

KIND = "one-shot"


class KeptOneShots:
    """`give` and `lift`; the office of the lab has them in force."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        lab.bus.subscribe(self._taken, [OneShotTaken])

    def recall(self) -> None:
        """Go on with what a former life has kept; once the lab has started."""
        domain = self._lab.directory.domain.name
        kept = [_read(document.text) for document in self._lab.store.documents(domain, KIND).values()]
        known = OneShots(one for one in kept if one.mac in self._lab.directory.devices_by_mac)
        self._lab.provisioning.office.one_shots = known
        self._tidy()

    def of(self, mac: str) -> OneShot | None:
        return self._lab.provisioning.office.one_shots.of(mac, self._lab.now.wall)

    def in_force(self) -> list[OneShot]:
        return self._lab.provisioning.office.one_shots.in_force(self._lab.now.wall)

    def give(
        self, box: tuple[Device, ...], settings: Mapping[str, Scalar], by: str, until: datetime | None = None
    ) -> OneShot:
        """Put values of a box into force above all others, for one fetch without `until`; Refused changes nothing."""
        lab = self._lab
        self._tidy()
        made = one_shot(lab.provisioning.office, lab.directory, box, settings, by, lab.now, until=until)
        lab.provisioning.office.one_shots.put(made)
        self._keep(made)
        lab.publish(OneShotGiven(made.mac, by, ", ".join(sorted(settings)), until.isoformat() if until else ""))
        return made

    def lift(self, mac: str, by: str) -> None:
        """Refused when nothing is said of the box."""
        found = self.of(mac)
        if found is None:
            raise Refused("nothing was lifted", f"nothing is said of {mac} for once", "see what is in force")
        self._lab.provisioning.office.one_shots.lift(mac)
        self._drop(mac)
        self._lab.publish(OneShotGiven(mac, by, "", ""))

    def forget(self, mac: str) -> None:
        """The box is another's from now on."""
        if self._lab.provisioning.office.one_shots.lift(mac) is not None:
            self._drop(mac)

    def _taken(self, stamped: Stamped) -> None:
        assert isinstance(stamped.event, OneShotTaken)
        one = self.of(stamped.event.mac)
        if stamped.event.ended or one is None:
            self._drop(stamped.event.mac)
        else:
            self._keep(one)

    def _tidy(self) -> None:
        for one in self._lab.provisioning.office.one_shots.forget_over(self._lab.now.wall):
            self._drop(one.mac)

    def _keep(self, one: OneShot) -> None:
        domain = self._lab.directory.domain.name
        self._lab.store.submit(DocumentSaved(Document(domain, KIND, one.mac, _written(one))))

    def _drop(self, mac: str) -> None:
        self._lab.store.submit(DocumentRemoved(self._lab.directory.domain.name, KIND, mac))


def _written(one: OneShot) -> str:
    fetched = [(file, at.isoformat()) for file, at in one.fetched]
    until = one.until.isoformat() if one.until is not None else ""
    told = {"mac": one.mac, "settings": dict(one.settings), "by": one.by, "files": one.files, "until": until}
    return json.dumps(told | {"fetched": fetched})


def _read(text: str) -> OneShot:
    told = json.loads(text)
    until = datetime.fromisoformat(told["until"]) if told["until"] else None
    fetched = tuple((file, datetime.fromisoformat(at)) for file, at in told["fetched"])
    return OneShot(told["mac"], told["settings"], told["by"], tuple(told["files"]), until, fetched)
