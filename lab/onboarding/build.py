"""From forms to a domain, in the documented order, and what changes in it on the day of the port. Pure.

Users, then attendants and queues, numbers, native fax, E911, hardware (domain-features 5.1). It is an approximate call
flow, for approval on the map: whoever configures it goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

from lab.onboarding.packet import FormUser, Packet
from pbx.domain.directory import Directory
from pbx.domain.hardware import HardwareOrder
from pbx.domain.problems import Problem
from pbx.domain.seed import BadSeed, read_directory
from provisioning_server.families import shipped_families
from provisioning_server.inventory import Refused
from provisioning_server.purchasing import ordered

SOFTPHONE = "linphone/desktop"
"""What a softphone is provisioned as; its MAC is a locally administered one (IEEE 802)."""
_FAX = "main"
_SECRET_LENGTH, _TOKEN_LENGTH = 24, 32
_EXPIRES_S = 3600
"""How long a registration lasts: an office at rest on its own network has little to say."""
Document = dict[str, object]


def build(packet: Packet, today: date, fresh: Callable[[int], str]) -> Directory:
    """Return the domain of a packet; BadSeed names every problem. `fresh` gives random text of a length."""
    if problems := list(_uses(packet)):
        raise BadSeed(problems)
    document: Document = {"domain": _domain(packet)}
    for _, part in ORDER:
        document |= part(packet, today, fresh)
    return _ordered(read_directory({name: value for name, value in document.items() if value}), packet, today)


def after_port(directory: Directory, packet: Packet) -> Directory:
    """Return the domain with its own numbers shown and the lent ones given back."""
    lent = {*packet.temporary}
    domain = directory.domain.model_copy(update=_own_number(directory.domain.caller_id, packet))
    sites = tuple(site.model_copy(update=_own_number(site.caller_id, packet)) for site in directory.sites)
    users = tuple(user.model_copy(update=_own_number(user.caller_id, packet)) for user in directory.users)
    numbers = tuple(number for number in directory.numbers if number.number not in lent)
    return directory.replaced(domain=domain, sites=sites, users=users, numbers=numbers)


def text_routes(packet: Packet) -> Iterator[Mapping[str, str]]:
    """Yield where texts to each number go, as the platform's `smsnumbers` says it."""
    queues = {queue.extension for queue in packet.call_flow.queues}
    for text in packet.texts:
        kind = "callqueue" if text.to in queues else "user"
        yield {"id": text.number, "number": text.number, "application": kind, "dest": text.to}


def _uses(packet: Packet) -> Iterator[Problem]:
    """What a number is for has to have somewhere to go."""
    known = {user.extension for user in packet.users} | {queue.extension for queue in packet.call_flow.queues}
    ported = packet.porting.numbers if packet.porting is not None else ()
    own = {*packet.temporary, packet.main_number, *(one.number for one in ported)}
    for place, text in enumerate(packet.texts):
        if text.to not in known:
            yield Problem(("texts", place, "to"), f"texts to {text.number} go to {text.to}, no user and no queue")
        if text.number not in own:
            yield Problem(("texts", place, "number"), f"{text.number} is for texts, and is none of the numbers")
    with_texts = {text.number for text in packet.texts}
    for place, one in enumerate(ported):
        path = ("porting", "numbers", place)
        if one.use == "sms" and one.number not in with_texts:
            yield Problem(path, f"{one.number} is for texts, and nobody says who gets them")
        if one.use == "fax" and (packet.fax is None or packet.fax.number != one.number) and one.to is None:
            yield Problem(path, f"{one.number} is for fax, and leads to no fax account")


def _own_number(shown: str | None, packet: Packet) -> Mapping[str, str | None]:
    return {"caller_id": packet.main_number} if shown in packet.temporary else {}


def _domain(packet: Packet) -> Document:
    own = packet.main_number
    lent = packet.temporary[0] if packet.temporary and packet.porting is not None else None
    address = packet.addresses[0] if packet.addresses else None
    return {
        "name": packet.domain, "description": packet.company, "preset": packet.preset, "time_zone": packet.time_zone,
        "area_code": packet.area_code, "caller_id": lent or own, "caller_id_name": packet.caller_name,
        "emergency_address": address.key if address else "",
        "emergency_caller_id": address.callback if address else None,
    }  # fmt: skip


def _users(packet: Packet, today: date, fresh: Callable[[int], str]) -> Document:
    keys = {address.key for address in packet.addresses}
    names = dict.fromkeys(user.site for user in packet.users if user.site)
    return {
        "settings": {"domain": {"lines.*.expires": _EXPIRES_S}},
        "sites": [{"name": name, "emergency_address": name if name in keys else ""} for name in names],
        "users": [user_of(packet, user) for user in packet.users],
        "devices": [softphone(user.extension, fresh) for user in packet.users if user.device == "softphone"],
    }


