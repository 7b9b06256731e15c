"""PJSIP as a phone, by the bindings of the wheel `pjsua2-python`, booted from what the server served.

PJSIP is GPL-2.0: a program of its own (`python -m tests.interop.pjsip URL ADDRESS FOLDER`), which only tests start. The
wheel has room for eight accounts and four calls. Everything happens inside `libHandleEvents`, so no callback comes on
a foreign thread.
"""

from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pjsua2 as pj

from tests.interop.matrix.sound import RATE_HZ, tone, write
from tests.interop.program import tell

STATES = {pj.PJSIP_INV_STATE_CONFIRMED: "up", pj.PJSIP_INV_STATE_DISCONNECTED: "over"}
TONE_S = 4.0


class Call(pj.Call):
    def __init__(self, phone: Phone, call_id: int = pj.PJSUA_INVALID_ID) -> None:
        super().__init__(phone.account, call_id)
        self.phone = phone
        self.number = len(phone.calls) + 1
        self.recorder = pj.AudioMediaRecorder()
        self.recorder.createRecorder(str(phone.folder / f"heard-{self.number}.wav"))
        phone.calls.append(self)

    def onCallState(self, prm: Any) -> None:  # noqa: N802 - named by PJSIP
        state = self.getInfo().state
        if state in STATES:
            tell(STATES[state], call=self.number, status=self.getInfo().lastStatusCode)

    def onCallMediaState(self, prm: Any) -> None:  # noqa: N802
        for media in self.sounds():
            self.phone.tone.startTransmit(media)
            media.startTransmit(self.recorder)

    def onDtmfDigit(self, prm: Any) -> None:  # noqa: N802
        tell("key", call=self.number, key=prm.digit)

    def onCallTransferStatus(self, prm: Any) -> None:  # noqa: N802
        tell("transfer", call=self.number, status=prm.statusCode)

    def sounds(self) -> list[Any]:
        info = self.getInfo()  # its media dangle once it is collected
        return [
            self.getAudioMedia(at)
            for at, media in enumerate(info.media)
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE
        ]


class Account(pj.Account):
    def __init__(self, phone: Phone) -> None:
        super().__init__()
        self.phone = phone

    def onRegState(self, prm: Any) -> None:  # noqa: N802
        tell("registered", status=prm.code)

    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802
        call = Call(self.phone, prm.callId)
        call.answer(operation(180))
        tell("rings", call=call.number)

    def onMwiInfo(self, prm: Any) -> None:  # noqa: N802
        tell("lamp", body=prm.rdata.wholeMsg.split("\r\n\r\n", 1)[-1])


