"""pyVoIP's SIP client, mended: dialogs as RFC 3261 wants them, digest by the request's URI, retransmission.

One thread a phone waits on the socket and keeps the timers; stock pyVoIP polls every 10 ms and holds a lock
while it waits for an answer. Whatever the other side may do, the call ends: every final answer is taken,
acknowledged and told.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import socket
import threading
import time
from typing import Any

from lab.phones.pyvoip.dialogs import Dialog, Outbound, Resend
from lab.phones.pyvoip.digest import answer, strongest
from lab.phones.pyvoip.messages import METHODS, Message
from lab.phones.pyvoip.stock import SIP, PhoneStatus
from pbx.numerals import natural

T1_S, T2_S = 0.5, 4.0
GIVE_UP_S = 32.0
_KEPT_ANSWERS = 64


class Signalling(SIP.SIPClient):  # type: ignore[misc]
    """`start` and `stop` own the socket and the thread; all else may be called from any thread."""

    myPort: int  # noqa: N815 (pyVoIP's name)

    def mend(self, *, auth_user: str, proxy: tuple[str, int], expires_s: int, user_agent: str, name: str) -> None:
        self.auth_user, self.proxy, self.default_expires = auth_user, proxy, expires_s
        self.user_agent, self.display_name = user_agent, name
        # Stock pyVoIP counts Call-IDs from 1, so a restarted lab would repeat them.
        self.callID = SIP.Counter(secrets.randbits(48))
        self.guard = threading.RLock()
        self.dialogs: dict[str, Dialog] = {}
        self._resends: dict[tuple[str, int, str], Resend] = {}
        self._answers: dict[tuple[str, int, str], bytes] = {}
        self._register_id = self.gen_call_id()
        self._register_challenges = 0
        self._register_due = 0.0
        self._thread: threading.Thread | None = None

    # --- life -----------------------------------------------------------------------------------------

    def start(self) -> None:
        self.NSD = True
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.bind((self.myIP, self.myPort))
        self.myPort = self.s.getsockname()[1]
        self.out = Outbound(self.s, self.proxy)
        self._thread = threading.Thread(target=self._work, name=f"pyVoIP SIP {self.username}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """As when the power goes: nobody is told, the binding expires."""
        if not self.NSD:
            return
        self.NSD = False
        with contextlib.suppress(OSError):
            self.s.sendto(b"", self.s.getsockname())  # wakes the thread
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(2.0)
        self.s.close()

    def _work(self) -> None:
        while self.NSD:
            with self.guard:
                wait = self._timers(time.monotonic())
            self.s.settimeout(wait)
            try:
                raw = self.s.recv(65535)
            except TimeoutError:
                continue
            except ConnectionRefusedError:
                continue  # ICMP from a server that is away; the retransmission will find it when it is back
            except OSError:
                return
            if len(raw) <= 4:
                continue  # keep-alive
            try:
                message = Message(raw)
            except (SIP.SIPParseError, ValueError, IndexError):
                continue
            with self.guard:
                self.parse_message(message)

    def _timers(self, now: float) -> float:
        """Send again what is due; return how long the socket may be waited on, at most 0.25 s."""
        if self._register_due <= now:
            self._register_challenges = 0
            self._register_due = now + GIVE_UP_S
            self._send_register()
        for key, resend in list(self._resends.items()):
            if resend.until <= now:
                del self._resends[key]
                self._gave_up(key)
            elif resend.due <= now:
                self.out.sendto(resend.data, self.proxy)
                resend.interval = min(resend.interval * 2, T2_S)
                resend.due = now + resend.interval
        nearest = min([self._register_due, *(resend.due for resend in self._resends.values())])
        return min(max(nearest - time.monotonic(), 0.005), 0.25)

    def _gave_up(self, key: tuple[str, int, str]) -> None:
        call_id, _, method = key
        if method == "INVITE":
            self._over(call_id, 408)
        elif method == "REGISTER":
            self._registered(False, 408)
            self._register_due = time.monotonic() + T2_S

    # --- registration ---------------------------------------------------------------------------------

    def _send_register(self, authorization: str = "") -> None:
        text = self.gen_first_response()
        text = re.sub(r"Call-ID: .*\r\n", lambda _: f"Call-ID: {self._register_id}\r\n", text)
        text = self._signed(text, authorization)
        cseq = int(re.search(r"CSeq: (\d+)", text)[1])  # type: ignore[index]
        self._send(text, (self._register_id, cseq, "REGISTER"))

    def _register_answered(self, message: Message) -> None:
        code = message.code
        if code in (401, 407) and self._register_challenges < 2:
            self._register_challenges += 1
            header = self._authorization(message, "REGISTER", f"sip:{self.server}")
            if header:
                self._send_register(header)
                return
        now = time.monotonic()
        if 200 <= code < 300:
            granted = self._granted(message)
            # Half the granted time, as handsets do: a lost refresh leaves room for a second one.
            self._register_due = now + max(granted / 2, 1.0)
            self._registered(True, code)
        elif code >= 300:
            self._register_due = now + 2 * T2_S
            self._registered(False, code)

    def _granted(self, message: Message) -> int:
        for contact in message.values("Contact"):
            match = re.search(r";\s*expires=(\d+)", contact, re.IGNORECASE)
            if f"@{self.myIP}:{self.myPort}" in contact and match:
                return int(match[1])
        told_s = natural(message.value("Expires"))
        return self.default_expires if told_s is None else told_s

    def _registered(self, well: bool, code: int) -> None:
        self.phone._status = PhoneStatus.REGISTERED if well else PhoneStatus.FAILED
        self.phone.registration_told(well, code)

    # --- calls we make --------------------------------------------------------------------------------

    def invite(self, number: str, ms: Any, sendtype: Any) -> tuple[Message, str, int]:
        call_id, session, branch = self.gen_call_id(), self.sessID.next(), self._branch()
        text = self.gen_invite(number, str(session), ms, sendtype, branch, call_id)
        local = f'"{self.display_name}" <sip:{self.username}@{self.server}>;tag={self.tagLibrary[call_id]}'
        text = re.sub(r"From: .*\r\n", lambda _: f"From: {local}\r\n", text)
        text = text.replace(f"branch={branch}", f"branch={branch};rport")
        text = self._signed(text, "")
        cseq = int(re.search(r"CSeq: (\d+)", text)[1])  # type: ignore[index]
        uri = f"sip:{number}@{self.server}"
        dialog = Dialog(text, uri, branch, cseq, local=local, remote=f"<{uri}>")
        with self.guard:
            self.dialogs[call_id] = dialog
            self._send(text, (call_id, cseq, "INVITE"))
        return Message(text.encode()), call_id, session

    def cancel(self, call_id: str) -> None:
        """End our own call before it is answered; it waits for the first provisional answer (RFC 3261 §9.1)."""
        dialog = self.dialogs[call_id]
        dialog.cancel_wanted = True
        if dialog.provisional:
            self._send(
                self._request("CANCEL", dialog, call_id, dialog.cseq, branch=dialog.branch, uri=dialog.uri),
                (call_id, dialog.cseq, "CANCEL"),
            )

    def bye(self, request: Any) -> None:
        call_id = request.headers["Call-ID"]
        dialog = self.dialogs.get(call_id)
        if dialog is None:
            return
        dialog.cseq += 1
        self._send(self._request("BYE", dialog, call_id, dialog.cseq), (call_id, dialog.cseq, "BYE"))

    def _invite_answered(self, message: Message, dialog: Dialog) -> None:
        call_id, (cseq, _) = message.call_id, message.cseq
        if message.code < 200:
            self._progress(message, dialog)
            return
        if message.code < 300:
            self._accepted(message, dialog, cseq)
            return
        remote = message.value("To")
        ack = self._request("ACK", dialog, call_id, cseq, branch=dialog.branch, uri=dialog.uri, remote=remote)
        self.out.sendto(ack.encode(), self.proxy)
        if cseq != dialog.cseq:
            return
        if message.code in (401, 407) and not dialog.challenged and self._again(message, dialog):
            return
        self._over(call_id, message.code)

    def _progress(self, message: Message, dialog: Dialog) -> None:
        dialog.provisional = True
        if dialog.cancel_wanted:
            self.cancel(message.call_id)
        call = self.phone.calls.get(message.call_id)
        if call is not None and message.code > 100:
            call.rings(message)

    def _accepted(self, message: Message, dialog: Dialog, cseq: int) -> None:
        call_id = message.call_id
        dialog.remote = message.value("To")
        dialog.uri = message.contact_uri or dialog.uri
        dialog.routes = [route for value in message.values("Record-Route") for route in value.split(",")][::-1]
        self.out.sendto(self._request("ACK", dialog, call_id, cseq).encode(), self.proxy)
        if dialog.confirmed:
            return  # the 200 again: our ACK was lost
        dialog.confirmed = True
        call = self.phone.calls.get(call_id)
        if call is None or dialog.cancel_wanted or not message.has_audio:
            self.bye(message)
            self._over(call_id, 487 if dialog.cancel_wanted else 488)
            return
        call.answered(message)

    def _again(self, message: Message, dialog: Dialog) -> bool:
        """Repeat the INVITE with credentials: the next CSeq *and a new branch*, or it is a retransmission."""
        header = self._authorization(message, "INVITE", dialog.uri)
        if not header:
            return False
        dialog.challenged = True
        old, dialog.branch = dialog.branch, self._branch()
        text = dialog.invite.replace(old, dialog.branch)
        text = text.replace(f"CSeq: {dialog.cseq} INVITE", f"CSeq: {dialog.cseq + 1} INVITE")
        self.inviteCounter.next()
        dialog.cseq += 1
        self._send(self._signed(text, header), (message.call_id, dialog.cseq, "INVITE"))
        return True

    def _over(self, call_id: str, code: int) -> None:
        self.dialogs.pop(call_id, None)
        call = self.phone.calls.get(call_id)
        if call is not None:
            call.ended(code)

    # --- what arrives ---------------------------------------------------------------------------------

    def parse_message(self, message: Message) -> None:
        if message.type == SIP.SIPMessageType.RESPONSE:
            self._response(message)
            return
        key = (message.call_id, *message.cseq)
        repeated = self._answers.get(key)
        if repeated is not None:
            self.out.sendto(repeated, self.proxy)
            return
        match message.method:
            case "INVITE":
                self._invited(message)
            case "ACK":
                self._resends.pop((message.call_id, message.cseq[0], "ACK"), None)
            case "BYE":
                self._hung_up(message)
            case "CANCEL":
                self._cancelled(message)
            case "NOTIFY":
                self.answer_plain(message, 200, "OK")
                self.phone.notified(
                    message.value("Event"), message.raw.partition(b"\r\n\r\n")[2].decode("utf-8", "replace")
                )
            case "OPTIONS" | "INFO" | "MESSAGE":
                self.answer_plain(message, 200, "OK")
            case _:
                self.answer_plain(message, 405, "Method Not Allowed")

    def _response(self, message: Message) -> None:
        cseq, method = message.cseq
        if message.code >= 200 or method == "INVITE":
            self._resends.pop((message.call_id, cseq, method), None)
        if method == "REGISTER":
            self._register_answered(message)
        elif method == "INVITE" and (dialog := self.dialogs.get(message.call_id)) is not None:
            self._invite_answered(message, dialog)

    def _invited(self, message: Message) -> None:
        if not message.has_audio:
            self.answer_plain(message, 488, "Not Acceptable Here")
            return
        call = self.phone.calls.get(message.call_id)
        if call is not None:
            call.renegotiate(message)
            return
        self.dialogs[message.call_id] = Dialog("", message.contact_uri, remote=message.value("From"))
        self.phone.callback(message)
        call = self.phone.calls.get(message.call_id)
        if call is not None:
            tag = self.tagLibrary[message.call_id]
            self.dialogs[message.call_id].local = f"{message.value('To')};tag={tag}"

    def send_answer(self, message: Message, text: str) -> None:
        """Send our 200 to an INVITE until it is acknowledged."""
        cseq, method = message.cseq
        self._remember((message.call_id, cseq, method), text.encode())
        self._send(text, (message.call_id, cseq, "ACK"))

    def _hung_up(self, message: Message) -> None:
        known = message.call_id in self.phone.calls
        self.answer_plain(message, 200 if known else 481, "OK" if known else "Call/Transaction Does Not Exist")
        self._over(message.call_id, 200)

    def _cancelled(self, message: Message) -> None:
        call = self.phone.calls.get(message.call_id)
        self.answer_plain(message, 200, "OK")
        if call is not None and call.is_ringing:
            self.refuse(call.request, 487, "Request Terminated")
            self._over(message.call_id, 487)

    def refuse(self, request: Any, code: int, reason: str) -> None:
        """Answer their INVITE finally and negatively, until it is acknowledged."""
        text = self._answer_text(request, code, reason)
        cseq, method = request.cseq
        self._remember((request.call_id, cseq, method), text.encode())
        self._send(text, (request.call_id, cseq, "ACK"))

    def answer_plain(self, message: Message, code: int, reason: str) -> None:
        text = self._answer_text(message, code, reason)
        self._remember((message.call_id, *message.cseq), text.encode())
        self.out.sendto(text.encode(), self.proxy)

    def _answer_text(self, message: Message, code: int, reason: str) -> str:
        to = message.value("To")
        if ";tag=" not in to:
            tag = self.tagLibrary.setdefault(message.call_id, self.gen_tag())
            to += f";tag={tag}"
        vias = "".join(f"Via: {value}\r\n" for value in message.values("Via"))
        return (
            f"SIP/2.0 {code} {reason}\r\n{vias}From: {message.value('From')}\r\nTo: {to}\r\n"
            f"Call-ID: {message.call_id}\r\nCSeq: {message.value('CSeq')}\r\n"
            f"User-Agent: {self.user_agent}\r\nAllow: {', '.join(METHODS)}\r\nContent-Length: 0\r\n\r\n"
        )

    # --- texts ----------------------------------------------------------------------------------------

    def _request(
        self, method: str, dialog: Dialog, call_id: str, cseq: int, *, branch: str = "", uri: str = "", remote: str = ""
    ) -> str:
        routes = "".join(f"Route: {route.strip()}\r\n" for route in dialog.routes)
        return (
            f"{method} {uri or dialog.uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self.myIP}:{self.myPort};branch={branch or self._branch()};rport\r\n"
            f"Max-Forwards: 70\r\n{routes}From: {dialog.local}\r\nTo: {remote or dialog.remote}\r\n"
            f"Call-ID: {call_id}\r\nCSeq: {cseq} {method}\r\nUser-Agent: {self.user_agent}\r\nContent-Length: 0\r\n\r\n"
        )

    def _authorization(self, message: Message, method: str, uri: str) -> str:
        name = "WWW-Authenticate" if message.code == 401 else "Proxy-Authenticate"
        challenge = strongest(message.values(name))
        if not challenge:
            return ""
        value = answer(
            challenge,
            user=self.auth_user,
            password=self.password,
            method=method,
            uri=uri,
            cnonce=secrets.token_hex(8),
        )
        return f"{'Authorization' if message.code == 401 else 'Proxy-Authorization'}: {value}\r\n"

    def _signed(self, text: str, authorization: str) -> str:
        text = re.sub(r"User-Agent: .*\r\n", lambda _: f"User-Agent: {self.user_agent}\r\n", text)
        return text.replace("Max-Forwards:", f"{authorization}Max-Forwards:", 1)

    def _branch(self) -> str:
        return "z9hG4bK" + secrets.token_hex(12)

    def _send(self, text: str, key: tuple[str, int, str]) -> None:
        data, now = text.encode(), time.monotonic()
        self._resends[key] = Resend(data, now + T1_S, T1_S, now + GIVE_UP_S)
        self.out.sendto(data, self.proxy)

    def _remember(self, key: tuple[str, int, str], data: bytes) -> None:
        self._answers[key] = data
        while len(self._answers) > _KEPT_ANSWERS:
            self._answers.pop(next(iter(self._answers)))
