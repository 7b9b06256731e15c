"""The real clock: the only place of the lab, beside the virtual world, where time is read."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from pbx.clock import Moment


class RealClock:
    """Monotonic and wall time, read together."""

    def now(self) -> Moment:
        return Moment(time.monotonic(), datetime.fromtimestamp(time.time(), UTC))
