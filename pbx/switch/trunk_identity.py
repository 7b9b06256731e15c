"""Who calls, between networks that trust each other: P-Asserted-Identity and Privacy (RFC 3323, RFC 3325), and by whose
rules a call came to be sent on: Diversion (RFC 5806) and History-Info (RFC 7044)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pbx.callflow import routing
from pbx.callflow.question import Asked, CallerId
from pbx.domain.destinations import ToSupport
from pbx.sip.message import Request
from pbx.sip.uri import BadUri, NameAddr, parse_name_addr

if TYPE_CHECKING:
    from pbx.switch.calls import Call
    from pbx.switch.switch import Switch

Headers = list[tuple[str, str]]
ANONYMOUS = NameAddr("sip:anonymous@anonymous.invalid", "Anonymous")
_REASONS = {
    "always": "unconditional",
    "busy": "user-busy",
    "on active": "user-busy",
    "no answer": "no-answer",
    "offline": "unavailable",
    "do not disturb": "do-not-disturb",
    "deflected": "deflection",
}
"""Why routing sent a call on, in the words of RFC 5806 §5."""
_CAUSES = {
    "unconditional": 302, "user-busy": 486, "no-answer": 408, "unavailable": 480, "do-not-disturb": 480,
    "deflection": 480,
}  # fmt: skip
"""The same as the cause of a retargeting (RFC 4458 §2)."""


class AssertedCaller(NamedTuple):
    number: str
    name: str
    private: bool


def asserted_caller(request: Request) -> AssertedCaller:
    """Return who a trusted network says is calling: P-Asserted-Identity before From."""
    sender = request.from_
    wishes = {wish.strip().lower() for value in request.all("Privacy") for wish in value.split(";")}
    private = bool(wishes & {"id", "user", "header"}) or sender.parsed.host == "anonymous.invalid"
    for value in request.tokens("P-Asserted-Identity"):
        try:
            vouched = parse_name_addr(value)
            return AssertedCaller(vouched.user.lstrip("+"), vouched.display or sender.display, private)
        except BadUri:
            continue  # another may be right; From is always there
    anonymous = sender.user.lower() in ("anonymous", "")
    return AssertedCaller("" if private and anonymous else sender.user.lstrip("+"), sender.display, private)


def trunk_headers(switch: Switch, call: Call, shown: CallerId, number: str) -> Headers:
    """Return what the carrier is told of a call to `number` beside From."""
    headers: Headers = []
    vouched = shown.number or call.asked.asserted
    if vouched:
        headers.append(("P-Asserted-Identity", f"<{_uri(switch, vouched)}>"))
    if call.asked.private:
        headers.append(("Privacy", "id"))
    diversions = [(_uri(switch, _number_of(switch, extension)), _REASONS.get(why, "unknown"))
                  for extension, why in call.diversions]  # fmt: skip
    headers += [("Diversion", f"<{uri}>;reason={reason};counter=1") for uri, reason in reversed(diversions)]
    if diversions:
        headers.append(("History-Info", _history(diversions, _uri(switch, number))))
    return headers


def _history(diversions: list[tuple[str, str]], target: str) -> str:
    """Each stop of the call, the cause that ended it on the next (RFC 7044 §5, RFC 4458)."""
    entries, index, cause = [], "1", ""
    for uri, reason in diversions:
        entries.append(f"<{uri}{cause}>;index={index}")
        index, cause = f"{index}.1", f";cause={_CAUSES.get(reason, 404)}"
    return ", ".join([*entries, f"<{target}{cause}>;index={index};mp={index.rpartition('.')[0]}"])


def _number_of(switch: Switch, extension: str) -> str:
    """The number a user is known by outside, else the extension."""
    asked = Asked("", extension, "", extension)
    return routing.caller_id_for(switch.directory, asked, ToSupport()).number or extension


def _uri(switch: Switch, number: str) -> str:
    return f"sip:{'+' if len(number) > 6 and number.isdigit() else ''}{number}@{switch.realm}"
