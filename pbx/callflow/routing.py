"""Routing: what was dialled → the first destination, with the record of every rule tried. Pure.

Emergency and 611 come first and depend on nothing: no barring, do not disturb, hours, scope or registration.
From outside only the domain's own numbers lead anywhere, so that nobody calls out through it (toll fraud).
"""

from __future__ import annotations

from typing import assert_never

from pbx.callflow.answering import apply_rules, is_listed
from pbx.callflow.decisions import DecisionRecord, Trail
from pbx.callflow.entering import (
    agent_can_be_reached,
    conference_entry,
    intro_in_force,
    menu_in_force,
    music_of,
    queue_entry,
)
from pbx.callflow.feature_codes import INTERCOM, feature_dialled
from pbx.callflow.identity import (
    caller_id_for,
    caller_in_words,
    calling_user,
    emergency_desk,
    emergency_location,
    forwarder_shown,
    plain,
)
from pbx.callflow.question import (
    MAX_HOPS,
    Asked,
    AttendantRoute,
    CallerId,
    ConferenceRoute,
    EmergencyLocation,
    Forward,
    Presence,
    QueueRoute,
    Ringing,
    RingPlan,
    Route,
    UserRoute,
)
from pbx.clock import Moment
from pbx.domain.destinations import (
    Cause,
    Destination,
    HangUp,
    ToAttendant,
    ToConference,
    ToDevice,
    ToEmergency,
    ToExternal,
    ToFax,
    ToFeature,
    ToMailbox,
    ToMailboxLogin,
    ToPage,
    ToPark,
    ToQueue,
    ToService,
    ToSupport,
    ToToggle,
    ToUser,
)
from pbx.domain.dialplan import NEVER_BARRED, SERVICE_CODES, Dialled, Means, is_always_taken, read_dialled
from pbx.domain.dialpolicy import kind_of_call
from pbx.domain.directory import Directory
from pbx.domain.numbers import PhoneNumber

__all__ = [
    "MAX_HOPS",
    "Asked",
    "AttendantRoute",
    "CallerId",
    "ConferenceRoute",
    "EmergencyLocation",
    "Forward",
    "Presence",
    "QueueRoute",
    "RingPlan",
    "Ringing",
    "Route",
    "UserRoute",
    "agent_can_be_reached",
    "caller_id_for",
    "destination_of_extension",
    "emergency_desk",
    "emergency_location",
    "forwarder_shown",
    "music_of",
    "resolve_attendant",
    "resolve_conference",
    "resolve_queue",
    "resolve_user",
    "route",
    "route_off_net",
]


def route(directory: Directory, asked: Asked, presence: Presence, at: Moment) -> Route:
    """Return the first destination of `asked` and why. Never raises; what leads nowhere is a `HangUp`."""
    trail = Trail()
    prefix = directory.domain.platform.outside_prefix
    dialled = read_dialled(asked.dialled, directory.area_code_of(calling_user(directory, asked)), prefix)
    number = _number_called(directory, dialled)
    destination = _first(directory, asked, dialled, number, at, trail)
    caller_id = caller_id_for(directory, asked, destination)
    if number is not None and number.caller_id_prefix:
        name = f"{number.caller_id_prefix} {caller_id.name or caller_id.number}"
        caller_id = CallerId(caller_id.number, name)
        trail.applied("caller id", "prefix", "", number.caller_id_prefix, f"numbers/{number.number}")
    ends, ring, menu = _follow(directory, destination, asked, presence, at, trail)
    question = f"{plain(dialled.digits) or 'nothing'} from {caller_in_words(asked)}"
    return Route(destination, caller_id, trail.record(question, ends), ring, menu)


def resolve_user(directory: Directory, extension: str, asked: Asked, presence: Presence, at: Moment) -> UserRoute:
    """Return what the answering rules of `extension` do with the call now."""
    trail = Trail()
    result = apply_rules(directory, extension, asked, presence, at, trail)
    outcome = result.destination.label if isinstance(result, Forward) else f"user:{extension}"
    return UserRoute(extension, result, trail.record(f"user {extension} for {caller_in_words(asked)}", outcome))


