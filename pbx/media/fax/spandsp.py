"""libspandsp 0.0.6 by ctypes: what of its C interface a fax machine needs, and why it may not be there.

Nothing else knows the library. Its pointers are opaque; a callback must live as long as the state that calls it.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_int16, c_uint8, c_uint16, c_void_p
from functools import lru_cache

PACKAGE = "libspandsp2"
"""Of Debian."""
_FILE = "libspandsp.so.2"

SendPacket = CFUNCTYPE(c_int, c_void_p, c_void_p, POINTER(c_uint8), c_int, c_int)
"""(core, user, packet, octets, how often)."""
PhaseE = CFUNCTYPE(None, c_void_p, c_void_p, c_int)
"""(t30, user, completion code)."""
ToneHeard = CFUNCTYPE(None, c_void_p, c_int, c_int, c_int)
"""(user, tone, level, delay)."""

V27TER, V29, V17 = 1, 2, 4
T4_1D, T4_2D, T6 = 2, 4, 8
STANDARD, FINE, SUPERFINE, R8 = 1, 2, 4, 0x20000
WIDTH_A4, WIDTH_B4, WIDTH_A3, ANY_LENGTH, A4, B4, LETTER, LEGAL = 1, 2, 4, 0x10000, 0x20000, 0x40000, 0x80000, 0x100000
CNG, PREAMBLE = 1, 6
"""Tones of `modem_connect_tones`."""
LOCAL_TCF, TRANSFERRED_TCF = 1, 2


class Statistics(ctypes.Structure):
    """`t30_stats_t`."""

    _fields_ = [
        (name, c_int)
        for name in (
            "bit_rate", "error_correcting_mode", "pages_tx", "pages_rx", "pages_in_file", "x_resolution",
            "y_resolution", "width", "length", "image_size", "encoding", "bad_rows", "longest_bad_row_run",
            "error_correcting_mode_retries", "current_status",
        )
    ]  # fmt: skip


class Unavailable(Exception):
    """There is no fax engine; the text says why and what to install."""


_SIGNATURES: dict[str, tuple[type | None, tuple[type, ...]]] = {
    "t38_terminal_init": (c_void_p, (c_void_p, c_int, SendPacket, c_void_p)),
    "t38_terminal_send_timeout": (c_int, (c_void_p, c_int)),
    "t38_terminal_get_t30_state": (c_void_p, (c_void_p,)),
    "t38_terminal_get_t38_core_state": (c_void_p, (c_void_p,)),
    "t38_terminal_free": (c_int, (c_void_p,)),
    "t38_core_rx_ifp_packet": (c_int, (c_void_p, c_char_p, c_int, c_uint16)),
    "t38_set_t38_version": (None, (c_void_p, c_int)),
    "t38_set_max_datagram_size": (None, (c_void_p, c_int)),
    "fax_init": (c_void_p, (c_void_p, c_int)),
    "fax_rx": (c_int, (c_void_p, c_void_p, c_int)),
    "fax_rx_fillin": (c_int, (c_void_p, c_int)),
    "fax_tx": (c_int, (c_void_p, c_void_p, c_int)),
    "fax_set_transmit_on_idle": (None, (c_void_p, c_int)),
    "fax_get_t30_state": (c_void_p, (c_void_p,)),
    "fax_free": (c_int, (c_void_p,)),
    "modem_connect_tones_rx_init": (c_void_p, (c_void_p, c_int, ToneHeard, c_void_p)),
    "modem_connect_tones_rx": (c_int, (c_void_p, POINTER(c_int16), c_int)),
    "modem_connect_tones_rx_free": (c_int, (c_void_p,)),
    "t30_set_tx_ident": (c_int, (c_void_p, c_char_p)),
    "t30_get_rx_ident": (c_char_p, (c_void_p,)),
    "t30_set_tx_file": (None, (c_void_p, c_char_p, c_int, c_int)),
    "t30_set_rx_file": (None, (c_void_p, c_char_p, c_int)),
    "t30_set_ecm_capability": (c_int, (c_void_p, c_int)),
    "t30_set_supported_modems": (c_int, (c_void_p, c_int)),
    "t30_set_supported_compressions": (c_int, (c_void_p, c_int)),
    "t30_set_supported_resolutions": (c_int, (c_void_p, c_int)),
    "t30_set_supported_image_sizes": (c_int, (c_void_p, c_int)),
    "t30_set_phase_e_handler": (None, (c_void_p, PhaseE, c_void_p)),
    "t30_get_transfer_statistics": (None, (c_void_p, POINTER(Statistics))),
    "t30_completion_code_to_str": (c_char_p, (c_int,)),
    "t30_terminate": (None, (c_void_p,)),
}
"""Function → what it returns and takes. Pointers must be declared: by default ctypes cuts them to an int."""


@lru_cache(maxsize=1)
def library() -> ctypes.CDLL:
    """Return the library of this machine; Unavailable when it is not there."""
    return loaded(ctypes.util.find_library("spandsp") or _FILE)


def loaded(file: str) -> ctypes.CDLL:
    """Load a library; Unavailable when it is not there, or is another one."""
    try:
        found = ctypes.CDLL(file)
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(found, name)
            function.restype, function.argtypes = result, list(arguments)
    except (OSError, AttributeError) as error:
        raise Unavailable(f"fax engine unavailable: {error}; apt-get install {PACKAGE}") from None
    return found


def unavailable() -> str:
    """Return why there is no fax engine, empty when there is one."""
    try:
        library()
    except Unavailable as error:
        return str(error)
    return ""
