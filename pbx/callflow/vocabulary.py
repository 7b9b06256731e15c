"""The words between scripts and the switch: what a script may learn, and what it may command."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from pbx.callflow.question import Asked, AttendantRoute, ConferenceRoute, QueueRoute, UserRoute
from pbx.domain.conferences import Conference
from pbx.domain.destinations import Cause, Destination
from pbx.domain.directory import Directory
from pbx.domain.history import Fax, Message
from pbx.domain.kept import BoxState, KeptPrompt
from pbx.domain.own_settings import OwnSettings
from pbx.domain.queues import AgentStatus
from pbx.domain.sounds import Sound, Spoken
from pbx.events import Event

CALLER = "caller"
"""The leg a script acts for, whatever its name."""


@dataclass(frozen=True, slots=True)
class Parked:
    """A slot that is taken."""

    slot: str
    parker: str
    """The device that put the party there, empty when nobody did."""
    call_back: bool
    """The parker is rung when nobody fetches the party in time."""


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """By the caller, unless `leg` says otherwise."""

    leg: str
    digit: str


@dataclass(frozen=True, slots=True)
class Played:
    leg: str
    token: str


@dataclass(frozen=True, slots=True)
class Recorded:
    leg: str
    seconds: float
    reason: str
    recording: str = ""
    problem: str = ""
    """Why nothing of it could be kept."""


@dataclass(frozen=True, slots=True)
class LegRang:
    leg: str


@dataclass(frozen=True, slots=True)
class LegEarlyMedia:
    leg: str


@dataclass(frozen=True, slots=True)
class LegAnswered:
    leg: str


@dataclass(frozen=True, slots=True)
class LegRefused:
    leg: str
    status: int
    moved_to: str = ""
    """Where a phone that answered 3xx sends its callers, as dialled there; empty for any other refusal."""


@dataclass(frozen=True, slots=True)
class LegGone:
    """An answered leg ended."""

    leg: str
    cause: int


@dataclass(frozen=True, slots=True)
class TransferAsked:
    """A blind transfer: `leg` wants the other party to go to `destination` and will leave."""

    leg: str
    destination: Destination
    dialled: str
    """What the transferring party asked for."""


@dataclass(frozen=True, slots=True)
class LegReplaced:
    """Another party has taken the place of a called leg: `by` is answered and goes on as that leg."""

    leg: str
    by: str


@dataclass(frozen=True, slots=True)
class LegJoined:
    """Somebody has come to fetch the caller: `leg` is answered."""

    leg: str


@dataclass(frozen=True, slots=True)
class FaxOver:
    """The fax machine of the house in this call is done."""

    pages: int
    problem: str


@dataclass(frozen=True, slots=True)
class ConferenceOpened:
    """The conference the caller waits for has begun."""


@dataclass(frozen=True, slots=True)
class ConferenceClosed:
    """The conference is over for everybody."""


@dataclass(frozen=True, slots=True)
class AgentsOffered:
    """The queue gives this caller these agents to ring."""

    agents: tuple[str, ...]


class Control(Protocol):
    """What a script may do with its call. Nothing blocks; `CALLER` and leg names name the parties."""

    id: str

    @property
    def asked(self) -> Asked:
        """The party that is the caller now, and what it dialled; nothing after a transfer."""
        ...

    @property
    def directory(self) -> Directory: ...

    @property
    def now(self) -> float:
        """Monotonic seconds of the input being served."""
        ...

    @property
    def wall(self) -> datetime:
        """The same moment on the wall, aware."""
        ...

    @property
    def hour(self) -> datetime:
        """What the office takes it for, aware: time frames go by it."""
        ...

    @property
    def answered(self) -> bool:
        """The caller has been answered."""
        ...

    def route_user(self, extension: str) -> UserRoute:
        """Ask routing what the user's rules make of the call now; the record is published."""
        ...

    def route_attendant(self, extension: str, menu: str) -> AttendantRoute | None: ...

    def route_queue(self, extension: str) -> QueueRoute | None: ...

    def route_conference(self, extension: str) -> ConferenceRoute | None: ...

    def progress(self) -> None:
        """Let the caller hear that it rings: 180, or the ringback tone once answered."""
        ...

    def answer(self) -> None: ...

    def dial_device(self, device: str) -> str | None:
        """Ring a device; return the leg, None when it cannot be reached."""
        ...

    def dial_hands_free(self, device: str) -> str | None:
        """Ring a device and ask it to answer by itself."""
        ...

    def dial_page(self, device: str) -> str | None:
        """Ring a device, ask it to answer by itself and to listen only."""
        ...

    def speak_to(self, leg: str) -> None:
        """Let a paged phone speak what the caller says, after a beep."""
        ...

    def idle_phones(self, extension: str) -> tuple[str, ...]:
        """Return the registered devices of a user who is in no call and may be disturbed."""
        ...

    def carry(self, header: str) -> None:
        """Whoever is rung from now on is told this header, too; nothing for an empty one."""
        ...

    def dial_number(self, number: str, way: str = "") -> str | None:
        """Call outside, in one of the ways of `ToExternal`."""
        ...

    def dial_emergency(self, code: str) -> str | None: ...

    def dial_service(self, code: str) -> str | None: ...

    def switch_frame(self, name: str, state: Literal["on", "off"]) -> None:
        """Switch a shared time frame by hand, for every call from now on."""
        ...

    def enter_support(self) -> Destination:
        """Go over to the provider's support domain, a ticket opened; return its attendant."""
        ...

    def extension_of(self, leg: str) -> str:
        """Return the extension a leg rings, empty outside."""
        ...

    def early(self, leg: str) -> None:
        """Pass a called leg's early media on to the caller."""
        ...

    def connect(self, leg: str) -> None:
        """Join the caller and an answered leg."""
        ...

    def diverted(self, extension: str, why: str) -> None:
        """A user's rules sent the call on: whoever it reaches outside is told (RFC 5806, RFC 7044)."""
        ...

    def hand_over(self, leg: str, target: str) -> None:
        """Let a transferring party leave, told that it worked; whoever it talked to is the caller from now on."""
        ...

    def goes_on_alone(self) -> None:
        """The call outlives its caller: `LegGone(CALLER)` tells that it has hung up."""
        ...

    def let_caller_go(self) -> None:
        """Hang up on the caller; the call goes on with nobody, who hears nothing and says nothing."""
        ...

    def seat(self, leg: str) -> None:
        """A called leg that has answered is the caller from now on; whoever was has gone."""
        ...

    def drop(self, leg: str, cause: Cause = Cause.NORMAL) -> None:
        """End one called leg; harmless when it is gone."""
        ...

    def answered_elsewhere(self, leg: str) -> None:
        """End a leg that rings because another has the call: its phone has missed nothing."""
        ...

    def hang_up(self, cause: Cause) -> None:
        """End the caller's leg, and with it the call."""
        ...

    def play(self, sound: Sound) -> str:
        """Play to the caller instead of what plays; return the token of its `Played`."""
        ...

    def tell(self, leg: str, sound: Sound) -> None:
        """Play to a called leg that has answered and is not joined yet."""
        ...

    def stop(self) -> None: ...

    @property
    def can_record(self) -> bool:
        """False while nothing can be kept: no message may be promised."""
        ...

    def record_message(self, box: str, *, max_s: float, silence_s: float) -> None:
        """Record the caller for a box: `Recorded` tells the end, and it waits for `deliver` or `discard`.

        When the caller hangs up, while it is recorded or after, it is delivered.
        """
        ...

    def record_draft(self, *, max_s: float, silence_s: float) -> None:
        """Record the caller for something else: it goes when the call ends unless it was kept."""
        ...

    def deliver(self, recording: str) -> None: ...

    def discard(self, recording: str) -> None: ...

    @property
    def can_fax(self) -> bool:
        """There are fax machines, and what they receive can be kept."""
        ...

    def fax_refused(self, account: str) -> None:
        """Tell that a fax could not be taken."""
        ...

    def expect_fax(self) -> None:
        """Agree on what a fax goes over: G.711, or T.38 at once with a caller who offers that alone."""
        ...

    def receive_fax(self, account: str) -> None:
        """Let a fax machine of an account have the caller: `FaxOver` tells the end."""
        ...

    def send_fax(self, fax: Fax) -> None:
        """Let a fax machine send to whoever is the caller now: `FaxOver` tells the end."""
        ...

    def not_sent(self, fax: Fax, problem: str, *, again: bool) -> None:
        """Nobody has answered; `again`: it may be otherwise later."""
        ...

    def box_full(self, box: str) -> None:
        """The caller is turned away for want of room: tell who wants to know."""
        ...

    def messages(self, box: str) -> Sequence[Message]:
        """Oldest first, in whatever folder."""
        ...

    def keep_message(self, message: Message) -> None:
        """Store a message as it is now."""
        ...

    def remove_message(self, message: Message) -> None: ...

    def send_on(self, message: Message, box: str, comment: str) -> None:
        """Put a copy into another box, with what its owner says about it (a draft, or nothing)."""
        ...

    def music(self, extension: str) -> Sound:
        """What those hear whom a user, queue or conference lets wait, until something else is played."""
        ...

    def prompts(self, owner: str) -> Mapping[str, KeptPrompt]:
        """By name: of a mailbox, or of the domain for an empty owner."""
        ...

    def spoken(self, name: str, instead: str = "") -> Spoken:
        """Return a prompt by name: the domain's own before the one that ships.

        `instead` is heard where there is none of that name, or its sound is gone; an event tells of it.
        """
        ...

    def keep_prompt(self, prompt: KeptPrompt) -> None:
        """Keep a draft as a greeting, a name or a prompt."""
        ...

    def box(self, box: str) -> BoxState: ...

    def keep_box(self, state: BoxState) -> None: ...

    def publish(self, event: Event) -> None: ...

    def join_queue(self, queue: str) -> int:
        """Stand in line; return the place, 0 when the queue takes nobody."""
        ...

    def ready_for_agents(self, queue: str) -> None:
        """The caller has heard the greeting: agents may be offered, as `AgentsOffered`."""
        ...

    def promise_call_back(self, queue: str, number: str, within_s: float) -> None:
        """Keep over a restart that this number is to be called back."""
        ...

    def promise_over(self, queue: str, number: str) -> None:
        """The number has been called back, or nobody was there in time."""
        ...

    def queue_place(self, queue: str) -> int:
        """Return the place in the line, from 1."""
        ...

    def expected_wait_s(self, queue: str) -> float: ...

    def leave_queue(self, queue: str, outcome: str) -> None:
        """Leave the line without an agent; harmless for one who is not in it."""
        ...

    def taken_by(self, queue: str, agent: str, leg: str) -> None:
        """Leave the line with an agent, whose leg has answered."""
        ...

    def join_conference(
        self, conference: Conference, *, leader: bool, name: str
    ) -> Literal["full", "waiting", "begun"]:
        """Become a participant, announced by a recorded name if there is one.

        Who has to wait learns by `ConferenceOpened` that it has begun.
        """
        ...

    def enter_conference(self, conference: str) -> None:
        """Let the caller and those who talk there hear each other, instead of what plays."""
        ...

    def leave_conference(self, conference: str) -> None:
        """Be no participant any more; harmless for one who is none."""
        ...

    def set_own_status(self, status: AgentStatus) -> tuple[str, ...]:
        """Set the caller's status as an agent in every queue it serves; return these queues."""
        ...

    def missed(self, queue: str, agents: tuple[str, ...]) -> None:
        """Nobody of those offered answered."""
        ...

    def own_settings(self) -> OwnSettings:
        """What the caller has set at its telephone."""
        ...

    def set_own(self, settings: OwnSettings) -> None:
        """Keep what the caller sets."""
        ...

    def undisturbed(self) -> None:
        """Let no other call knock at the caller while this one lasts."""
        ...

    def last_caller(self) -> str | None:
        """Return the number of whoever called the caller last, empty when it was withheld; None when nobody did."""
        ...

    def look_up(self, dialled: str) -> Destination:
        """Return where the caller would come to by dialling that; nothing is said of it."""
        ...

    def look_up_for(self, device: str, dialled: str) -> Destination | None:
        """Return where the owner of `device` would come to by dialling that; None where phones may not forward."""
        ...

    def dial_off_net(self, dialled: str) -> Destination:
        """As `dial`, but out through the carrier whoever has the number."""
        ...

    def dial(self, dialled: str) -> Destination:
        """Return where that leads, as if the caller had dialled it; the record is published."""
        ...

    def prove(self, extension: str) -> None:
        """From now on the call is made by that user, who has entered its PIN."""
        ...

    def take_desk(self, extension: str) -> None:
        """The caller's telephone is that user's from now on, for whom it is its own user's again."""
        ...

    def record_own(self, on: bool) -> bool:
        """Begin or stop the recording of a conversation the caller's user has on another phone or line."""
        ...

    def phones_of_transferor(self) -> tuple[str, ...]:
        """Return the phones of whoever transferred the caller, those are told once: the next time nobody."""
        ...

    def park(self, slot: str) -> Parked | None:
        """Take a park slot for the caller, the first free one for `any`; None when somebody is in it."""
        ...

    def leave_slot(self, slot: str, outcome: str, by: str = "") -> None:
        """Give the slot back; `outcome` is `fetched`, `returned` (to the leg `by`) or `abandoned`."""
        ...

    def fetch(self, slot: str) -> bool:
        """Take the caller to whoever is parked there; then this call is over. False when nobody is."""
        ...

    def fetch_waiting(self, queue: str) -> bool:
        """Take the caller to whoever waits longest in a queue, as `fetch` does."""
        ...

    def pick_up(self, extensions: Collection[str]) -> bool:
        """Take the caller to the call that rings longest at one of these, as `fetch` does; False when none does."""
        ...

    def pull(self) -> bool:
        """Put the caller in the place of another phone of its user that talks, as `fetch` does."""
        ...
