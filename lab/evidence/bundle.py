"""The evidence of one case, gathered when it is over and written wherever its report will lie."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from html import escape
from pathlib import Path
from zlib import crc32

from lab.call_export import Local
from lab.errors import UserError
from lab.evidence import sound
from lab.evidence.captured import capture
from lab.mail.outbox import Caught
from pbx.events import ConfigServed, Stamped
from pbx.media.tap import Tapped, path_of, read
from test_plans.report import ladder
from test_plans.verdicts import Exhibit

FOLDER = "evidence"
_UNFIT = re.compile(r"[^A-Za-z0-9._@-]")
_PATIENCE_S, _LOOK_S = 3.0, 0.05
"""How long the packets of a closed leg may take to be on the disk."""


@dataclass(frozen=True, slots=True)
class Served:
    """A file as the house gave it to a box."""

    name: str
    text: str
    note: str


@dataclass(slots=True)
class Bundle:
    """Values alone: whoever writes it may be another thread. What cannot be kept is told, piece by piece."""

    case: str
    events: Sequence[Stamped]
    local: Local
    taps: Path | None
    """Where the packets of legs are; None where there are none (virtual time)."""
    legs: Mapping[str, str]
    """Leg → device."""
    wall_s: float
    """Added to monotonic seconds, it is POSIX time."""
    served: Mapping[tuple[str, str], Served]
    """(MAC, path) → file."""
    letters: Sequence[Caught]
    screens: Sequence[tuple[str, str]]
    """(title, SVG)."""
    tls_secrets: bytes = b""
    _exhibits: list[Exhibit] = field(default_factory=list)
    _problems: list[str] = field(default_factory=list)

    def write(self, folder: Path) -> tuple[list[Exhibit], list[str]]:
        """Write everything into `folder`/evidence/<case>; return what there is, and what could not be kept and why."""
        into = folder / FOLDER / folder_of(self.case)
        try:
            shutil.rmtree(into, ignore_errors=True)  # that of an earlier run
            into.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return [], [f"all evidence of this case: {error.strerror or error}"]
        packets = self._packets()
        rows = ladder.rows(self.events)
        title = f"SIP ladder of {escape(self.case)}"
        self._put(into, "capture.pcapng", "capture", "Capture", lambda: self._capture(packets))
        if rows:
            self._put(into, "ladder.svg", "ladder", "Ladder, SVG", lambda: ladder.svg_file(rows, title).encode())
            self._put(into, "ladder.txt", "ladder", "Ladder, text", lambda: (ladder.text(rows) + "\n").encode())
            self._put(into, "ladder.mmd", "ladder", "Ladder, Mermaid", lambda: (ladder.mermaid(rows) + "\n").encode())
        self._sounds(into, packets)
        for at, (title, svg) in enumerate(self.screens, start=1):
            self._put(into, f"screen-{at}.svg", "screen", title, svg.encode)
        for one in self.served.values():
            name = f"config-{safe(one.name)}"
            self._put(into, name, "config", f"{one.name}, {one.note}", one.text.encode)
        for letter in self.letters:
            title = f"Mail to {', '.join(letter.to)}: {letter.subject}"
            self._put(into, f"mail-{letter.number}.eml", "mail", title, letter.letter.as_bytes)
        return self._exhibits, self._problems

    def _packets(self) -> dict[str, list[Tapped]]:
        """Those of the legs; a leg that never had any has no file."""
        if self.taps is None:
            return {}
        end, found = time.monotonic() + _PATIENCE_S, {}
        for leg in self.legs:
            path = path_of(self.taps, leg)
            while not path.exists() and path.with_suffix(".part").exists() and time.monotonic() < end:
                time.sleep(_LOOK_S)  # a thread of its own waits for the disk, no loop
            if path.exists():
                found[leg] = list(read(path))
        return found

    def _capture(self, packets: Mapping[str, Iterable[Tapped]]) -> bytes:
        return capture(self.events, packets, self.legs, self.local, self._text, self.wall_s, self.tls_secrets)

    def _text(self, event: ConfigServed) -> str:
        one = self.served.get((event.mac, event.path))
        return one.text if one is not None else ""

    def _sounds(self, into: Path, packets: Mapping[str, Sequence[Tapped]]) -> None:
        series: list[tuple[str, sound.Second]] = []
        for leg, tapped in packets.items():
            both, device = sound.ways(tapped), self.legs[leg] or leg
            for way in both or ():
                octets = way.octets()
                series += [(leg, one) for one in way.series]
                if not octets:
                    continue
                title = f"{device} says" if way.name == "came" else f"{device} is sent"
                self._put(
                    into, f"{safe(leg)}-{way.name}.wav", "sound", title, partial(sound.as_wav, octets),
                    seconds=len(octets) / sound.RATE, peaks=sound.peaks(octets),
                )  # fmt: skip
        if series:
            text = "\n".join(sound.as_csv(series)) + "\n"
            self._put(into, "figures.csv", "series", "Figures by second", text.encode)

    def _put(
        self,
        into: Path,
        name: str,
        kind: str,
        title: str,
        make: Callable[[], bytes],
        *,
        seconds: float = 0.0,
        peaks: tuple[int, ...] = (),
    ) -> None:
        path = into / name
        try:
            octets = make()
            path.write_bytes(octets)
        except (OSError, ValueError, UserError) as error:
            path.unlink(missing_ok=True)  # half a file is no evidence
            self._problems.append(f"{title}: {error.strerror if isinstance(error, OSError) else error}")
            return
        where = f"{FOLDER}/{into.name}/{name}"
        self._exhibits.append(Exhibit(where, kind, title, len(octets), round(seconds, 2), peaks))


def folder_of(case: str) -> str:
    """Return the name of a case's folder; two cases never share one."""
    plain = safe(case)
    return plain if plain == case else f"{plain}-{crc32(case.encode()):08x}"


def safe(name: str) -> str:
    """Return a name that is one on every disk, and never hidden."""
    return _UNFIT.sub("_", name)[:100].lstrip(".") or "_"
