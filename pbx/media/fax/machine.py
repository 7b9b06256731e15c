"""A fax machine: libspandsp's T.30 endpoint over T.38 packets or over sound, and the ear for what says that it is fax.

Time is what it is fed: 160 samples are 20 ms, however long they took. Its owner calls `close`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from pbx.media import g711
from pbx.media.engine import FaxSignal, FaxTask
from pbx.media.fax import spandsp

FRAME = 160
_T38_VERSION = 0
_SIZES = (
    spandsp.WIDTH_A4 | spandsp.WIDTH_B4 | spandsp.WIDTH_A3 | spandsp.ANY_LENGTH
    | spandsp.A4 | spandsp.B4 | spandsp.LETTER | spandsp.LEGAL
)  # fmt: skip
_RESOLUTIONS = spandsp.STANDARD | spandsp.FINE | spandsp.SUPERFINE | spandsp.R8
_NO_MORE = -1
"""No last page."""


@dataclass(frozen=True, slots=True)
class Outcome:
    pages: int
    """Sent and confirmed, or received."""
    problem: str
    """Empty when all went well, else spandsp's words."""
    station: str
    """What the far end calls itself."""
    bit_rate: int
    error_correction: bool


class Machine(Protocol):
    over: str
    """`T.38` or `G.711`."""

    @property
    def outcome(self) -> Outcome | None:
        """None while it is at work."""
        ...

    def give_up(self) -> Outcome:
        """End it where it stands: the call is over."""
        ...

    def close(self) -> None: ...


class _Endpoint:
    """What both kinds share: T.30."""

    def __init__(self, t30: int, task: FaxTask, document: Path) -> None:
        self._library = spandsp.library()
        self._t30, self._task = t30, task
        self._code: int | None = None
        self._ended = spandsp.PhaseE(self._phase_e)
        lib = self._library
        lib.t30_set_phase_e_handler(t30, self._ended, None)
        lib.t30_set_tx_ident(t30, task.station[:20].encode("ascii", "replace"))
        lib.t30_set_ecm_capability(t30, task.error_correction)
        lib.t30_set_supported_modems(t30, spandsp.V27TER | spandsp.V29 | spandsp.V17)
        lib.t30_set_supported_compressions(t30, spandsp.T4_1D | spandsp.T4_2D | spandsp.T6)
        lib.t30_set_supported_resolutions(t30, _RESOLUTIONS)
        lib.t30_set_supported_image_sizes(t30, _SIZES)
        path = str(document).encode()
        if task.sends:
            lib.t30_set_tx_file(t30, path, _NO_MORE, _NO_MORE)
        else:
            lib.t30_set_rx_file(t30, path, _NO_MORE)

    def _phase_e(self, t30: int, user: int, code: int) -> None:
        if self._code is None:
            self._code = code

    @property
    def outcome(self) -> Outcome | None:
        return None if self._code is None else self._outcome("" if self._code == 0 else self._words(self._code))

    def give_up(self) -> Outcome:
        done = self.outcome
        if done is not None:
            return done
        self._library.t30_terminate(self._t30)
        return self.outcome or self._outcome("the call ended before the fax did")

    def _outcome(self, problem: str) -> Outcome:
        figures = spandsp.Statistics()
        self._library.t30_get_transfer_statistics(self._t30, ctypes.byref(figures))
        pages = figures.pages_tx if self._task.sends else figures.pages_rx
        station = self._library.t30_get_rx_ident(self._t30) or b""
        return Outcome(
            pages,
            problem,
            station.decode("ascii", "replace").strip(),
            figures.bit_rate,
            bool(figures.error_correcting_mode),
        )

    def _words(self, code: int) -> str:
        return str((self._library.t30_completion_code_to_str(code) or b"unknown").decode("ascii", "replace"))


class PacketMachine(_Endpoint):
    """Over T.38: IFP packets in and out."""

    over = "T.38"

    def __init__(self, task: FaxTask, document: Path, send: Callable[[bytes, int], None], largest: int) -> None:
        """`send(packet, times)`: the same packet may have to leave several times. `largest` octets a datagram."""
        self._send = send
        self._sending = spandsp.SendPacket(self._packet)
        lib = spandsp.library()
        self._terminal = lib.t38_terminal_init(None, task.calls, self._sending, None)
        self._core = lib.t38_terminal_get_t38_core_state(self._terminal)
        lib.t38_set_t38_version(self._core, _T38_VERSION)
        lib.t38_set_max_datagram_size(self._core, largest)
        super().__init__(lib.t38_terminal_get_t30_state(self._terminal), task, document)

    def _packet(self, core: int, user: int, packet: ctypes._Pointer[ctypes.c_uint8], octets: int, times: int) -> int:
        self._send(ctypes.string_at(packet, octets), times)
        return 0

    def take(self, number: int, packet: bytes) -> None:
        self._library.t38_core_rx_ifp_packet(self._core, packet, len(packet), number)

    def go_on(self, samples: int = FRAME) -> None:
        """Let time pass."""
        self._library.t38_terminal_send_timeout(self._terminal, samples)

    def close(self) -> None:
        if self._terminal:
            self._library.t38_terminal_free(self._terminal)
            self._terminal = None


class SoundMachine(_Endpoint):
    """Over G.711: frames in and out, mu-law."""

    over = "G.711"

    def __init__(self, task: FaxTask, document: Path) -> None:
        lib = spandsp.library()
        self._fax = lib.fax_init(None, task.calls)
        lib.fax_set_transmit_on_idle(self._fax, 1)  # silence is sent too: the far end's clock is our packets
        super().__init__(lib.fax_get_t30_state(self._fax), task, document)

    def hear(self, payload: bytes, codec: str) -> None:
        samples = g711.decode(payload, codec)
        self._library.fax_rx(self._fax, samples.ctypes.data, len(samples))

    def miss(self, samples: int) -> None:
        """So much never arrived."""
        self._library.fax_rx_fillin(self._fax, samples)

    def frames(self) -> Iterator[bytes]:
        """Yield 20 ms at a time of what it says, for ever."""
        samples = np.zeros(FRAME, np.int16)
        while self._fax:
            count = self._library.fax_tx(self._fax, samples.ctypes.data, FRAME)
            samples[max(count, 0) :] = 0
            yield g711.encode(samples, "PCMU")

    def close(self) -> None:
        if self._fax:
            self._library.fax_free(self._fax)
            self._fax = None


class FaxEar:
    """Hears that the far end is a fax machine: CNG of one that calls, the V.21 preamble of one that answers."""

    def __init__(self, *, calls: bool) -> None:
        """`calls`: we are the calling end."""
        self._library = spandsp.library()
        self._tone = spandsp.PREAMBLE if calls else spandsp.CNG
        self.heard: FaxSignal | None = None
        self._hearing = spandsp.ToneHeard(self._tone_heard)
        self._state = self._library.modem_connect_tones_rx_init(None, self._tone, self._hearing, None)

    def _tone_heard(self, user: int, tone: int, level: int, delay: int) -> None:
        if tone == self._tone:
            self.heard = "cng" if tone == spandsp.CNG else "preamble"

    def feed(self, payload: bytes, codec: str) -> None:
        samples = g711.decode(payload, codec)
        pointer = samples.ctypes.data_as(ctypes.POINTER(ctypes.c_int16))
        self._library.modem_connect_tones_rx(self._state, pointer, len(samples))

    def close(self) -> None:
        if self._state:
            self._library.modem_connect_tones_rx_free(self._state)
            self._state = None
