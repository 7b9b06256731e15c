"""What a party hears while somebody lets it wait: own sounds in their order, else a melody (domain-features 1.8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain, cycle, islice

from pbx.callflow.routing import music_of
from pbx.domain.directory import Directory
from pbx.domain.kept import KeptPrompt
from pbx.domain.sounds import Music, Prompts, Recording, Sound
from pbx.numerals import natural

MUSIC, MESSAGE = "moh", "msg"
"""Sounds of the domain are named `moh-1`, `msg-1`, …; those of a user or queue `moh-101-1`."""


def music_for(
    directory: Directory, extension: str, kept: Mapping[str, KeptPrompt], chance: Callable[[int], int]
) -> Sound:
    """Return what those hear whom `extension` holds or lets wait; `kept` are the sounds of the domain by name.

    Its own sounds; else the one that queue or site name; else those of the domain. Of several each follows the other,
    from one of `chance` on (a number below its argument) where that is wanted, with the hold messages in between. Where
    nobody has given a sound there is a melody, the same for the same name.
    """
    named = music_of(directory, extension)
    pieces = _listed(kept, f"{MUSIC}-{extension}-") if extension else []
    if not pieces and named in kept:
        pieces = [kept[named]]
    if not pieces and named == directory.domain.music:
        pieces = _listed(kept, f"{MUSIC}-")
    if not pieces:
        return Music(named)
    if directory.shuffles_music(extension):
        first = chance(len(pieces))
        pieces = [*pieces[first:], *pieces[:first]]
    messages = (_listed(kept, f"{MESSAGE}-{extension}-") if extension else []) or _listed(kept, f"{MESSAGE}-")
    if messages:
        rounds = max(len(pieces), len(messages))
        pairs = zip(islice(cycle(pieces), rounds), islice(cycle(messages), rounds), strict=True)
        pieces = list(chain.from_iterable(pairs))
    return Prompts(tuple(Recording(piece.recording) for piece in pieces), repeat=True)


def _listed(kept: Mapping[str, KeptPrompt], stem: str) -> list[KeptPrompt]:
    """Return the sounds `<stem>N` by their number."""
    numbered = ((natural(name.removeprefix(stem)), it) for name, it in kept.items() if name.startswith(stem))
    return [it for _, it in sorted(((at, it) for at, it in numbered if at is not None), key=lambda pair: pair[0])]
