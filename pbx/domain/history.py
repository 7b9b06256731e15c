"""What is kept of calls once they are over: messages and call records."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """One voicemail message; `recording` names the audio."""

    id: str
    box: str
    folder: str
    """`new`, `saved` or `trash`."""
    recording: str
    seconds: float
    caller_number: str
    heard: str
    at: float
    """POSIX seconds."""
    caller_name: str = ""
    forwarded_by: str = ""
    """Extension of who sent it on, or whose copy it is; empty when a caller left it."""
    comment: str = ""
    """Names what that person said about it, empty for nothing."""
    transcription: str = ""


@dataclass(frozen=True, slots=True)
class Fax:
    """One fax of an account, on its way or over."""

    id: str
    account: str
    direction: str
    """`in` or `out`."""
    status: str
    """`queued`, `sending`, `sent`, `receiving`, `received` or `failed`."""
    number: str
    """The far end's, as called or shown; empty when it was withheld."""
    at: float
    """POSIX seconds; when it came, or was given to be sent."""
    document: str = ""
    """Names its pages, a TIFF; empty when there are none."""
    pages: int = 0
    """Of what is sent, or received so far."""
    done: int = 0
    """Pages sent and confirmed."""
    sender: str = ""
    """Mail address of who gave it to be sent, and is told what became of it."""
    station: str = ""
    """What the far end calls itself."""
    over: str = ""
    """`T.38` or `G.711`."""
    bit_rate: int = 0
    error_correction: bool = False
    seconds: float = 0.0
    """Of the newest call."""
    problem: str = ""
    """Why it failed, the newest time."""
    call: str = ""
    tries: int = 0
    due_at: float = 0.0
    """POSIX seconds: when one that is queued is tried (again)."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One row of call history; a call has one, however many legs it had."""

    call: str
    caller_number: str
    caller_name: str
    device: str
    dialled: str
    answered_by: str
    disposition: str
    """`ANSWERED`, `NO ANSWER`, `BUSY`, `CANCELLED`, `FAILED`, `VOICEMAIL`, `SERVER RESTART`; empty while open."""
    direction: str
    """`internal`, `inbound` or `outbound`."""
    started_at: float
    answered_at: float
    """0 when nobody answered."""
    ended_at: float
    """0 while the call is up; a row found open at start ends when the process was last seen."""
    talk_s: float
    cause: int
    path: str
