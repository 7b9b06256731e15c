"""A call for scripts to be tested with: what the script commands is written down, what happens is told to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

from pbx.callflow.question import Asked, AttendantRoute, ConferenceRoute, QueueRoute, UserRoute
from pbx.callflow.routing import (
    music_of,
    resolve_attendant,
    resolve_conference,
    resolve_queue,
    resolve_user,
    route,
    route_off_net,
)
from pbx.callflow.script import Running, Script
from pbx.callflow.vocabulary import CALLER, KeyPressed, Parked, Played, Recorded
from pbx.domain.conferences import Conference
from pbx.domain.destinations import Cause, Destination, ToAttendant
from pbx.domain.directory import Directory
from pbx.domain.history import Fax, Message
from pbx.domain.kept import BoxState, KeptPrompt
from pbx.domain.own_settings import OwnSettings
from pbx.domain.queues import AgentStatus
from pbx.domain.sounds import Music, Recording, Sound, Spoken
from pbx.domain.support import ENTRY, support_domain
from pbx.events import Event
from tests.callflow.small_office import EVERYBODY, moment, office


class Playbook:
    """Implements `Control`; `said` is the conversation so far, `take` returns and clears it."""

    id = "c-1"

    def __init__(self, directory: Directory | None = None, *, answered: bool = False) -> None:
        self.directory = directory or office()
        self.now = 100.0
        self.answered = answered
        self.said: list[str] = []
        self.diversions: list[tuple[str, str]] = []
        self.events: list[Event] = []
        self.left: list[Message] = []
        """Messages."""
        self.kept: list[KeptPrompt] = []
        self.states: dict[str, BoxState] = {}
        self.limits = 0.0, 0.0
        """Of the message recorded last: longest, and silence that ends it."""
        self.dead: set[str] = set()
        """Targets that cannot be dialled."""
        self.takes_callers = True
        self.place, self.expected_s = 1, 0.0
        self.asked = Asked("", "101", "101", "101")
        self.own = OwnSettings("101")
        self.called_last: str | None = None
        self.transferor: tuple[str, ...] = ()
        self.slot: Parked | None = Parked("701", "", False)
        """What `park` finds."""
        self.there: set[str] = set()
        """Commands that lead into another call."""
        self.conference: Literal["full", "waiting", "begun"] = "begun"
        self.serves: tuple[str, ...] = ("500",)
        self._script: Running[Any] | None = None
        self._token = ""
        self._recordings = 0

    can_fax = True

    # --- the test's side ------------------------------------------------------------------------------

    def start(self, script: Script[Any]) -> Playbook:
        self._script = Running(script, keeps=lambda event: isinstance(event, KeyPressed))
        self._script.start(self.now)
        return self

    def hear(self, event: object) -> Playbook:
        assert self._script is not None
        self._script.feed(event, self.now)
        return self

    def key(self, digits: str) -> Playbook:
        for digit in digits:
            self.hear(KeyPressed(CALLER, digit))
        return self

    def played(self) -> Playbook:
        """What plays has come to its end."""
        return self.hear(Played(CALLER, self._token))

    def recorded(self, seconds: float = 3.0, reason: str = "silence") -> Playbook:
        """The recording in progress is over; by `key` means by the pound key, which is told as well."""
        self.hear(Recorded(CALLER, seconds, reason, f"rec-{self._recordings}"))
        return self.key("#") if reason == "key" else self

    def wait(self, seconds: float) -> Playbook:
        """Let time pass, waking the script at each of its deadlines."""
        assert self._script is not None
        end = self.now + seconds
        while self._script.deadline <= end:
            self.now = max(self.now, self._script.deadline)
            self._script.tick(self.now)
        self.now = end
        return self

    def hang_up_caller(self) -> None:
        assert self._script is not None
        self._script.close()

    @property
    def wall(self) -> datetime:
        """A Tuesday morning in Toronto."""
        return moment().wall + timedelta(seconds=self.now - 100.0)

    @property
    def hour(self) -> datetime:
        return self.wall

    @property
    def done(self) -> bool:
        return self._script is not None and self._script.done

    @property
    def goes_to(self) -> str:
        """Label of the destination the script returned, empty for none."""
        assert self._script is not None
        assert self._script.done
        return self._script.result.label if self._script.result is not None else ""

    def take(self) -> list[str]:
        said, self.said = self.said, []
        return said

    # --- the script's side ----------------------------------------------------------------------------

    def route_user(self, extension: str) -> UserRoute:
        return resolve_user(self.directory, extension, Asked("", "14165550142"), EVERYBODY, moment())

    def route_attendant(self, extension: str, menu: str) -> AttendantRoute | None:
        return resolve_attendant(self.directory, extension, menu, moment())

    def route_queue(self, extension: str) -> QueueRoute | None:
        return resolve_queue(self.directory, extension, EVERYBODY)

    def route_conference(self, extension: str) -> ConferenceRoute | None:
        return resolve_conference(self.directory, extension, self.asked)

    def progress(self) -> None:
        self.said.append("progress")

    def answer(self) -> None:
        if not self.answered:
            self.answered = True
            self.said.append("answer")

    def dial_device(self, device: str) -> str | None:
        return self._dial(device)

    def dial_hands_free(self, device: str) -> str | None:
        return self._dial(device, "dial hands-free")

    def dial_page(self, device: str) -> str | None:
        return self._dial(device, "page")

    def speak_to(self, leg: str) -> None:
        self.said.append(f"speak to {leg}")

    def idle_phones(self, extension: str) -> tuple[str, ...]:
        own = self.directory.devices_by_extension.get(extension, ())
        return tuple(device.id for device in own if device.id not in self.dead)

    def carry(self, header: str) -> None:
        if header:
            self.said.append(f"carry {header}")

    def dial_number(self, number: str, way: str = "") -> str | None:
        return self._dial(number, f"dial {way}".strip())

    def dial_emergency(self, code: str) -> str | None:
        return self._dial(f"emergency-{code}")

    def dial_service(self, code: str) -> str | None:
        return self._dial(f"service-{code}")

    def switch_frame(self, name: str, state: Literal["on", "off"]) -> None:
        self.said.append(f"switch {name} {state}")
        self.directory = self.directory.with_frame_switched(name, state)

    def enter_support(self) -> Destination:
        self.said.append("enter support")
        self.directory = support_domain()
        return ToAttendant(extension=ENTRY)

    def extension_of(self, leg: str) -> str:
        return leg[:3]

    def early(self, leg: str) -> None:
        self.said.append(f"early {leg}")

    def connect(self, leg: str) -> None:
        self.said.append(f"connect {leg}")

    def diverted(self, extension: str, why: str) -> None:
        self.diversions.append((extension, why))

    def hand_over(self, leg: str, target: str) -> None:
        self.said.append(f"hand over {leg} to {target}")

    def goes_on_alone(self) -> None:
        self.said.append("goes on alone")

    def let_caller_go(self) -> None:
        self.said.append("let caller go")

    def seat(self, leg: str) -> None:
        self.said.append(f"seat {leg}")

    def drop(self, leg: str, cause: Cause = Cause.NORMAL) -> None:
        self.said.append(f"drop {leg}")

    def hang_up(self, cause: Cause) -> None:
        self.said.append(f"hang up {cause}")

    def play(self, sound: Sound) -> str:
        self._token = f"t{len(self.said)}-{self.now}"
        self.said.append(f"play {sound.label}")
        return self._token

    def tell(self, leg: str, sound: Sound) -> None:
        self.said.append(f"tell {leg} {sound.label}")

    def stop(self) -> None:
        self.said.append("stop")

    def record_message(self, box: str, *, max_s: float, silence_s: float) -> None:
        self._recordings += 1
        self.limits = max_s, silence_s
        self.said.append(f"record {box}")

    def record_draft(self, *, max_s: float, silence_s: float) -> None:
        self._recordings += 1
        self.said.append("record draft")

    def deliver(self, recording: str) -> None:
        self.said.append(f"deliver {recording}")

    def discard(self, recording: str) -> None:
        self.said.append(f"discard {recording}")

    def fax_refused(self, account: str) -> None:
        self.said.append(f"fax refused {account}")

    def expect_fax(self) -> None:
        self.said.append("expect fax")

    def receive_fax(self, account: str) -> None:
        self.said.append(f"receive fax {account}")

    def send_fax(self, fax: Fax) -> None:
        self.said.append(f"send fax {fax.document}")

    def not_sent(self, fax: Fax, problem: str, *, again: bool) -> None:
        self.said.append(f"not sent {fax.document}: {problem}" + ("" if again else ", for good"))

    def box_full(self, box: str) -> None:
        self.said.append(f"full {box}")

    def send_on(self, message: Message, box: str, comment: str) -> None:
        self.said.append(f"send {message.id} to {box}" + (f" with {comment}" if comment else ""))

    def music(self, extension: str) -> Sound:
        return Music(music_of(self.directory, extension))

    def prompts(self, owner: str) -> Mapping[str, KeptPrompt]:
        return {prompt.name: prompt for prompt in self.kept if prompt.owner == owner}

    def spoken(self, name: str, instead: str = "") -> Spoken:
        own = self.prompts("").get(name)
        return name if own is None else Recording(own.recording, instead=instead)

    def keep_prompt(self, prompt: KeptPrompt) -> None:
        self.kept.append(prompt)
        self.said.append(f"keep prompt {prompt.owner}/{prompt.name} {prompt.recording}")

    def box(self, box: str) -> BoxState:
        return self.states.get(box) or BoxState(box)

    def keep_box(self, state: BoxState) -> None:
        self.states[state.box] = state

    def messages(self, box: str) -> Sequence[Message]:
        return tuple(message for message in self.left if message.box == box)

    can_record = True

    def keep_message(self, message: Message) -> None:
        self.said.append(f"keep {message.id} {message.folder}")
        self.left = [message if kept.id == message.id else kept for kept in self.left]

    def remove_message(self, message: Message) -> None:
        self.said.append(f"remove {message.id}")

    def publish(self, event: Event) -> None:
        self.events.append(event)

    def join_queue(self, queue: str) -> int:
        self.said.append(f"join {queue}")
        return int(self.takes_callers)

    def ready_for_agents(self, queue: str) -> None:
        self.said.append(f"ready {queue}")

    def promise_call_back(self, queue: str, number: str, within_s: float) -> None:
        self.said.append(f"promise {number} a call back")

    def promise_over(self, queue: str, number: str) -> None:
        self.said.append(f"promise to {number} is over")

    def queue_place(self, queue: str) -> int:
        return self.place

    def expected_wait_s(self, queue: str) -> float:
        return self.expected_s

    def leave_queue(self, queue: str, outcome: str) -> None:
        self.said.append(f"leave {queue} {outcome}")

    def taken_by(self, queue: str, agent: str, leg: str) -> None:
        self.said.append(f"taken {queue} by {agent} on {leg}")

    def join_conference(
        self, conference: Conference, *, leader: bool, name: str
    ) -> Literal["full", "waiting", "begun"]:
        role = "leader" if leader else "participant"
        self.said.append(f"join {conference.extension} as {role}" + (f" by {name}" if name else ""))
        return self.conference

    def enter_conference(self, conference: str) -> None:
        self.said.append(f"enter {conference}")

    def leave_conference(self, conference: str) -> None:
        self.said.append(f"leave {conference}")

    def set_own_status(self, status: AgentStatus) -> tuple[str, ...]:
        self.said.append(f"status {status}")
        return self.serves

    def missed(self, queue: str, agents: tuple[str, ...]) -> None:
        self.said.append(f"missed {queue} {' '.join(agents)}")

    def answered_elsewhere(self, leg: str) -> None:
        self.said.append(f"answered elsewhere {leg}")

    def own_settings(self) -> OwnSettings:
        return self.own

    def set_own(self, settings: OwnSettings) -> None:
        self.own = settings

    def undisturbed(self) -> None:
        self.said.append("undisturbed")

    def last_caller(self) -> str | None:
        return self.called_last

    def look_up(self, dialled: str) -> Destination:
        return route(self.directory, replace(self.asked, dialled=dialled), EVERYBODY, moment()).destination

    def look_up_for(self, device: str, dialled: str) -> Destination | None:
        return self.look_up(dialled)

    def dial_off_net(self, dialled: str) -> Destination:
        self.said.append(f"dialled {dialled} off-net")
        return route_off_net(self.directory, replace(self.asked, dialled=dialled), moment())[0]

    def dial(self, dialled: str) -> Destination:
        self.said.append(f"dialled {dialled}")
        return self.look_up(dialled)

    def prove(self, extension: str) -> None:
        self.said.append(f"prove {extension}")
        self.asked = replace(self.asked, caller_extension=extension, proved=True)

    def take_desk(self, extension: str) -> None:
        self.said.append(f"take desk {extension}")

    def record_own(self, on: bool) -> bool:
        return self._goes(f"record {'on' if on else 'off'}")

    def phones_of_transferor(self) -> tuple[str, ...]:
        phones, self.transferor = self.transferor, ()
        return phones

    def park(self, slot: str) -> Parked | None:
        self.said.append(f"park {slot}")
        return self.slot

    def leave_slot(self, slot: str, outcome: str, by: str = "") -> None:
        self.said.append(f"leave slot {slot} {outcome} {by}".rstrip())

    def fetch(self, slot: str) -> bool:
        return self._goes(f"fetch {slot}")

    def fetch_waiting(self, queue: str) -> bool:
        return self._goes(f"fetch from {queue}")

    def pick_up(self, extensions: Collection[str]) -> bool:
        return self._goes(f"pick up {' '.join(sorted(extensions))}")

    def pull(self) -> bool:
        return self._goes("pull")

    def _goes(self, where: str) -> bool:
        self.said.append(where)
        return where in self.there

    def _dial(self, target: str, how: str = "dial") -> str | None:
        if target in self.dead:
            self.said.append(f"cannot dial {target}")
            return None
        self.said.append(f"{how} {target}")
        return target