def resolve_attendant(directory: Directory, extension: str, menu: str, at: Moment) -> AttendantRoute | None:
    """Return the menu to enter: `menu` itself, but for the first menu (or `main`) the closed one outside opening hours.

    None when there is no such attendant or menu.
    """
    trail = Trail()
    entered = menu_in_force(directory, extension, menu, at, trail)
    if entered is None:
        return None
    attendant, chosen, time_frame = entered
    first = attendant.menu(menu) == attendant.menus[0]
    intro = intro_in_force(directory, attendant, at, trail) if first else ""
    record = trail.record(f"attendant {extension}/{menu}", f"attendant:{extension}/{chosen.name}")
    return AttendantRoute(attendant, chosen, time_frame, record, intro)


def resolve_queue(directory: Directory, extension: str, presence: Presence) -> QueueRoute | None:
    """Tell whether a caller may join the queue and which agents can be offered. None when there is no such queue."""
    trail = Trail()
    entry = queue_entry(directory, extension, presence, trail)
    if entry is None:
        return None
    queue, agents, refused = entry
    outcome = refused.label if refused else f"queue:{extension}"
    return QueueRoute(queue, agents, refused, trail.record(f"queue {extension}", outcome))


def resolve_conference(directory: Directory, extension: str, asked: Asked) -> ConferenceRoute | None:
    """Return the conference and whether the caller owns it. None when there is no such conference."""
    trail = Trail()
    entry = conference_entry(directory, extension, asked, trail)
    if entry is None:
        return None
    return ConferenceRoute(*entry, trail.record(f"conference {extension}", f"conference:{extension}"))


def destination_of_extension(directory: Directory, extension: str) -> Destination | None:
    """Return the user, queue, attendant or conference with that extension (also for dial-by-extension), or None."""
    if extension in directory.users_by_extension:
        return ToUser(extension=extension)
    if extension in directory.queues_by_extension:
        return ToQueue(extension=extension)
    if extension in directory.attendants_by_extension:
        return ToAttendant(extension=extension)
    if extension in directory.conferences_by_extension:
        return ToConference(extension=extension)
    if extension in directory.page_groups_by_extension:
        return ToPage(extension=extension)
    return None


def _number_called(directory: Directory, dialled: Dialled) -> PhoneNumber | None:
    return directory.numbers_by_digits.get(dialled.digits) if dialled.means is Means.NUMBER else None


def _first(
    directory: Directory, asked: Asked, dialled: Dialled, number: PhoneNumber | None, at: Moment, trail: Trail
) -> Destination:
    """Return where the dialled string leads, nothing of the call's later path considered."""
    digits = plain(dialled.digits)
    match dialled.means:
        case Means.EMERGENCY:
            return _emergency(directory, asked, dialled.digits, trail)
        case Means.SUPPORT:
            trail.applied("dial plan", "611", "", "the provider's support, for everybody and always", "support")
            return ToSupport()
        case Means.NUMBER if dialled.digits in directory.reseller.support_numbers:
            trail.applied("dial plan", "support number", digits, f"the support of {directory.reseller.name}", "support")
            return ToSupport()
        case Means.NUMBER if number is not None:
            return _by_treatment(directory, number, asked, at, trail)
        case _ if asked.outside:
            trail.failed("number", digits, "", "not a number of this domain; outside callers reach no other", "numbers")
        case Means.NUMBER if (ten := destination_of_extension(directory, dialled.digits[1:])) is not None:
            trail.applied("dial plan", "extension", dialled.digits[1:], ten.label, "")
            return ten
        case Means.NUMBER | Means.INTERNATIONAL:
            return _outward(directory, asked, ToExternal(number=dialled.digits), trail)
        case Means.SERVICE_CODE:
            return _outward(directory, asked, ToService.model_validate({"code": dialled.digits}), trail)
        case Means.EXTENSION:
            destination = destination_of_extension(directory, digits)
            if destination is not None:
                trail.applied("dial plan", "extension", digits, destination.label, "")
                return destination
            trail.failed("dial plan", "extension", digits, "nobody has it", "users")
        case Means.MAILBOX:
            user = directory.users_by_extension.get(digits)
            if user is not None and user.voicemail:
                trail.applied("dial plan", "7 and extension", digits, "straight to voicemail", f"users/{digits}")
                return ToMailbox(extension=digits)
            trail.failed("dial plan", "7 and extension", digits, "there is no such mailbox", "users")
        case Means.MAILBOX_LOGIN:
            caller = calling_user(directory, asked)
            own = caller.extension if digits == "5001" and caller is not None and caller.voicemail else ""
            trail.applied("dial plan", f"voicemail {digits}", "", f"opens box {own}" if own else "asks for the box", "")
            return ToMailboxLogin(extension=own)
        case Means.INTERCOM if (intercom := feature_dialled(f"{INTERCOM}{digits}")) is not None:
            trail.applied("dial plan", "99 and extension", digits, "intercom: the phone answers by itself", "features")
            return intercom
        case Means.PARK:
            fetches = "whoever is parked there is fetched, else the caller waits there"
            saw = "waits there" if asked.dialled.startswith("*") else fetches
            trail.applied("dial plan", f"park slot {digits}", "", saw, "features")
            return ToPark(slot=digits)
        case Means.NOTHING | Means.FEATURE if (feature := feature_dialled(dialled.digits)) is not None:
            trail.applied("dial plan", f"feature code {feature.code}", feature.argument, "is answered", "features")
            return feature
        case Means.INTERCOM | Means.NOTHING | Means.FEATURE:
            trail.failed("dial plan", digits or "nothing", "", dialled.because, "")
        case _:
            assert_never(dialled.means)
    return HangUp(cause=Cause.NOT_FOUND)


