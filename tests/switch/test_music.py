"""What is heard on hold: own sounds in their order, else a melody (domain-features 1.8)."""

from __future__ import annotations

from typing import Any

import pytest

from pbx.domain.directory import Directory
from pbx.domain.kept import KeptPrompt
from pbx.domain.sounds import Music, Prompts, Sound
from pbx.events import PromptMissing
from pbx.media.virtual import Kept
from pbx.switch.music import music_for
from tests.switch.test_switch_calls import up
from tests.switch.town import Town, assert_at_rest, directory


def kept(*names: str) -> dict[str, KeptPrompt]:
    return {name: KeptPrompt("", name, f"r-{name}", 8.0, "upload") for name in names}


def heard(of: Directory, extension: str, *names: str, first: int = 0) -> list[str]:
    """Names of the pieces in their order; of a melody its own."""
    return pieces(music_for(of, extension, kept(*names), lambda below: first % below))


def pieces(sound: Sound) -> list[str]:
    if isinstance(sound, Music):
        return [f"melody {sound.name}"]
    assert isinstance(sound, Prompts)
    assert sound.repeat
    return [str(getattr(name, "name", name)).removeprefix("r-") for name in sound.names]


@pytest.mark.parametrize(
    ("extension", "names", "order"),
    [
        ("101", (), ["melody jazz"]),
        ("101", ("jazz", "moh-1"), ["jazz"]),
        ("101", ("moh-1",), ["melody jazz"]),
        ("103", (), ["melody house"]),
        ("103", ("moh-10", "moh-2"), ["moh-2", "moh-10"]),
        ("103", ("house", "moh-1"), ["house"]),
        ("101", ("moh-101-2", "moh-101-1", "moh-1", "jazz"), ["moh-101-1", "moh-101-2"]),
        ("500", ("moh-500-1", "moh-101-1"), ["moh-500-1"]),
        ("103", ("moh-1", "moh-2", "msg-1"), ["moh-1", "msg-1", "moh-2", "msg-1"]),
        ("103", ("moh-1", "msg-1", "msg-103-1"), ["moh-1", "msg-103-1"]),
    ],
)
def test_own_sounds_go_before_the_site_s_and_the_domain_s_and_a_melody_stands_in(extension, names, order):
    assert heard(directory(), extension, *names) == order


def shuffled(**said: Any) -> Directory:
    """`domain`, `site`, `user` → whether each shuffles."""
    of = directory()
    user = of.users_by_extension["101"].model_copy(update={"shuffled_music": said.get("user")})
    site = of.sites_by_name["Toronto"].model_copy(update={"shuffled_music": said.get("site")})
    return of.replaced(
        domain=of.domain.model_copy(update={"shuffled_music": said.get("domain", False)}),
        users=tuple(user if one.extension == "101" else one for one in of.users),
        sites=tuple(site if one.name == "Toronto" else one for one in of.sites),
    )


@pytest.mark.parametrize(
    ("said", "begins"),
    [
        ({}, "moh-101-1"),
        ({"domain": True}, "moh-101-2"),
        ({"domain": True, "site": False}, "moh-101-1"),
        ({"site": True}, "moh-101-2"),
        ({"site": True, "user": False}, "moh-101-1"),
        ({"user": True}, "moh-101-2"),
    ],
)
def test_where_it_is_shuffled_music_begins_at_any_piece(said, begins):
    assert heard(shuffled(**said), "101", "moh-101-1", "moh-101-2", "moh-101-3", first=1)[0] == begins


def test_who_is_held_hears_the_holder_s_own_sound_until_the_call_goes_on():
    town = Town(directory())
    town.engine._recordings["tune"] = Kept(3.0, "signature:tune")
    town.switch.keep_prompt(KeptPrompt("", "moh-101-1", "tune", 3.0, "upload"), town.now)
    ana, ben = up(town)
    ana.reoffer("sendonly")
    town.run(10.0)
    assert ben.heard[-1] == "signature:tune"
    ana.reoffer("sendrecv")
    town.run(1.0)
    assert ben.heard[-1] == "signature:101"
    ana.hang_up()
    assert_at_rest(town)


def test_a_sound_that_is_gone_leaves_no_silence():
    town = Town(directory())
    town.switch.keep_prompt(KeptPrompt("", "moh-101-1", "gone", 3.0, "upload"), town.now)
    ana, ben = up(town)
    ana.reoffer("sendonly")
    town.run(1.0)
    assert ben.heard[-1] == "moh:instead"
    assert town.last(PromptMissing).recording == "gone"
    ana.hang_up()
