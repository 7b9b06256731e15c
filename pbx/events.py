"""Facts: everything that observes the switchroom observes these, in one order.

An event is a frozen class; `kind` is the dotted name that plans, the API and the console use.
Field names are shared on purpose (`call`, `leg`, `extension`, `device`, `mac`), so that one matcher
(`fields`) serves expectations, filters and the console. Secrets never enter an event.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from typing import Any, ClassVar

from pbx.clock import Moment


@dataclass(frozen=True, slots=True)
class Event:
    kind: ClassVar[str] = "event"


@dataclass(frozen=True, slots=True)
class Stamped:
    """An event with its place in the stream: `seq` counts from 1 without gaps."""

    seq: int
    at: Moment
    event: Event


def fields(event: Event) -> dict[str, Any]:
    """Return the event's fields by name; values are str, int, float, bool, None or tuples of them."""
    kind = type(event)
    names = _NAMES.get(kind)
    if names is None:
        names = _NAMES[kind] = tuple(f.name for f in dataclass_fields(event))
    return {name: getattr(event, name) for name in names}


_NAMES: dict[type[Event], tuple[str, ...]] = {}
"""Field names by class: asking `dataclasses` each time costs more than the event."""


def event_kinds() -> dict[str, type[Event]]:
    """Return every event class by its dotted name."""
    found: dict[str, type[Event]] = {}
    queue: list[type[Event]] = list(Event.__subclasses__())
    while queue:
        cls = queue.pop()
        found[cls.kind] = cls
        queue.extend(cls.__subclasses__())
    return dict(sorted(found.items()))


# --- registration -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeviceRegistered(Event):
    kind: ClassVar[str] = "registration.added"
    device: str
    """Authentication user, which is the device id, e.g. `101` or `101a`."""
    extension: str
    contact: str
    address: str
    """`transport:host:port` the REGISTER came from."""
    expires_s: int
    user_agent: str


@dataclass(frozen=True, slots=True)
class DeviceRefreshed(DeviceRegistered):
    kind: ClassVar[str] = "registration.refreshed"


@dataclass(frozen=True, slots=True)
class DeviceUnregistered(Event):
    kind: ClassVar[str] = "registration.removed"
    device: str
    extension: str
    contact: str


@dataclass(frozen=True, slots=True)
class RegistrationExpired(Event):
    kind: ClassVar[str] = "registration.expired"
    device: str
    extension: str
    contact: str


@dataclass(frozen=True, slots=True)
class RegistrationRefused(Event):
    kind: ClassVar[str] = "registration.refused"
    device: str
    address: str
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class GuessingSlowed(Event):
    """Too many wrong answers: from now on a few attempts a second are looked at, the rest are told to come later."""

    kind: ClassVar[str] = "registration.slowed"
    by: str
    """`address`, `user`, or `user at address` for a user who has a phone there."""
    name: str
    address: str


# --- provisioning -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConfigRequested(Event):
    kind: ClassVar[str] = "provisioning.requested"
    protocol: str
    """`http`, `https` or `tftp`."""
    path: str
    """The requested name, token removed."""
    address: str
    user_agent: str
    mac: str
    """Twelve lower-case hex digits, or empty when the request does not tell."""


@dataclass(frozen=True, slots=True)
class ConfigServed(Event):
    kind: ClassVar[str] = "provisioning.served"
    protocol: str
    path: str
    address: str
    mac: str
    device: str
    family: str
    file: str
    """The manifest's name of the file, e.g. `{mac}.cfg`."""
    file_kind: str
    """`boot`, `common`, `device`, `directory`, `firmware`, …"""
    sha256: str
    size: int
    sensitive: bool
    reason: str
    """How it came to this: which file of which family, what opened it, and what does not fit together."""


@dataclass(frozen=True, slots=True)
class ConfigRefused(Event):
    kind: ClassVar[str] = "provisioning.refused"
    protocol: str
    path: str
    address: str
    mac: str
    device: str
    reason: str
    """Why, for the operator: the peer is told nothing of it."""
    status: int