def _emergency(directory: Directory, asked: Asked, digits: str, trail: Trail) -> Destination:
    if digits == "933" and not directory.domain.platform.read_back_933:
        trail.failed("dial plan", "933", "", "reading back is switched off for this domain", "domain")
        return HangUp(cause=Cause.NOT_FOUND)
    trail.applied("dial plan", digits, "", "the emergency desk, for everybody and always; never a trunk", "emergency")
    location = emergency_location(directory, asked.caller_device or asked.caller_extension)
    if location.level:
        saw = f"{location.line}, callback {location.callback}"
        trail.applied("location", location.level, saw, "told to the desk", "emergency")
    else:
        saw = f"no address on file, callback {location.callback or 'unknown'}"
        trail.failed("location", location.line, saw, "the desk has to ask", "emergency")
    if emergency_desk(directory, location, digits) == "emergency-operator":
        trail.applied("desk", "national call centre", "", "an operator confirms the location, then the local desk", "")
    return ToEmergency(code="933" if digits == "933" else "911")


def _by_treatment(directory: Directory, number: PhoneNumber, asked: Asked, at: Moment, trail: Trail) -> Destination:
    link = f"numbers/{number.number}"
    if not number.routes:
        trail.failed("number", number.number, number.description, "available: it has no treatment", link)
        return HangUp(cause=Cause.NOT_FOUND)
    trail.applied("number", number.number, number.description, "routed by time frame", link)
    zone = directory.zone_of_site(number.site)
    found: Destination | None = None
    for choice in number.routes:
        frame = directory.frames_by_name.get(choice.time_frame)
        saw = frame.text_in(zone) if frame else "always"
        link = f"timeframes/{choice.time_frame}" if frame else f"numbers/{number.number}"
        if found is not None:
            trail.open("time frame", choice.time_frame, saw, f"not reached; then {choice.to.label}", link)
        elif frame is None or frame.covers(at.wall, zone):
            trail.applied("time frame", choice.time_frame, saw, choice.to.label, link)
            found = choice.to
        else:
            trail.failed(
                "time frame", choice.time_frame, saw, f"does not cover this moment; then {choice.to.label}", link
            )
    if isinstance(found, ToUser) and found.before == "spam screening":
        return _screened(directory, number, found, asked, trail)
    return found or HangUp(cause=Cause.UNAVAILABLE)


def _screened(directory: Directory, number: PhoneNumber, to: ToUser, asked: Asked, trail: Trail) -> Destination:
    """Refuse callers of the domain's list of spam before any rule of the user is asked."""
    link = f"numbers/{number.number}"
    if is_listed(directory, directory.domain.spam_callers, asked):
        trail.failed("number", "spam screening", "the caller is on the domain's list", "is refused", link)
        return HangUp(cause=Cause.FORBIDDEN)
    trail.applied("number", "spam screening", "the caller is not on the domain's list", to.label, link)
    return ToUser(extension=to.extension)


