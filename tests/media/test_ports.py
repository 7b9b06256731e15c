from __future__ import annotations

import pytest

from pbx.media.engine import NoMediaPort
from pbx.media.ports import QUARANTINE_S, Ports


def test_a_released_port_rests_before_it_is_taken_again():
    ports = Ports([4000, 4002])
    assert {ports.take(0.0), ports.take(0.0)} == {4000, 4002}
    with pytest.raises(NoMediaPort, match="every media port is taken"):
        ports.take(0.0)
    ports.give_back(4002, 10.0)
    with pytest.raises(NoMediaPort, match=r"rest for 2\.0 s"):
        ports.take(10.0)
    assert ports.take(10.0 + QUARANTINE_S) == 4002


def test_the_port_that_rests_longest_is_taken_first():
    ports = Ports([4000, 4002, 4004])
    first = ports.take(0.0)
    ports.give_back(first, 0.0)
    assert [ports.take(9.0) for _ in range(3)][-1] == first