# --- calls --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallInvited(Event):
    kind: ClassVar[str] = "call.invited"
    call: str
    """`c-0001`…: one id for all legs of a call."""
    leg: str
    caller_number: str
    caller_name: str
    device: str
    """The calling device, or empty for a caller from outside."""
    dialled: str
    sip_call_id: str


@dataclass(frozen=True, slots=True)
class CallRouted(Event):
    """Routing decided. `record` is the decision record as canonical JSON (`pbx.callflow.decisions`)."""

    kind: ClassVar[str] = "call.routed"
    call: str
    dialled: str
    destination: str
    """The destination in words of `destinations`, e.g. `user:102`."""
    record: str
    first: bool
    """True for the route of what was dialled, False for later stops (a key, no answer, a transfer)."""


@dataclass(frozen=True, slots=True)
class LegInvited(Event):
    """The switch sent an INVITE towards a device or the carrier."""

    kind: ClassVar[str] = "call.offered"
    call: str
    leg: str
    device: str
    extension: str
    number: str
    """The number dialled on a trunk leg, else empty."""
    caller_number: str
    caller_name: str
    sip_call_id: str


@dataclass(frozen=True, slots=True)
class CallRinging(Event):
    kind: ClassVar[str] = "call.ringing"
    call: str
    leg: str
    device: str
    extension: str
    caller_number: str
    caller_name: str


@dataclass(frozen=True, slots=True)
class CallEarly(Event):
    kind: ClassVar[str] = "call.early"
    call: str
    leg: str
    device: str


@dataclass(frozen=True, slots=True)
class CallUp(Event):
    """A leg was answered (200 sent to the caller, or received from the called)."""

    kind: ClassVar[str] = "call.up"
    call: str
    leg: str
    device: str
    extension: str
    caller_number: str
    role: str
    """`caller` or `called`."""


@dataclass(frozen=True, slots=True)
class LegFailed(Event):
    kind: ClassVar[str] = "call.refused"
    call: str
    leg: str
    device: str
    extension: str
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class CallHeld(Event):
    kind: ClassVar[str] = "call.held"
    call: str
    leg: str
    device: str


@dataclass(frozen=True, slots=True)
class ConfirmationAsked(Event):
    """A called party has answered but does not have the call before it presses 1."""

    kind: ClassVar[str] = "call.confirming"
    call: str
    leg: str


@dataclass(frozen=True, slots=True)
class AnswerConfirmed(Event):
    kind: ClassVar[str] = "call.confirmed"
    call: str
    leg: str


@dataclass(frozen=True, slots=True)
class CallResumed(Event):
    kind: ClassVar[str] = "call.resumed"
    call: str
    leg: str
    device: str


@dataclass(frozen=True, slots=True)
class CallTransferred(Event):
    kind: ClassVar[str] = "call.transferred"
    call: str
    leg: str
    device: str
    """The device that transferred and now leaves."""
    target: str
    transfer: str
    """`blind` or `attended`."""


@dataclass(frozen=True, slots=True)
class LegEnded(Event):
    kind: ClassVar[str] = "call.leg_ended"
    call: str
    leg: str
    device: str
    extension: str
    cause: int
    """Q.850 cause: 16 normal, 17 busy, 19 no answer, …"""
    by: str
    """`peer` (BYE/CANCEL received), `switch` or `error`."""


@dataclass(frozen=True, slots=True)
class CallEnded(Event):
    """The last leg of the call is gone."""

    kind: ClassVar[str] = "call.ended"
    call: str
    device: str
    """The calling device, or empty."""
    extension: str
    """The answering extension, or empty."""
    caller_number: str
    dialled: str
    cause: int
    talk_s: float


@dataclass(frozen=True, slots=True)
class EmergencyCalled(Event):
    """911 or 933 was dialled: reaches the simulated desk and nobody else."""

    kind: ClassVar[str] = "emergency.called"
    call: str
    code: str
    device: str
    extension: str
    callback_number: str
    location: str
    """The dispatchable location in one line, or `ECRC` when none is on file."""