def route_off_net(directory: Directory, asked: Asked, at: Moment) -> tuple[Destination, DecisionRecord]:
    """Return where a number leads outside, though it may be one of the domain's, and why; emergency stays itself."""
    trail = Trail()
    user = calling_user(directory, asked)
    dialled = read_dialled(asked.dialled, directory.area_code_of(user) if user else "")
    destination: Destination = HangUp(cause=Cause.NOT_FOUND)
    if dialled.means in (Means.NUMBER, Means.INTERNATIONAL):
        destination = _outward(directory, asked, ToExternal(number=dialled.digits), trail)
    elif is_always_taken(asked.dialled):
        destination = _first(directory, asked, dialled, None, at, trail)
    else:
        trail.failed("dial plan", "outside call", plain(dialled.digits), "no number", "")
    question = f"{plain(dialled.digits) or 'nothing'} off-net from {caller_in_words(asked)}"
    return destination, trail.record(question, destination.label)


def _outward(directory: Directory, asked: Asked, destination: ToExternal | ToService, trail: Trail) -> Destination:
    """Let a user out whose dial policy allows the call: to the carrier, or to the desk of a public service."""
    user = calling_user(directory, asked)
    number = destination.number if isinstance(destination, ToExternal) else destination.code
    rule = "outside call" if isinstance(destination, ToExternal) else SERVICE_CODES[number]
    link = f"users/{user.extension}" if user else "users"
    barred = (
        directory.why_barred(user, number, with_pin=asked.proved) if user else "an unknown caller may not call outside"
    )
    if barred or user is None:
        trail.failed("dial plan", rule, number, barred, link)
        return HangUp(cause=Cause.FORBIDDEN)
    if number in NEVER_BARRED:
        trail.applied("dial plan", rule, number, "for everybody and always", link)
    else:
        kind = kind_of_call(number, directory.area_code_of(user))
        why = f"{kind}, allowed by dial policy {directory.dial_policy_of(user)}: through the carrier"
        trail.applied("dial plan", rule, number, why, link)
    return destination


def _follow(
    directory: Directory, destination: Destination, asked: Asked, presence: Presence, at: Moment, trail: Trail
) -> tuple[str, RingPlan | None, str]:
    """Go on while nobody is needed to; return (label of where that ends, ring plan there, menu there)."""
    seen: set[str] = set()
    for _ in range(MAX_HOPS):
        if destination.label in seen:
            break
        seen.add(destination.label)
        match destination:
            case ToUser(extension=extension):
                result = apply_rules(directory, extension, asked, presence, at, trail)
                if isinstance(result, RingPlan):
                    return destination.label, result, ""
                destination = result.destination
            case ToAttendant(extension=extension, menu=wanted):
                entered = menu_in_force(directory, extension, wanted, at, trail)
                if entered is None:
                    return HangUp(cause=Cause.NOT_FOUND).label, None, ""
                return f"attendant:{extension}/{entered[1].name}", None, entered[1].name
            case ToQueue(extension=extension):
                entry = queue_entry(directory, extension, presence, trail)
                if entry is None:
                    return HangUp(cause=Cause.NOT_FOUND).label, None, ""
                if entry[2] is None:
                    return destination.label, None, ""
                destination = entry[2]
            case ToConference(extension=extension):
                if conference_entry(directory, extension, asked, trail) is None:
                    return HangUp(cause=Cause.NOT_FOUND).label, None, ""
                return destination.label, None, ""
            case ToDevice(device=device):
                if device in presence.registered:
                    trail.applied("ring", f"device {device}", "registered", "rings at once", f"devices/{device}")
                else:
                    trail.failed("ring", f"device {device}", "not registered", "cannot ring", f"devices/{device}")
                return destination.label, None, ""
            case ToMailbox(extension=extension) if extension not in directory.users_by_extension:
                trail.failed("mailbox", extension, "", "there is no such mailbox", "users")
                return HangUp(cause=Cause.NOT_FOUND).label, None, ""
            case ToFax(account=account) if account not in directory.fax_accounts_by_name:
                trail.failed("fax", account, "", "there is no such account", "fax")
                return HangUp(cause=Cause.NOT_FOUND).label, None, ""
            case ToFax(account=account):
                trail.applied("fax", account, "", "a fax machine answers", f"fax/{account}")
                return destination.label, None, ""
            case ToMailbox() | ToMailboxLogin() | ToExternal() | ToSupport() | ToEmergency() | ToService() | ToToggle():
                return destination.label, None, ""
            case ToFeature() | ToPage() | ToPark() | HangUp():
                return destination.label, None, ""
            case _:
                assert_never(destination)
    loop = HangUp(cause=Cause.LOOP)
    trail.failed("loop", destination.label, "", "the forwards lead back to where the call has been", "")
    return loop.label, None, ""
