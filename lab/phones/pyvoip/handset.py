"""pyVoIP's phone and call, mended: every call ends, a re-INVITE is a change and not a second call, ports come back."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from lab.phones.family import Account
from lab.phones.pyvoip.audio import Audio
from lab.phones.pyvoip.messages import Message
from lab.phones.pyvoip.signalling import Signalling
from lab.phones.pyvoip.stock import RTP, VOIP, CallState

_MIRRORED = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}


@dataclass(frozen=True, slots=True)
class Sound:
    """How a call speaks and hears; called from its audio threads."""

    speak: Callable[[], bytes]
    """160 µ-law bytes."""
    hear: Callable[[bytes, bool], None]
    """A received payload; True when it is A-law."""
    to_alaw: Callable[[bytes], bytes]


class Listener(Protocol):
    """Who is told; every method is called from the phone's own threads."""

    def registration_told(self, well: bool, code: int) -> None: ...

    def call_changed(self, call: Call) -> None: ...

    def notified(self, event: str, body: str) -> None: ...

    def key_heard(self, call: Call, key: str) -> None: ...

    def sound(self, call_id: str) -> Sound: ...


class Call(VOIP.VoIPCall):  # type: ignore[misc]
    """`code` is the final status of a call that failed, 200 after one that was up, 0 while it lasts."""

    sip: Signalling
    phone: Handset
    RTPClients: list[Audio]
    call_id: str
    code = 0
    alerted = False
    held_by_peer = False

    @property
    def is_ringing(self) -> bool:
        return bool(self.state == CallState.RINGING)

    @property
    def is_up(self) -> bool:
        return bool(self.state == CallState.ANSWERED)

    @property
    def is_over(self) -> bool:
        return bool(self.state == CallState.ENDED)

    def create_rtp_clients(self, codecs: Any, ip: str, port: int, request: Any, baseport: int) -> None:
        self.port = port
        self.assignedPorts[port] = codecs
        connection = request.body["c"][0]["address"]
        audio = Audio(codecs, ip, port, connection, baseport, self.sendmode, dtmf=self.dtmf_callback)
        sound = self.phone.listener.sound(self.call_id)
        audio.prepare(self.phone.bound.pop(port), sound.speak, sound.hear, sound.to_alaw)
        self.RTPClients.append(audio)
        self.phone.audio_made(audio)

    def dtmf_callback(self, code: str) -> None:
        self.phone.listener.key_heard(self, code)

    def rings(self, message: Message) -> None:
        self.alerted = True
        self.phone.listener.call_changed(self)

    def answer(self) -> None:
        with self.sip.guard:
            if not self.is_ringing:
                return
            text = self.sip.gen_answer(self.request, self.session_id, self.gen_ms(), _mirror(self.request))
            self.state = CallState.ANSWERED
            self.sip.send_answer(self.request, text)
        self.phone.listener.call_changed(self)

    def answered(self, request: Any) -> None:
        if self.state != CallState.DIALING:
            return
        super().answered(request)
        self._obey(request)
        self.phone.listener.call_changed(self)

    def renegotiate(self, request: Message) -> None:
        media = request.body["m"][0]
        for audio in self.RTPClients:
            audio.outIP, audio.outPort = request.body["c"][0]["address"], media["port"]
        self._obey(request)
        text = self.sip.gen_answer(request, self.session_id, self.gen_ms(), _mirror(request))
        self.sip.send_answer(request, text)
        self.phone.listener.call_changed(self)

    def deny(self) -> None:
        with self.sip.guard:
            if self.is_ringing:
                self.sip.refuse(self.request, 486, "Busy Here")
                self.ended(486)

    def hangup(self) -> None:
        """End the call, whatever its state."""
        with self.sip.guard:
            match self.state:
                case CallState.RINGING:
                    self.deny()
                case CallState.DIALING:
                    self.sip.cancel(self.call_id)
                case CallState.ANSWERED:
                    self.sip.bye(self.request)
                    self.ended(200)

    def ended(self, code: int) -> None:
        if self.is_over:
            return
        self.code, self.state = code, CallState.ENDED
        self.phone.calls.pop(self.call_id, None)
        self.sip.dialogs.pop(self.call_id, None)
        self.phone.forget_ports(self)
        for audio in self.RTPClients:
            audio.finish()
        self.phone.listener.call_changed(self)

    def send_keys(self, keys: str) -> None:
        for audio in self.RTPClients:
            audio.send_keys(keys)

    def _obey(self, message: Message) -> None:
        """Send only while the other side wants to receive (RFC 3264 §8.4); 0.0.0.0 is the old way to say hold."""
        address = message.body["c"][0]["address"]
        self.held_by_peer = message.sdp_direction in ("sendonly", "inactive") or address == "0.0.0.0"
        for audio in self.RTPClients:
            audio.muted = self.held_by_peer

    def __del__(self) -> None:
        """Stock pyVoIP releases ports here, from whatever thread collects the garbage: `ended` does it in time."""