# --- wire and media -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SipRequest(Event):
    kind: ClassVar[str] = "sip.request"
    direction: str
    """`in` or `out`, seen from the switch."""
    method: str
    address: str
    sip_call_id: str
    device: str
    text: str
    """The message with credentials masked."""


@dataclass(frozen=True, slots=True)
class SipResponse(Event):
    kind: ClassVar[str] = "sip.response"
    direction: str
    method: str
    status: int
    address: str
    sip_call_id: str
    device: str
    text: str


@dataclass(frozen=True, slots=True)
class InputIgnored(Event):
    """Someone else's bytes were wrong; what was done with them."""

    kind: ClassVar[str] = "server.ignored"
    protocol: str
    address: str
    reason: str
    status: int
    """The status answered, or 0 for silence."""


@dataclass(frozen=True, slots=True)
class PromptPlayed(Event):
    """The switch began to play something to a leg."""

    kind: ClassVar[str] = "rtp.playing"
    call: str
    leg: str
    device: str
    source: str
    """`prompt:<names joined by +>`, `moh:<class>` or `tone:<name>`."""


@dataclass(frozen=True, slots=True)
class MediaStarted(Event):
    kind: ClassVar[str] = "rtp.started"
    call: str
    leg: str
    device: str
    codec: str
    address: str


@dataclass(frozen=True, slots=True)
class MediaHeard(Event):
    """What the relay recognised in received payloads of a leg, i.e. what that party *says*."""

    kind: ClassVar[str] = "rtp.heard"
    call: str
    leg: str
    device: str
    sound: str
    """`signature:<party>`, `tone:<name>`, `silence` or `unknown`."""


@dataclass(frozen=True, slots=True)
class MediaFlow(Event):
    """What arrives from a leg's far end is of another kind now."""

    kind: ClassVar[str] = "rtp.flow"
    call: str
    leg: str
    device: str
    flow: str
    """`flowing`, `silence`, `nothing`, `wrong-source` or `wrong-codec`."""
    detail: str


@dataclass(frozen=True, slots=True)
class MediaTwoWay(Event):
    """Packets arrive from both parties of a conversation."""

    kind: ClassVar[str] = "rtp.two_way"
    call: str
    device: str
    other: str


@dataclass(frozen=True, slots=True)
class MediaOneWay(Event):
    """One party of a conversation is not heard, and why; the other one is."""

    kind: ClassVar[str] = "rtp.one_way"
    call: str
    device: str
    """Who is not heard."""
    heard: str
    flow: str
    detail: str


@dataclass(frozen=True, slots=True)
class MediaQuality(Event):
    """How a leg's far end receives us, by its own word (RTCP)."""

    kind: ClassVar[str] = "rtp.quality"
    call: str
    leg: str
    device: str
    lost: float
    """Ratio since its report before."""
    jitter_ms: float
    round_trip_ms: float | None
    mos: float


@dataclass(frozen=True, slots=True)
class QualityReported(Event):
    """What a phone itself says of a call it had (RFC 6035); figures it does not give are None."""

    kind: ClassVar[str] = "rtp.reported"
    call: str
    """Empty when it names no dialog this device had with us of late."""
    leg: str
    device: str
    report: str
    """`session`, `interval` or `alert`."""
    sip_call_id: str
    codec: str
    lost_percent: float | None
    discarded_percent: float | None
    jitter_ms: float | None
    buffer_ms: float | None
    round_trip_ms: float | None
    mos_listening: float | None
    mos_conversational: float | None


@dataclass(frozen=True, slots=True)
class DigitReceived(Event):
    kind: ClassVar[str] = "rtp.dtmf"
    call: str
    leg: str
    device: str
    digit: str
    method: str
    """`rfc4733`, `inband` or `info`."""