def softphone(extension: str, fresh: Callable[[int], str]) -> Document:
    return {
        "id": extension, "extension": extension, "family": SOFTPHONE, "mac": f"02{fresh(10)}",
        "password": fresh(_SECRET_LENGTH), "token": fresh(_TOKEN_LENGTH), "model": "Linphone",
    }  # fmt: skip


def user_of(packet: Packet, user: FormUser) -> Document:
    admins = {contact.email.casefold() for contact in packet.with_right("admin")}
    scope = "Office Manager" if user.email and user.email.casefold() in admins else "Basic User"
    return {
        "extension": user.extension, "first_name": user.first_name, "last_name": user.last_name, "email": user.email,
        "department": user.department, "site": user.site, "scope": scope, "status": "new", "login": user.login,
        "voicemail_pin": user.voicemail_pin.get_secret_value(), "voicemail": user.voicemail, "ring_s": user.ring_s,
        "time_zone": user.time_zone, "caller_id": user.caller_id, "emergency_caller_id": user.emergency_caller_id,
        "audio_directory": user.audio_directory, "visual_directory": user.visual_directory,
    }  # fmt: skip


def _flow(packet: Packet, today: date, fresh: Callable[[int], str]) -> Document:
    flow = packet.call_flow
    attendants: Sequence[Document] = ()
    if flow.attendant is not None:
        menus: list[Document] = [{"name": "main", "greeting": flow.greeting, "keys": flow.keys}]
        clock: Document = {}
        if flow.hours is not None and flow.after_hours is not None:
            leave = {"action": "go", "to": flow.after_hours}
            menus.append({"name": "closed", "greeting": "attendant-closed", "no_key": leave, "unassigned_key": leave})
            clock = {"open_frames": [flow.hours.name], "closed": "closed"}
        attendants = [{"extension": flow.attendant, "name": packet.company[:40], "menus": menus, **clock}]
    return {
        "time_frames": [flow.hours] if flow.hours is not None else [],
        "attendants": attendants,
        "queues": [
            {"extension": queue.extension, "name": queue.name, "strategy": queue.strategy,
             "agents": [{"extension": agent} for agent in queue.agents]}
            for queue in flow.queues
        ],
    }  # fmt: skip


def _numbers(packet: Packet, today: date, fresh: Callable[[int], str]) -> Document:
    """The main and the lent numbers follow the call flow; every other goes where its line on the form says."""
    found: dict[str, Document] = {}
    for number in (*packet.temporary, *([packet.main_number] if packet.main_number else [])):
        lent = number in packet.temporary
        found[number] = {"number": number, "description": "lent until the port" if lent else "main number",
                         "routes": _open_and_closed(packet)}  # fmt: skip
    for ported in packet.porting.numbers if packet.porting is not None else ():
        if ported.to is not None:
            routes: Sequence[Document] = [{"to": ported.to}]
        elif ported.number in found:
            routes = _open_and_closed(packet)
        else:
            routes = []
        found[ported.number] = {"number": ported.number, "description": ported.note or ported.use, "routes": routes}
    if packet.fax is not None:
        route = {"to": f"fax {_FAX}"}
        found[packet.fax.number] = {"number": packet.fax.number, "description": "fax", "routes": [route]}
    return {"numbers": list(found.values())}


def _open_and_closed(packet: Packet) -> Sequence[Document]:
    """An attendant knows the hours itself; without one the first user is called while the office is open."""
    flow = packet.call_flow
    if flow.attendant is not None:
        return [{"to": f"attendant {flow.attendant}"}]
    if not packet.users:
        return []
    first = f"user {packet.users[0].extension}"
    if flow.hours is None or flow.after_hours is None:
        return [{"to": first}]
    return [{"time_frame": flow.hours.name, "to": first}, {"to": flow.after_hours}]


def _fax(packet: Packet, today: date, fresh: Callable[[int], str]) -> Document:
    if packet.fax is None:
        return {}
    return {"fax_accounts": [{"name": _FAX, "number": packet.fax.number, "email": packet.fax.email}]}


def _addresses(packet: Packet, today: date, fresh: Callable[[int], str]) -> Document:
    return {"addresses": list(packet.addresses)}


def _ordered(directory: Directory, packet: Packet, today: date) -> Directory:
    if not packet.hardware:
        return directory
    order = HardwareOrder(number=order_number(packet), ordered_on=today, lines=packet.hardware)
    try:
        return ordered(directory, shipped_families(), order)
    except Refused as error:
        raise BadSeed([Problem(("hardware",), f"{error}; {error.remedy}")]) from error


def order_number(packet: Packet) -> str:
    """Return the number its hardware is ordered under."""
    return f"ONB-{packet.domain}"[:40]


ORDER: tuple[tuple[str, Callable[[Packet, date, Callable[[int], str]], Document]], ...] = (
    ("Users", _users),
    ("Attendants and queues", _flow),
    ("Numbers", _numbers),
    ("Native fax", _fax),
    ("E911", _addresses),
)
"""The recommended order of configuration. Hardware is ordered after it; 10DLC brand and campaign live in the packet."""
