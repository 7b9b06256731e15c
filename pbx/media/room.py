"""A room: parties who hear each other. Each gets, every 20 ms, the sum of all but itself.

Who keeps silent adds nothing and costs next to nothing: the sum that listeners get is made and coded once for all of
them. Narrow and wide parties (G.711, G.722) meet in two sums: what is wide is halved for the narrow, what is narrow
doubled for the wide, each once a room and never a party's own voice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from pbx.media import g711
from pbx.media.codecs import encoder
from pbx.media.playout import FRAME
from pbx.media.resampling import Doubler, Halver
from pbx.media.voice import Voice

Sound = npt.NDArray[np.int32]

MOST_SPEAKERS = 8
"""Heard at once; more are a din, and every open microphone adds its noise. The loudest are heard."""
_FLOOR = 45.0
"""Mean magnitude of a sample below which nobody speaks: about -51 dBm0."""
_HANGOVER = 25
"""Frames somebody is still heard after the last loud one: the ends of words are soft."""
_DECAY = 0.9
"""Of loudness a frame: who has spoken stays louder than who coughs, for 200 ms."""
_LOYALTY = 1.5
"""How much louder than a speaker another has to be to take the place."""
_FADE = 20
"""Samples of 8 kHz over which somebody becomes heard: 2.5 ms, no click."""
_LIMIT = 30_000
"""Largest sample of a sum; what is louder is made softer as a whole instead of being cut off."""
_RECOVERY = 0.02
"""Of gain a frame: a second from silence to full."""


class Member:
    """A party in a room; made and owned by the room."""

    __slots__ = ("encode", "factor", "is_wide", "loud", "quiet", "said", "speaks", "voice")

    def __init__(self, codec: str) -> None:
        self.tune(codec)
        self.said: Sound | None = None
        """Its share of the sum of this round."""
        self.speaks = False
        self.loud = 0.0
        self.quiet = 0

    def tune(self, codec: str) -> None:
        """It speaks another codec from now on."""
        self.is_wide = codec == "G722"
        self.factor = 2 if self.is_wide else 1
        rate_hz = 8000 * self.factor
        self.voice = Voice(codec, rate_hz)
        self.encode = encoder(codec, rate_hz)

    def listen(self, now: float) -> None:
        """Take the next 20 ms of what it says."""
        samples = self.voice.frame(now)
        if samples is None:
            self.said, self.loud = None, 0.0
            return
        said = samples.astype(np.int32)
        level = float(np.abs(said).mean())
        self.loud = max(level, self.loud * _DECAY)
        self.quiet = 0 if level >= _FLOOR else self.quiet + 1
        self.said = said if self.quiet <= _HANGOVER and self.loud >= 1 else None

    def begin(self) -> None:
        if self.said is not None and not self.speaks:
            fade = _FADE * self.factor
            self.said[:fade] = self.said[:fade] * np.arange(1, fade + 1) // (fade + 1)
        self.speaks = self.said is not None

    def cease(self) -> None:
        """Others are louder: it fades within this frame."""
        if self.said is not None:
            self.said = self.said * np.arange(len(self.said), 0, -1) // (len(self.said) + 1) if self.speaks else None
        self.speaks = False


class Room:
    """`round` every 20 ms, then `heard_by` for every member. Times are monotonic seconds."""

    def __init__(self, key: int) -> None:
        """`key` is what its owner calls it."""
        self.key = key
        self.members: list[Member] = []
        self._announcements: deque[Iterator[bytes]] = deque()
        self._narrow: Sound | None = None
        """The sums of this round, None for silence."""
        self._wide: Sound | None = None
        self._gain = 1.0
        self._coded: dict[str, bytes] = {}
        self._doubler, self._halver = Doubler(), Halver()

    def join(self, codec: str) -> Member:
        member = Member(codec)
        self.members.append(member)
        return member

    def leave(self, member: Member) -> None:
        self.members.remove(member)

    def announce(self, frames: Iterator[bytes]) -> None:
        """Let everybody hear mu-law frames, after what is being announced."""
        self._announcements.append(frames)

    def round(self, now: float) -> None:
        """20 ms have passed."""
        self._coded.clear()
        for member in self.members:
            member.listen(now)
        self._choose()
        narrow, wide = self._announced(), None
        for member in self.members:
            if member.said is None:
                continue
            if member.is_wide:
                wide = member.said if wide is None else wide + member.said
            else:
                narrow = member.said if narrow is None else narrow + member.said
        if any(member.is_wide for member in self.members):
            self._narrow = _sum(narrow, self._halver.halved(wide))
            self._wide = _sum(wide, self._doubler.doubled(narrow))
        else:
            self._narrow, self._wide = narrow, None
        self._level()

    def heard_by(self, member: Member) -> bytes:
        """Return a payload of what a member hears in this round: everybody but itself."""
        heard, own = self._wide if member.is_wide else self._narrow, member.said
        if member.is_wide:
            # A coder of its own, silence included: what its decoder hears goes on from what it heard before.
            return member.encode(self._levelled(heard, own, 2 * FRAME))
        if own is not None:
            return member.encode(self._levelled(heard, own, FRAME))
        codec = member.voice.codec
        coded = self._coded.get(codec)
        if coded is None:
            silent = heard is None
            coded = g711.SILENCE[codec] * FRAME if silent else member.encode(self._levelled(heard, None, FRAME))
            self._coded[codec] = coded
        return coded

    def _choose(self) -> None:
        """Settle who of those who say something is heard."""
        talking = [member for member in self.members if member.said is not None]
        if len(talking) > MOST_SPEAKERS:
            talking.sort(key=lambda it: it.loud * (_LOYALTY if it.speaks else 1.0), reverse=True)
        for member in talking[MOST_SPEAKERS:]:
            member.cease()
        for member in talking[:MOST_SPEAKERS]:
            member.begin()
        for member in self.members:
            if member.said is None:
                member.speaks = False

    def _announced(self) -> Sound | None:
        while self._announcements:
            frame = next(self._announcements[0], None)
            if frame is not None:
                return g711.decode(frame, "PCMU").astype(np.int32)
            self._announcements.popleft()
        return None

    def _level(self) -> None:
        """Turn the gain down at once when the sum is too loud, and up again slowly."""
        peak = max((int(np.abs(total).max()) for total in (self._narrow, self._wide) if total is not None), default=0)
        bearable = _LIMIT / peak if peak > _LIMIT else 1.0
        self._gain = min(bearable, self._gain + _RECOVERY)

    def _levelled(self, total: Sound | None, own: Sound | None, count: int) -> g711.Samples:
        if total is None:
            return np.zeros(count, np.int16)
        heard = total if own is None else total - own
        if self._gain < 1.0:
            heard = np.rint(heard * self._gain).astype(np.int32)
        return np.clip(heard, -32768, 32767).astype(np.int16)


def _sum(one: Sound | None, other: Sound | None) -> Sound | None:
    if one is None or other is None:
        return other if one is None else one
    return one + other
