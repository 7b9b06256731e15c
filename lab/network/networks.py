"""Which network each site of a lab is behind, and assessments of it: what the bench and the API use of either world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lab.network.findings import Verdict
from lab.network.presets import Network
from lab.network.probe import Wanted


@dataclass(slots=True)
class Assessment:
    """One that runs, or has run."""

    site: str
    verdict: Verdict | None = None
    """None while it runs."""
    fault: str = ""
    """Why there is no verdict and will be none."""

    @property
    def done(self) -> bool:
        return self.verdict is not None or bool(self.fault)


class Networks(Protocol):
    def put(self, site: str, network: Network | None) -> None:
        """Put a site behind a network, or back where it was; in the real world only its assessments notice."""
        ...

    def assess(self, site: str, wanted: Wanted) -> Assessment:
        """Begin to measure the network of a site, from the site."""
        ...
