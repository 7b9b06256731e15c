"""Phones driven by SIP alone, for want of another way to their buttons; every use is told in the event stream.

What a phone lets be done to it, it says itself (`look`, an OPTIONS): `talk` and `hold` in Allow-Events are NOTIFYs in
the dialog of its call (BroadWorks, SIP access side extensions), REFER in Allow may ask it to dial (RFC 3515, RFC 4488),
and application/csta+xml in Accept are the services of uaCSTA (ECMA TR/87, ECMA-323), here in INFO outside a dialog. A
phone that dials in none of these ways is called by the house, asked to answer by itself, and the number is called in
its name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal
from xml.sax.saxutils import escape

from pbx.events import PhoneControlled, PhoneObeyed
from pbx.sip.bodies import media_type
from pbx.sip.digest import Credentials
from pbx.sip.message import Request, Response
from pbx.sip.session import Session
from pbx.sip.uri import NameAddr
from pbx.switch.legs import Leg
from pbx.switch.originating import call_in_the_name_of

if TYPE_CHECKING:
    from pbx.switch.switch import Switch

Deed = Literal["dial", "answer", "hold", "resume", "hangup"]
Lets = Literal["talk", "hold", "refer", "csta"]
Told = Callable[[int], None]
CSTA = "application/csta+xml"
CSTA_NAMESPACE = "http://www.ecma-international.org/standards/ecma-323/csta/ed3"
SERVICES: dict[Deed, tuple[str, str]] = {
    "answer": ("AnswerCall", "callToBeAnswered"),
    "hangup": ("ClearConnection", "connectionToBeCleared"),
    "hold": ("HoldCall", "callToBeHeld"),
    "resume": ("RetrieveCall", "callToBeRetrieved"),
}
"""Deed → service of uaCSTA, and the element that names the connection."""
_COMMANDS: dict[Deed, Lets] = {"answer": "talk", "resume": "talk", "hold": "hold"}
_MOST_REFERRED = 200
SILENT = 408
NOT_BY_ITSELF = 480
"""Of a phone that was called and rang."""


class PhoneControl:
    """Owns what each phone has said it lets be done to it, and whom it is still to answer."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._lets: dict[tuple[str, str], frozenset[Lets]] = {}
        """By device and the contact that said so."""
        self._never_by_itself: set[tuple[str, str]] = set()
        """Who rang for as long as a phone may that answers by itself."""
        self._commanded: dict[tuple[str, str], tuple[Deed, Told, Session]] = {}
        """By device and event: who waits for the answer, and the session that was asked in."""
        self._referred: deque[str] = deque(maxlen=_MOST_REFERRED)

    def look(self, device: str) -> bool:
        """Ask a phone what it takes; False when it is not registered."""
        return self._ask(device, "OPTIONS", [("Accept", f"application/sdp, {CSTA}")], partial(self._looked, device))

    def lets(self, device: str) -> frozenset[Lets] | None:
        """Return what a phone lets be done, as far as it says so; None before it has answered."""
        binding = self._switch.binding(device)
        return self._lets.get((device, binding.contact)) if binding is not None else None

    def deeds(self, device: str) -> frozenset[Deed]:
        """Return what the phone itself offers to do: no dialling in its name."""
        lets = self.lets(device) or frozenset()
        can: set[Deed] = set(SERVICES) | {"dial"} if "csta" in lets else set()
        can |= {deed for deed, command in _COMMANDS.items() if command in lets}
        return frozenset(can | {"dial"} if "refer" in lets else can)

    def do(self, device: str, deed: Deed, argument: str, then: Told) -> str:
        """Do it, and tell `then` the phone's final status; return why nothing was sent, empty when it was."""
        if self._switch.binding(device) is None:
            return f"{device} is not registered"
        if deed == "dial":
            return self._dial(device, argument, then)
        lets = self.lets(device) or frozenset()
        if deed not in self.deeds(device):
            return f"{device} does not let itself be told to {deed}: it names neither an event nor uaCSTA for it"
        leg = self._leg(device, deed)
        if leg is None or leg.session is None:
            return f"{device} has no call to {deed}"
        command = _COMMANDS.get(deed)
        if command is not None and command in lets:
            return self._command(device, deed, command, leg.session, then)
        service, connection = SERVICES[deed]
        call_id = escape(leg.session.call_id)
        named = f"<callID>{call_id}</callID><deviceID>{escape(self._uri(device))}</deviceID>"
        self._csta(device, deed, service, f"<{connection}>{named}</{connection}>", then)
        return ""

    def commanded(self, device: str, command: str, status: int) -> None:
        """What a phone has said to a NOTIFY in its call."""
        waiting = self._commanded.pop((device, command), None)
        if waiting is not None:
            self._obeyed(device, waiting[0], waiting[1], status)

    def has_referred(self, request: Request) -> bool:
        """Tell whether a NOTIFY is of a REFER of ours: some phones tell what comes of it, asked or not."""
        return request.call_id in self._referred

    # --- ways -----------------------------------------------------------------------------------------

    def _command(self, device: str, deed: Deed, command: Lets, session: Session, then: Told) -> str:
        waiting = self._commanded.get((device, command))
        if waiting is not None and waiting[2] is session:
            return f"{device} has not answered the {command} before it yet"
        if not session.command(command, self._switch.now.mono):
            return f"{device} has no dialog yet to be told to {deed} in"
        self.commanded(device, command, SILENT)  # a call that ended takes its answer along
        self._told(device, deed, f"NOTIFY {command}")
        self._commanded[device, command] = (deed, then, session)
        return ""

    def _dial(self, device: str, number: str, then: Told) -> str:
        lets = self.lets(device) or frozenset()
        if "csta" in lets:
            calling = f"<callingDevice>{escape(self._uri(device))}</callingDevice>"
            called = f"<calledDirectoryNumber>{escape(number)}</calledDirectoryNumber>"
            self._csta(
                device, "dial", "MakeCall", f"{calling}{called}<autoOriginate>doNotPrompt</autoOriginate>", then, number
            )
            return ""
        if "refer" not in lets:
            return self._call_it(device, number, then)
        self._told(device, "dial", "REFER", number)
        target = f"sip:{number.replace('#', '%23')}@{self._switch.realm}"
        headers = [("Refer-To", f"<{target}>"), ("Referred-By", f"<{self._uri(device)}>"), ("Refer-Sub", "false"),
                   ("Supported", "norefersub")]  # fmt: skip
        self._ask(device, "REFER", headers, partial(self._refer_answered, device, number, then))
        return ""

    def _refer_answered(self, device: str, number: str, then: Told, response: Response | None) -> None:
        status = response.status if response is not None else SILENT
        if status >= 300:
            self._learnt(device, "refer")
            if not self._call_it(device, number, then):
                return
        self._obeyed(device, "dial", then, status)

    def _call_it(self, device: str, number: str, then: Told) -> str:
        """Call the phone, which is to answer by itself, and the number in its name; return why not."""
        binding = self._switch.binding(device)
        if binding is None or (device, binding.contact) in self._never_by_itself:
            return f"{device} does not answer a call by itself"
        self._told(device, "dial", "INVITE that it answers itself", number)
        talks = self._leg(device, "hangup") is not None
        answered = partial(self._call_answered, device, "" if talks else binding.contact, then)
        if not call_in_the_name_of(self._switch, device, number, answered):
            return f"{device} cannot be called"
        return ""

    def _call_answered(self, device: str, contact: str, then: Told, status: int) -> None:
        if status == NOT_BY_ITSELF and contact:  # one that talked to somebody had a reason
            self._never_by_itself.add((device, contact))
        self._obeyed(device, "dial", then, status)

    def _learnt(self, device: str, way: Lets) -> None:
        """It names a way in its answer to OPTIONS, and refuses it: so does baresip 1.0 with REFER outside a dialog."""
        binding = self._switch.binding(device)
        if binding is not None and (device, binding.contact) in self._lets:
            self._lets[device, binding.contact] -= {way}

    def _csta(self, device: str, deed: Deed, service: str, inside: str, then: Told, number: str = "") -> None:
        self._told(device, deed, f"uaCSTA {service}", number)
        body = f'<?xml version="1.0" encoding="UTF-8"?>\r\n<{service} xmlns="{CSTA_NAMESPACE}">{inside}</{service}>\r\n'
        headers = [("Content-Disposition", "signal;handling=required")]

        def answered(response: Response | None) -> None:
            self._obeyed(device, deed, then, response.status if response is not None else SILENT)

        self._ask(device, "INFO", headers, answered, body.encode(), CSTA)

    # --- parts ----------------------------------------------------------------------------------------

    def _ask(
        self,
        device: str,
        method: str,
        headers: list[tuple[str, str]],
        then: Callable[[Response | None], None],
        body: bytes = b"",
        kind: str = "",
    ) -> bool:
        switch = self._switch
        binding, known = switch.binding(device), switch.directory.devices_by_id.get(device)
        if binding is None or known is None:
            return False
        who = NameAddr(self._uri(device))
        proof = Credentials(device, known.password.get_secret_value())  # some phones challenge who commands them
        contact = f"<{switch.stack.origin.contact(who, binding.peer)}>"
        handle = switch.stack.request(
            method, binding.contact, binding.peer, from_=who, to=who, now=switch.now.mono,
            headers=[("Contact", contact), *headers, *binding.routes], body=body, content_type=kind, credentials=proof,
        )  # fmt: skip
        if method == "REFER":
            self._referred.append(handle.request.call_id)
        switch.when_responded(handle, then)
        return True

    def _looked(self, device: str, response: Response | None) -> None:
        binding = self._switch.binding(device)
        if binding is None:
            return
        if response is None or response.status >= 300:
            self._lets[device, binding.contact] = frozenset()
            return
        events = {event.partition(";")[0].strip().lower() for event in response.tokens("Allow-Events")}
        methods = {method.upper() for method in response.tokens("Allow")}
        bodies = {media_type(kind) for kind in response.tokens("Accept")}
        lets: set[Lets] = {command for command in ("talk", "hold") if command in events}
        if "REFER" in methods:
            lets.add("refer")
        if CSTA in bodies:
            lets.add("csta")
        self._lets[device, binding.contact] = frozenset(lets)

    def _leg(self, device: str, deed: Deed) -> Leg | None:
        """Return the leg a deed is for: the newest that is in a state for it."""
        known = self._switch.directory.devices_by_id.get(device)
        if known is None:
            return None
        legs = [
            leg for leg in self._switch.parties.of_extension(known.extension) if leg.device == device and not leg.gone
        ]
        fits: Callable[[Leg], bool] = {
            "answer": lambda leg: leg.rang and not leg.answered,
            "hold": lambda leg: leg.answered and not leg.held,
            "resume": lambda leg: leg.held,
        }.get(deed, lambda leg: True)
        return next((leg for leg in reversed(legs) if fits(leg)), None)

    def _uri(self, device: str) -> str:
        return f"sip:{device}@{self._switch.realm}"

    def _told(self, device: str, deed: Deed, means: str, argument: str = "") -> None:
        self._switch.publish(PhoneControlled(device, deed, means, argument))

    def _obeyed(self, device: str, deed: Deed, then: Told, status: int) -> None:
        self._switch.publish(PhoneObeyed(device, deed, status))
        then(status)
