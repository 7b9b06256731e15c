"""What the house keeps beside messages: prompts and greetings, how a mailbox stands, mail on its way."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class KeptPrompt:
    """Sound somebody has given the house."""

    owner: str
    """Extension of the mailbox it belongs to; empty for a prompt of the domain."""
    name: str
    """Of a mailbox: `1`…`9` for its greetings, `name` for the recorded name. Of the domain: the prompt's name."""
    recording: str
    """Names the audio."""
    seconds: float
    origin: str
    """`call`, `upload` or `speech`."""
    text: str = ""
    """What it says, where it was made from text."""
    at: float = 0.0
    """POSIX seconds."""


@dataclass(frozen=True, slots=True)
class BoxState:
    """What is set of a mailbox by its owner at the telephone, or has happened to it."""

    box: str
    greeting: int = 0
    """Number of the greeting callers hear; 0 is the generic one."""
    pin: str = field(default="", repr=False)
    """Chosen at the telephone; empty while the configured one counts."""
    instead_of: str = field(default="", repr=False)
    """The configured PIN it took the place of: a new one configured since then counts again."""
    failures: int = 0
    """Wrong PINs in a row, over all calls."""
    locked_until: float = 0.0
    """POSIX seconds."""


@dataclass(frozen=True, slots=True)
class KeptCallback:
    """A caller who hung up and keeps its place in a queue: it was promised a call back."""

    queue: str
    number: str
    asked_at: float
    """POSIX seconds."""
    until: float
    """POSIX seconds: nobody calls back later."""


@dataclass(frozen=True, slots=True)
class CallRecording:
    """A conversation that was recorded."""

    recording: str
    """Names the audio: two channels."""
    call: str
    extension: str
    """Whose recording it is."""
    left: str
    """Who is heard in the left channel: a device, or a number outside."""
    right: str
    why: str
    """`always`, `code`, or `queue 500`."""
    begun_at: float
    """POSIX seconds."""
    seconds: float
    """0 while it goes on."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Mail to be sent, and what has become of it so far."""

    id: str
    box: str
    """`fax:<account>` when it is about a fax."""
    message: str
    """The voicemail message it is about, empty for any other reason."""
    to: tuple[str, ...]
    """Nobody when the message is only to be transcribed."""
    subject: str
    text: str
    recording: str = ""
    """Audio to attach, empty for none."""
    transcriber: str = ""
    """Engine that is to turn the message into text first, empty for none."""
    at: float = 0.0
    """POSIX seconds."""
    tries: int = 0
    problem: str = ""
    """Why it has not been sent, as the mail server or the network put it."""
    refused: bool = False
    """The mail server will never take it: kept for whoever looks."""
    document: str = ""
    """Pages of a fax to attach, empty for none."""
    attach: str = ""
    """How: `pdf`, `tiff` or `pdf and tiff`."""


@dataclass(frozen=True, slots=True)
class ServedFile:
    """What a box holds: one of its own files, as it was last served."""

    mac: str
    file: str
    """The family's name of it, as `{mac}.cfg`."""
    name: str
    """As it was asked for."""
    sha256: str
    at: float
    """POSIX seconds."""
    protocol: str
    address: str
    user_agent: str