@dataclass(frozen=True, slots=True)
class MediaReport(Event):
    """Receiver statistics of a leg, published when it ends."""

    kind: ClassVar[str] = "rtp.stopped"
    call: str
    leg: str
    device: str
    codec: str
    received: int
    sent: int
    lost: int
    jitter_ms: float
    mos: float
    seconds: float
    round_trip_ms: float | None = None
    far_lost: float | None = None
    """Ratio of our packets the far end missed last, by its own word (RTCP)."""
    strangers: int = 0
    """Packets of others than the far end, dropped."""
    misfits: int = 0
    """Packets of a codec nobody agreed, dropped."""
    encrypted: bool = False
    """It was SRTP."""
    dscp: int | None = None
    """How its packets were marked when they came (46 is EF); None when none was looked at."""


# --- voicemail and lamps ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VoicemailGreeted(Event):
    kind: ClassVar[str] = "voicemail.greeted"
    call: str
    box: str


@dataclass(frozen=True, slots=True)
class VoicemailLeft(Event):
    kind: ClassVar[str] = "voicemail.left"
    call: str
    box: str
    message: str
    seconds: float
    caller_number: str
    heard: str
    """What was recognised in the recording, e.g. `signature:101`, or `unknown`."""


@dataclass(frozen=True, slots=True)
class VoicemailOpened(Event):
    kind: ClassVar[str] = "voicemail.opened"
    call: str
    box: str


@dataclass(frozen=True, slots=True)
class VoicemailRefused(Event):
    """A log-in to a mailbox failed."""

    kind: ClassVar[str] = "voicemail.refused"
    call: str
    box: str
    attempt: int


@dataclass(frozen=True, slots=True)
class VoicemailHeard(Event):
    kind: ClassVar[str] = "voicemail.heard"
    call: str
    box: str
    message: str


@dataclass(frozen=True, slots=True)
class VoicemailDeleted(Event):
    kind: ClassVar[str] = "voicemail.deleted"
    call: str
    box: str
    message: str


@dataclass(frozen=True, slots=True)
class LampSent(Event):
    kind: ClassVar[str] = "mwi.sent"
    device: str
    box: str
    new: int
    saved: int
    waiting: bool


@dataclass(frozen=True, slots=True)
class MessageRelayed(Event):
    """A text went from one extension to another, or did not; what it says is nobody else's business."""

    kind: ClassVar[str] = "message.relayed"
    device: str
    """Who sent it."""
    extension: str
    to: str
    taken_by: str
    """The first device that took it, empty when none did."""
    status: int
    """What the sender was told."""
    octets: int


@dataclass(frozen=True, slots=True)
class BusyLampSent(Event):
    """A device was told what another extension is doing."""

    kind: ClassVar[str] = "blf.sent"
    device: str
    """Who is told."""
    extension: str
    """Of whom."""
    state: str
    """`idle`, `calling`, `ringing` or `in-use`."""


@dataclass(frozen=True, slots=True)
class SubscriptionChanged(Event):
    kind: ClassVar[str] = "subscription.changed"
    device: str
    package: str
    state: str
    """`active` or `terminated`."""


# --- attendant and queue ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MenuEntered(Event):
    kind: ClassVar[str] = "attendant.entered"
    call: str
    attendant: str
    menu: str
    time_frame: str


@dataclass(frozen=True, slots=True)
class MenuChosen(Event):
    kind: ClassVar[str] = "attendant.chosen"
    call: str
    attendant: str
    menu: str
    keys: str
    """What was pressed, empty when nothing was."""
    destination: str


@dataclass(frozen=True, slots=True)
class QueueJoined(Event):
    kind: ClassVar[str] = "queue.joined"
    call: str
    queue: str
    position: int


@dataclass(frozen=True, slots=True)
class AgentOffered(Event):
    kind: ClassVar[str] = "queue.offered"
    call: str
    queue: str
    agent: str
    round: int