class Phone:
    def __init__(self, config_url: str, address: str, folder: Path, hertz: float) -> None:
        with urlopen(config_url, timeout=10) as answer:
            (line,) = json.load(answer)["lines"]
        self.folder = folder
        self.calls: list[Call] = []
        self.domain = line["domain"]
        self.endpoint = endpoint = pj.Endpoint()
        endpoint.libCreate()
        config = pj.EpConfig()
        config.logConfig.level = config.logConfig.consoleLevel = 0
        config.uaConfig.threadCnt, config.uaConfig.mainThreadOnly = 0, True
        config.uaConfig.userAgent = "PJSIP"
        config.medConfig.noVad, config.medConfig.ecTailLen, config.medConfig.clockRate = True, 0, RATE_HZ
        endpoint.libInit(config)
        transport = pj.TransportConfig()
        transport.port, transport.boundAddress = 0, address
        endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
        endpoint.audDevManager().setNullDev()
        endpoint.libStart()
        for codec in endpoint.codecEnum2():
            endpoint.codecSetPriority(codec.codecId, {"PCMU/8000/1": 255, "PCMA/8000/1": 254}.get(codec.codecId, 0))
        self.tone = pj.AudioMediaPlayer()
        self.tone.createPlayer(str(write(folder / "tone.wav", tone(hertz, TONE_S))))
        self.account = Account(self)
        self.account.create(_account(line, address))

    def run(self) -> None:
        """Live until the end of the input."""
        buffered = b""
        while True:
            self.endpoint.libHandleEvents(10)
            while select.select([0], [], [], 0)[0]:
                chunk = os.read(0, 65536)
                if not chunk:
                    return
                buffered += chunk
                *lines, buffered = buffered.split(b"\n")
                for text in lines:
                    command, argument = json.loads(text)
                    try:
                        COMMANDS[command](self, argument)
                    except Exception as fault:  # noqa: BLE001 - SWIG raises pj.Error and others: the test is to know
                        tell("fault", command=command, fault=str(fault))

    def dial(self, number: str) -> None:
        call = Call(self)
        tell("dials", call=call.number)
        call.makeCall(f"sip:{number}@{self.domain}", operation())

    def hold(self, _: str) -> None:
        self.calls[-1].setHold(operation())

    def resume(self, _: str) -> None:
        again = operation()
        again.opt.flag = pj.PJSUA_CALL_UNHOLD
        self.calls[-1].reinvite(again)

    def transfer(self, number: str) -> None:
        self.calls[-1].xfer(f"sip:{number}@{self.domain}", operation())

    def join(self, _: str) -> None:
        """The other end of the call before takes our place in the newest."""
        self.calls[-2].xferReplaces(self.calls[-1], operation())

    def press_by_info(self, keys: str) -> None:
        wanted = pj.CallSendDtmfParam()
        wanted.method, wanted.digits, wanted.duration = pj.PJSUA_DTMF_METHOD_SIP_INFO, keys, 160
        self.calls[-1].sendDtmf(wanted)

    def press_in_band(self, keys: str) -> None:
        generator, digits = pj.ToneGenerator(), pj.ToneDigitVector()
        generator.createToneGenerator(RATE_HZ, 1)
        for key in keys:
            digit = pj.ToneDigit()
            digit.digit, digit.on_msec, digit.off_msec, digit.volume = key, 200, 150, 8000
            digits.append(digit)
        self.generator = generator
        for media in self.calls[-1].sounds():
            generator.startTransmit(media)
        generator.playDigits(digits)

    def hang_up_all(self, _: str) -> None:
        self.endpoint.hangupAllCalls()


COMMANDS: dict[str, Callable[[Phone, str], None]] = {
    "dial": Phone.dial,
    "answer": lambda phone, _: phone.calls[-1].answer(operation(200)),
    "ring with sound": lambda phone, _: phone.calls[-1].answer(operation(183)),
    "hang up": Phone.hang_up_all,
    "hold": Phone.hold,
    "resume": Phone.resume,
    "transfer": Phone.transfer,
    "join": Phone.join,
    "press": lambda phone, keys: phone.calls[-1].dialDtmf(keys),
    "press by INFO": Phone.press_by_info,
    "press in-band": Phone.press_in_band,
}


def operation(status: int = 0) -> Any:
    made = pj.CallOpParam(True)
    if status:
        made.statusCode = status
    return made


def _account(line: dict[str, Any], address: str) -> Any:
    server = line["server"]
    where = f"sip:{server['host']}:{server['port']};transport={server['transport']}"
    config = pj.AccountConfig()
    config.idUri = f"sip:{line['user']}@{line['domain']}"
    config.regConfig.registrarUri = f"sip:{line['domain']}"
    config.sipConfig.proxies.append(f"{where};lr")
    config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", line["auth_user"], 0, line["password"]))
    config.mediaConfig.transportConfig.boundAddress = address
    config.mediaConfig.transportConfig.port = 14_000
    config.mwiConfig.enabled = bool(line["subscribe_mwi"])
    return config


if __name__ == "__main__":
    phone = Phone(sys.argv[1], sys.argv[2], Path(sys.argv[3]), float(sys.argv[4]))
    phone.run()
    os._exit(0)  # destructors of pj.Call assert once the library is gone
