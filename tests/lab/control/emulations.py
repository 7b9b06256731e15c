"""Emulations of the vendors' HTTP interfaces, built from their manuals' facts: no phone has been asked whether they are
right. Each presses `buttons(action, argument)` and answers as the manual says, errors included.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from urllib.parse import unquote
from xml.etree import ElementTree

from aiohttp import encode_basic_auth, web

Buttons = Callable[[str, str], None]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def basic(user: str, password: str) -> Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]:
    """Ask for a user and a password in the clear."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.headers.get("Authorization") != encode_basic_auth(user, password):
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="phone"'})
        return await handler(request)

    return guard


def digest(user: str, password: str) -> Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]:
    """Ask for a digest (RFC 7616 with MD5, as phones have it)."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', request.headers.get("Authorization", "")))
        ha1 = hashlib.md5(f"{user}:phone:{password}".encode()).hexdigest()
        ha2 = hashlib.md5(f"{request.method}:{given.get('uri', '')}".encode()).hexdigest()
        middle = f"{given.get('nonce')}:{given.get('nc')}:{given.get('cnonce')}:auth"
        if given.get("response") != hashlib.md5(f"{ha1}:{middle}:{ha2}".encode()).hexdigest():
            challenge = 'Digest realm="phone", nonce="n1", qop="auth", algorithm=MD5'
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        return await handler(request)

    return guard


def yealink(buttons: Buttons, *, allowed: bool = True, asks: bool = False) -> web.Application:
    """`asks`: the phone shows `Allow remote control?` and does nothing until somebody presses OK."""
    simple = {"ASW": "answer", "X": "reject", "CALLEND": "hangup", "F_HOLD": "hold", "Reboot": "reboot"}

    async def servlet(request: web.Request) -> web.Response:
        if not allowed:
            return web.Response(status=403)
        if asks:
            return web.Response(text="Allow Remote Control?")
        query = unquote(request.rel_url.raw_query_string)
        if query.startswith("phonecfg=get"):
            return web.Response(text="accounts=1")
        keys = query.removeprefix("key=")
        if keys.startswith("number="):
            buttons("dial", keys.removeprefix("number=").partition("&")[0])
        elif keys in simple:
            buttons(simple[keys], "")
        elif keys.startswith("F_TRANSFER;"):
            buttons("transfer", "".join(keys.split(";")[1:-1]))
        else:
            buttons("press", "".join("#" if key == "POUND" else key for key in keys.split(";")))
        return web.Response()

    app = web.Application()
    app.router.add_get("/servlet", servlet)
    return app


def poly(buttons: Buttons, *, flaky: bool = False, calls: int = 1) -> web.Application:
    """`flaky`: the first dial is met with 400 and a page of HTML, as VVX do at times."""
    actions = {"answerCall": "answer", "rejectCall": "reject", "endCall": "hangup", "holdCall": "hold",
               "resumeCall": "resume"}  # fmt: skip
    failures = [True] if flaky else []

    async def status(request: web.Request) -> web.Response:
        handles = [{"CallHandle": f"0x{number:x}", "CallState": "Connected"} for number in range(1, calls + 1)]
        return web.json_response({"Status": "2000", "data": handles})

    async def control(request: web.Request) -> web.Response:
        data, what = (await request.json())["data"], request.match_info["what"]
        if what == "dial":
            if failures:
                failures.pop()
                return web.Response(status=400, text="<HTML><body>Bad Request</body></HTML>", content_type="text/html")
            if not data["Dest"]:
                return web.json_response({"Status": "4000"})
            buttons("dial", data["Dest"])
        elif what == "sendDTMF":
            buttons("press", data["Digits"])
        elif data.get("Ref") != f"0x{calls:x}":
            return web.json_response({"Status": "4007"})
        elif what == "transferCall":
            buttons("transfer", data["TransferDest"])
        else:
            buttons(actions[what], "")
        return web.json_response({"Status": "2000"})

    async def restart(request: web.Request) -> web.Response:
        buttons("reboot", "")
        return web.json_response({"Status": "2000"})

    app = web.Application(middlewares=[digest("Polycom", "lab-secret")])
    app.router.add_get("/api/v1/webCallControl/callStatus", status)
    app.router.add_post("/api/v1/callctrl/{what}", control)
    app.router.add_post("/api/v1/mgmt/safeRestart", restart)
    return app


def grandstream(buttons: Buttons, passcode: str = "lab secret&") -> web.Application:
    operations = {"acceptcall": "answer", "rejectcall": "reject", "endcall": "hangup", "holdcall": "hold"}

    async def command(request: web.Request) -> web.Response:
        if request.query.get("passcode") != passcode:
            return web.json_response({"response": "error", "body": "unauthorized"})
        match request.match_info["what"]:
            case "api-get_line_status":
                return web.json_response({"response": "success", "body": [{"line": 1, "state": "idle"}]})
            case "api-make_call":
                buttons("dial", request.query["phonenumber"])
            case "api-send_key":
                keys = request.query["keys"].split(":")
                buttons("press", "".join({"STAR": "*", "POUND": "#"}.get(key, key) for key in keys))
            case "api-sys_operation":
                buttons("reboot", "")
            case _:
                buttons(operations[request.query["cmd"]], "")
        return web.json_response({"response": "success", "body": True})

    app = web.Application()
    app.router.add_get("/cgi-bin/{what}", command)
    return app


def snom(buttons: Buttons) -> web.Application:
    keys = {"ENTER": "answer", "CANCEL": "hangup", "F_HOLD": "hold"}

    async def command(request: web.Request) -> web.Response:
        if "number" in request.query:
            buttons("dial", request.query["number"])
        elif "key_dtmf" in request.query:
            buttons("press", request.query["key_dtmf"])
        elif "key" in request.query:
            buttons(keys[request.query["key"]], "")
        return web.Response()

    async def update(request: web.Request) -> web.Response:
        buttons("reboot", "")
        return web.Response()

    app = web.Application(middlewares=[basic("admin", "lab-secret")])
    app.router.add_get("/command.htm", command)
    app.router.add_get("/advanced_update.htm", update)
    return app


def cisco_xml(buttons: Buttons, error: str = "") -> web.Application:
    """`error`: the number of a CiscoIPPhoneError it answers with."""

    async def execute(request: web.Request) -> web.Response:
        if error:
            return web.Response(text=f'<CiscoIPPhoneError Number="{error}"/>', content_type="text/xml")
        items = ElementTree.fromstring((await request.post())["XML"]).findall("ExecuteItem")  # type: ignore[arg-type]
        assert 1 <= len(items) <= 3
        for item in items:
            kind, _, what = item.get("URL", "").partition(":")
            if kind == "Dial":
                buttons("dial", what)
            elif what.startswith("KeyPad"):
                key = what.removeprefix("KeyPad")
                buttons("press", {"Star": "*", "Pound": "#"}.get(key, key))
            else:
                buttons("answer", "")
        done = "".join(f'<ResponseItem Status="0" Data="" URL="{item.get("URL")}"/>' for item in items)
        return web.Response(text=f"<CiscoIPPhoneResponse>{done}</CiscoIPPhoneResponse>", content_type="text/xml")

    async def information(request: web.Request) -> web.Response:
        return web.Response(text="<DeviceInformation/>", content_type="text/xml")

    app = web.Application(middlewares=[basic("admin", "lab-secret")])
    app.router.add_post("/CGI/Execute", execute)
    app.router.add_get("/DeviceInformationX", information)
    return app


def fanvil(buttons: Buttons) -> web.Application:
    simple = {"OK": "answer", "X": "reject", "RELEASE": "hangup", "F_HOLD": "hold"}

    async def command(request: web.Request) -> web.Response:
        keys = unquote(request.rel_url.raw_query_string).removeprefix("key=")
        if keys in simple:
            buttons(simple[keys], "")
        elif keys.startswith("SPEAKER;"):
            buttons("dial", keys.split(";")[1])
        elif keys:
            buttons("press", "".join("#" if key == "POUND" else key for key in keys.split(";")))
        return web.Response()

    app = web.Application(middlewares=[basic("admin", "lab-secret")])
    app.router.add_get("/cgi-bin/ConfigManApp.com", command)
    return app


def softphone(buttons: Buttons, *, unwilling: str = "") -> web.Application:
    """`switchroom softphone`, which is ours; `unwilling` is why its program does not do it now."""

    async def press(request: web.Request) -> web.Response:
        told = await request.json()
        if unwilling:
            return web.Response(status=409, text=unwilling)
        buttons(told["action"], told["argument"])
        return web.json_response({})

    async def look(request: web.Request) -> web.Response:
        return web.json_response({"device": "231"})

    app = web.Application()
    app.router.add_get("/", look)
    app.router.add_post("/press", press)
    return app


baresip = linphone = softphone