@dataclass(frozen=True, slots=True)
class QueueLeft(Event):
    kind: ClassVar[str] = "queue.left"
    call: str
    queue: str
    outcome: str
    """`answered`, `abandoned`, `overflow`, `refused`."""
    agent: str
    waited_s: float


@dataclass(frozen=True, slots=True)
class AgentFinished(Event):
    """An agent has left a call it took from a queue."""

    kind: ClassVar[str] = "queue.finished"
    call: str
    queue: str
    agent: str
    wrap_up_s: float
    """How long the queue offers it nothing from now on."""


@dataclass(frozen=True, slots=True)
class AgentStatusChanged(Event):
    kind: ClassVar[str] = "queue.agent"
    queue: str
    agent: str
    status: str
    """`available`, `one call`, `logged out`, or why the agent takes no calls: `lunch`, `break`, …"""


# --- records, features, server ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallRecordWritten(Event):
    """One row of call history (`pbx.records.CallRecord`) is durable."""

    kind: ClassVar[str] = "cdr.written"
    call: str
    caller_number: str
    dialled: str
    device: str
    answered_by: str
    """Extension, device, mailbox or number that answered, or empty."""
    disposition: str
    """`ANSWERED`, `NO ANSWER`, `BUSY`, `CANCELLED`, `FAILED`, `VOICEMAIL`."""
    talk_s: float
    cause: int
    direction: str
    """`internal`, `inbound` or `outbound`."""


@dataclass(frozen=True, slots=True)
class FeatureUsed(Event):
    kind: ClassVar[str] = "feature.used"
    call: str
    code: str
    argument: str
    done: bool
    """False when it was refused, e.g. *88 of a user who serves no queue."""


@dataclass(frozen=True, slots=True)
class DirectoryChanged(Event):
    kind: ClassVar[str] = "config.changed"
    domain: str
    revision: int
    what: str


@dataclass(frozen=True, slots=True)
class ResyncRequested(Event):
    kind: ClassVar[str] = "provisioning.resync"
    device: str
    mac: str


@dataclass(frozen=True, slots=True)
class OverloadBegan(Event):
    """More arrives than can be served: what is new is refused with 503 from now on."""

    kind: ClassVar[str] = "server.overloaded"
    waited_ms: int
    """How long datagrams wait before they are read."""


@dataclass(frozen=True, slots=True)
class OverloadEnded(Event):
    kind: ClassVar[str] = "server.relieved"
    refused: int
    """Requests refused since it began."""


@dataclass(frozen=True, slots=True)
class CertificateUsed(Event):
    """What this server shows over TLS from now on."""

    kind: ClassVar[str] = "tls.certificate"
    names: str
    expires_at: str
    """ISO 8601, UTC."""
    fingerprint: str
    """SHA-256 of the certificate."""


@dataclass(frozen=True, slots=True)
class TlsRefused(Event):
    """No TLS connection came about, or a certificate was not taken into use; told in four parts."""

    kind: ClassVar[str] = "tls.refused"
    address: str
    happened: str
    why: str
    remedy: str
    reference: str


@dataclass(frozen=True, slots=True)
class ServerFault(Event):
    """A fault of our own, contained to one call or session."""

    kind: ClassVar[str] = "server.error"
    where: str
    call: str
    message: str


@dataclass(frozen=True, slots=True)
class ClockStepped(Event):
    """Somebody has set the clock: what was to last so many seconds lasts so many seconds still."""

    kind: ClassVar[str] = "server.clock"
    by_s: float
    """Positive when it was put forward."""


@dataclass(frozen=True, slots=True)
class HealthChanged(Event):
    """A listener, or what it needs, does its work again or does it no more."""

    kind: ClassVar[str] = "server.health"
    part: str
    ready: bool
    reason: str
    """What is wrong; empty when it is ready."""


@dataclass(frozen=True, slots=True)
class ServerRecovered(Event):
    """What a fault took away is there again."""

    kind: ClassVar[str] = "server.recovered"
    where: str
    message: str
