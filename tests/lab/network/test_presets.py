"""Networks as files: what is wrong in one is said by name."""

from __future__ import annotations

import pytest

from lab.errors import UserError
from lab.network.presets import names, network, parsed


def test_each_has_a_title_and_says_what_it_is():
    for name in names():
        assert network(name).title
        assert network(name).about


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("router = 1 2", "line 1"),
        ("[routre]\n", "'routre'"),
        ("[router]\nudp_timeout = 3\n", "'udp_timeout'"),
        ("[router]\nnat = 'open'\n", "nat"),
        ("[to_provider]\nloss = 'much'\n", "loss"),
    ],
)
def test_a_mistake_is_named(text, named):
    with pytest.raises(UserError, match="network mine cannot be read") as error:
        parsed("mine", text)
    assert named in error.value.why


def test_an_unknown_name_is_told_the_known_ones():
    with pytest.raises(UserError) as error:
        network("adsl")
    assert "busy-dsl" in error.value.remedy