class Handset(VOIP.VoIPPhone):  # type: ignore[misc]
    """One account of a pyVoIP phone on its own address."""

    listener: Listener
    calls: dict[str, Call]

    def __init__(self, account: Account, listener: Listener, *, address: str, user_agent: str) -> None:
        super().__init__(
            account.domain,
            account.server_port,
            account.user,
            account.password,
            myIP=address,
            callCallback=_not_called,
            sipPort=0,
        )
        self.listener = listener
        self._audios: list[Audio] = []
        self.bound: dict[int, socket.socket] = {}
        """Sockets whose port is told to the other side, until a stream takes them."""
        self.sip = Signalling(
            account.domain,
            account.server_port,
            account.user,
            account.password,
            phone=self,
            myIP=address,
            myPort=0,
            callCallback=self.callback,
            fatalCallback=self.fatal,
        )
        self.sip.mend(
            auth_user=account.auth_user,
            proxy=(account.server_host, account.server_port),
            expires_s=account.expires_s,
            user_agent=user_agent,
            name=account.display_name,
        )

    def start(self) -> None:
        self.NSD = True
        self.sip.start()

    def stop(self, failed: bool = False) -> None:
        self.sip.stop()
        for call in list(self.calls.values()):
            call.ended(0)
        for audio in self._audios:
            audio.stop()
        self._audios.clear()
        self.NSD = False

    def audio_made(self, audio: Audio) -> None:
        self._audios = [*(known for known in self._audios if known.running), audio]

    def call(self, number: str) -> Call:
        port = self.request_port()
        medias = {port: {0: RTP.PayloadType.PCMU, 101: RTP.PayloadType.EVENT}}
        with self.sip.guard:
            request, call_id, session = self.sip.invite(number, medias, RTP.TransmitType.SENDRECV)
            call = Call(self, CallState.DIALING, request, session, self.myIP, ms=medias, sendmode=self.sendmode)
            self.calls[call_id] = call
        return call

    def _callback_MSG_Invite(self, request: Message) -> None:  # noqa: N802 (pyVoIP's name)
        """Stock pyVoIP starts the callback a second late, and forgets the call when it returns.

        Who is in front of the phone is told before the caller: nobody hears a ringing that is not yet there.
        """
        session = random.randint(1, 100_000)
        call = Call(self, CallState.RINGING, request, session, self.myIP, sendmode=self.recvmode)
        self.calls[request.call_id] = call
        ringing = self.sip.gen_ringing(request)
        self.listener.call_changed(call)
        self.sip.out.sendto(ringing.encode(), self.sip.proxy)

    def registration_told(self, well: bool, code: int) -> None:
        self.listener.registration_told(well, code)

    def notified(self, event: str, body: str) -> None:
        self.listener.notified(event, body)

    def request_port(self, blocking: bool = True) -> int:
        """Bind first, tell afterwards: stock pyVoIP picks a number and hopes, so that two labs clash."""
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((self.myIP, 0))
        port = int(made.getsockname()[1])
        self.bound[port] = made
        return port

    def release_ports(self, call: Any = None) -> None:
        """Stock pyVoIP's book of ports; ours is `bound`."""

    def forget_ports(self, call: Call) -> None:
        for port in call.assignedPorts:
            unused = self.bound.pop(port, None)
            if unused is not None:
                unused.close()


def _mirror(message: Message) -> str:
    return _MIRRORED[message.sdp_direction]


def _not_called(call: Any) -> None:
    """pyVoIP answers 486 to every call unless it has a callback; `_callback_MSG_Invite` takes its place."""
