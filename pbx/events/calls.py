"""A call from its INVITE to its record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pbx.events.base import Event


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
class TrunkFailed(Event):
    """A way out has refused a call for reasons of its own, or said nothing; the call goes on by the next one."""

    kind: ClassVar[str] = "trunk.failed"
    call: str
    leg: str
    trunk: str
    """Its address."""
    status: int
    """408 for silence."""
    left: int
    """Trunks that are still to be tried for this call."""


@dataclass(frozen=True, slots=True)
class PhoneControlled(Event):
    """The switch has done something in the place of whoever stands before a phone: during a test run, never else."""

    kind: ClassVar[str] = "control.sent"
    device: str
    deed: str
    """`dial`, `answer`, `hold`, `resume`, `hangup`."""
    means: str
    """`NOTIFY talk`, `REFER`, `uaCSTA MakeCall`, …"""
    argument: str


@dataclass(frozen=True, slots=True)
class PhoneObeyed(Event):
    """What the phone said to it: 2xx when it obeys."""

    kind: ClassVar[str] = "control.answered"
    device: str
    deed: str
    status: int


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
class CallScreened(Event):
    """A caller was asked for a name before anybody rang."""

    kind: ClassVar[str] = "call.screened"
    call: str
    extension: str
    """Of the user who screens calls."""
    named: bool
    """The caller said something."""


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


@dataclass(frozen=True, slots=True)
class EmergencyAddressMissing(Event):
    """A device has registered from which 911 would have no address: the national call centre would have to ask."""

    kind: ClassVar[str] = "emergency.address_missing"
    device: str
    extension: str
    callback_number: str
    """What the desk would be shown, empty for nothing."""


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
