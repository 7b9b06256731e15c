"""Auto attendants: a tree of keys. Every key is told, `*`, `#` and no key too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pbx.api.answers import ACCEPTED, Answer, Fault, Refused, nothing
from pbx.api.asked import Asked
from pbx.api.collection import taken_out
from pbx.api.destinations import PARAMETER, application_of, application_read, header_of, target_of
from pbx.api.forms import NUMBER, TEXT, YES_NO
from pbx.api.resources.users import USERS, without_placeholder
from pbx.api.routes import Route
from pbx.api.shapes import as_refusal
from pbx.domain.attendants import Attendant, Menu, MenuAction
from pbx.domain.destinations import parse_destination
from pbx.domain.directory import Directory
from pbx.domain.seed import BadSeed, read_model
from pbx.ownership import site_thing

UNDER, ONE = "/domains/{domain}/autoattendants", "/domains/{domain}/users/{user}/autoattendants/{prompt}"
KEYS = "1234567890*#"
LENGTHS = {3: "3-digit-dial-by-extension", 4: "4-digit-dial-by-extension", 5: "5-digit-dial-by-extension"}
_SPECIAL = {"directory": "to-directory", "message": "play-message", "repeat": "repeat", "hangup": "hangup"}
"""Keys that go nowhere of the platform's applications, by names of our own."""


def told(directory: Directory, attendant: Attendant) -> dict[str, Any]:
    """Return an attendant as clients read it."""
    frames = attendant.open_frames
    return {
        "attendant-name": attendant.name, "user": attendant.extension, "domain": directory.domain.name,
        "time-frame": frames[0] if frames else "*", "starting-prompt": f"Prompt_{attendant.extension}001",
        "read-path": f"users/{attendant.extension}/autoattendants/Prompt_{attendant.extension}001",
        "auto-attendant": _tier(attendant, attendant.menus[0], ()),
    }  # fmt: skip


def _tier(attendant: Attendant, menu: Menu, above: tuple[str, ...]) -> dict[str, Any]:
    tier: dict[str, Any] = {
        "audio": {"filename": menu.greeting, "ordinal-order": 1},
        "no-key-press": _failing(menu.no_key, menu), "unassigned-key-press": _failing(menu.unassigned_key, menu),
        **{name: YES_NO.tell(length in menu.dial_by_extension) for length, name in LENGTHS.items()},
    }  # fmt: skip
    for key in KEYS:
        action = menu.keys.get(key)
        if action is not None:
            tier[f"option-{key}"] = _option(attendant, action, (*above, menu.name))
    return tier


def _failing(action: MenuAction, menu: Menu) -> str:
    """`repeat`, `hangup`, or the key that does the same."""
    if action.action in ("repeat", "hangup"):
        return action.action
    return next((f"option-{key}" for key, known in menu.keys.items() if known == action), "repeat")


def _option(attendant: Attendant, action: MenuAction, above: tuple[str, ...]) -> dict[str, Any]:
    if action.action == "menu":
        menu = attendant.menu(action.menu)
        row: dict[str, Any] = {"destination-application": "to-tier", "destination-user": action.menu}
        if menu is not None and menu.name not in above:
            row["auto-attendant"] = _tier(attendant, menu, above)
        return row
    if action.to is not None:
        row = {"destination-application": application_of(action.to), "destination-user": target_of(action.to)}
        return {**row, PARAMETER: header} if (header := header_of(action.to)) else row
    return {"destination-application": _SPECIAL[action.action], "destination-user": action.message}


class _Reader:
    """Reads a tree into menus: each tier is one."""

    def __init__(self, directory: Directory, known: Attendant | None) -> None:
        self._directory = directory
        self._known = known
        self.menus: dict[str, dict[str, Any]] = {}
        self.faults: list[Fault] = []

    def tier(self, name: str, tier: Any, where: str) -> None:
        if not isinstance(tier, Mapping):
            self.faults.append(Fault(where, None, "it is an object", 'send {"option-1": {…}}'))
            return
        before = self._known.menu(name) if self._known is not None else None
        known = () if before is None else type(before).model_fields
        menu: dict[str, Any] = {"name": name, **{field: getattr(before, field) for field in known}}
        self.menus[name] = menu
        keys = dict(menu.get("keys", {}))
        for key in KEYS:
            option, at = tier.get(f"option-{key}"), f"{where}.option-{key}"
            if isinstance(option, Mapping) and option.get("remove") == "yes":
                keys.pop(key, None)
            elif option is not None:
                keys[key] = self._option(
                    f"{name}-{'star' if key == '*' else 'pound' if key == '#' else key}", option, at
                )
        menu["keys"] = {key: action for key, action in keys.items() if action is not None}
        for theirs, ours in (("no-key-press", "no_key"), ("unassigned-key-press", "unassigned_key")):
            if theirs in tier:
                menu[ours] = self._failing(tier[theirs], menu["keys"], f"{where}.{theirs}")
        lengths = set(menu.get("dial_by_extension", (3, 4, 5)))
        for length, theirs in LENGTHS.items():
            if theirs in tier:
                lengths = lengths | {length} if tier[theirs] == "yes" else lengths - {length}
        menu["dial_by_extension"] = tuple(sorted(lengths))
        audio = tier.get("audio")
        if isinstance(audio, Mapping) and TEXT.read(audio.get("filename")):
            menu["greeting"] = TEXT.read(audio.get("filename"))

    def _failing(self, word: Any, keys: Mapping[str, Any], where: str) -> Any:
        if word in ("repeat", "hangup"):
            return {"action": word}
        key = str(word).removeprefix("option-")
        if key in keys:
            return keys[key]
        self.faults.append(Fault(where, word, "it is repeat, hangup, or an option that is set", "send repeat"))
        return {"action": "repeat"}

    def _option(self, name: str, option: Any, where: str) -> Any:
        if not isinstance(option, Mapping):
            self.faults.append(Fault(where, None, "it is an object", 'send {"destination-application": "to-user"}'))
            return None
        application, target = (
            TEXT.read(option.get("destination-application")),
            TEXT.read(option.get("destination-user")),
        )
        if "auto-attendant" in option:
            below = target if application == "to-tier" and target else name
            self.tier(below, option["auto-attendant"], f"{where}.auto-attendant")
            return {"action": "menu", "menu": below}
        if application == "to-tier":
            return {"action": "menu", "menu": target}
        special = next((ours for ours, theirs in _SPECIAL.items() if theirs == application), None)
        if special is not None:
            return {"action": special, **({"message": target} if special == "message" else {})}
        header = TEXT.read(option.get(PARAMETER))
        try:
            return {"action": "go", "to": self._destination(application or "to-user", target, header)}
        except ValueError as error:
            self.faults.append(Fault(where, target, str(error), "send an application and who it leads to"))
            return None

    def _destination(self, known: str, target: str, header: str) -> Any:
        directory = self._directory
        if known.startswith("to-connection") and known != "to-connection-or-user-no-failover":
            target = str(NUMBER.read(target) or "")
        if known.startswith("to-user"):
            if target in directory.queues_by_extension:
                return parse_destination(f"queue {target}")
            if target in directory.attendants_by_extension:
                return parse_destination(f"attendant {target}")
            if target in directory.conferences_by_extension:
                return parse_destination(f"conference {target}")
        return application_read(known, target, header)


def _of(directory: Directory, extension: str) -> Attendant:
    attendant = directory.attendants_by_extension.get(extension)
    if attendant is None:
        raise nothing("attendant", extension)
    return attendant


def _thing(directory: Directory, attendant: Attendant) -> Any:
    return site_thing(directory, "attendant", attendant.extension, attendant.site)


async def _list(asked: Asked) -> Answer:
    sees = asked.sees("attendant")
    rows = [
        told(directory, attendant)
        for directory in asked.directories("attendant")
        for attendant in directory.attendants
        if sees(_thing(directory, attendant))
    ]
    return Answer(200, rows[asked.page()])


async def _read(asked: Asked) -> Answer:
    attendant = _of(asked.directory, asked.path["user"])
    asked.require("view", _thing(asked.directory, attendant))
    return Answer(200, told(asked.directory, attendant))


def _written(asked: Asked, directory: Directory, known: Attendant | None, extension: str) -> Attendant:
    reader = _Reader(directory, known)
    first = known.menus[0].name if known is not None else "main"
    if "auto-attendant" in asked.body or known is None:
        reader.tier(first, asked.body.get("auto-attendant", {}), "auto-attendant")
    if reader.faults:
        raise Refused(400, "; ".join(f"{f.field}: {f.rule}" for f in reader.faults), tuple(reader.faults))
    others = tuple(menu for menu in known.menus if menu.name not in reader.menus) if known is not None else ()
    fields: dict[str, Any] = dict(known) if known is not None else {"extension": extension}
    fields["name"] = asked.text("attendant-name") or fields.get("name", "")
    fields["menus"] = (*reader.menus.values(), *others)
    frame = asked.text("time-frame")
    if frame and frame != "*":
        fields["open_frames"] = (frame,)
    try:
        return read_model(Attendant, fields)
    except BadSeed as bad:
        faults = tuple(Fault(".".join(map(str, p.path)), None, p.sentence, "send another value") for p in bad.problems)
        raise Refused(400, str(bad), faults) from None


def _replaced(directory: Directory, attendants: tuple[Attendant, ...]) -> Directory:
    try:
        return directory.replaced(attendants=attendants)
    except ValueError as error:
        raise as_refusal(error, USERS.shape, {}) from None


async def _create(asked: Asked) -> Answer:
    extension = asked.needed("user")
    asked.needed("attendant-name")

    def edit(directory: Directory) -> Directory:
        user = directory.users_by_extension.get(extension)
        if extension in directory.attendants_by_extension or (user is not None and not user.hidden):
            raise Refused(409, f"extension {extension} is somebody's already; nothing was overwritten")
        directory = without_placeholder(directory, extension)
        attendant = _written(asked, directory, None, extension)
        asked.require("create", _thing(directory, attendant))
        return _replaced(directory, (*directory.attendants, attendant))

    directory = await asked.edit(edit, f"attendant {extension}")
    return Answer(200, told(directory, _of(directory, extension)))


async def _change(asked: Asked) -> Answer:
    extension = asked.path["user"]

    def edit(directory: Directory) -> Directory:
        known = _of(directory, extension)
        asked.require("edit", _thing(directory, known))
        new = _written(asked, directory, known, extension)
        return _replaced(directory, tuple(new if one is known else one for one in directory.attendants))

    directory = await asked.edit(edit, f"attendant {extension}")
    return Answer(200, told(directory, _of(directory, extension))) if asked.synchronous else ACCEPTED


async def _delete(asked: Asked) -> Answer:
    extension = asked.path["user"]

    def edit(directory: Directory) -> Directory:
        asked.require("delete", _thing(directory, _of(directory, extension)))
        return taken_out(directory, "attendant", extension, f"attendant:{extension}")

    await asked.edit(edit, f"attendant {extension}")
    return ACCEPTED


_TIER = {"type": "object"}
_TOLD = {"type": "object", "properties": {"attendant-name": TEXT.schema, "user": TEXT.schema,
         "time-frame": TEXT.schema, "auto-attendant": _TIER}, "required": ["attendant-name", "user"]}  # fmt: skip
_CHANGE = {name: part for name, part in _TOLD.items() if name != "required"}

ROUTES = (
    Route("GET", UNDER, _list, "attendant", "List attendants", None, {"type": "array", "items": _TOLD},
          ("start", "limit")),
    Route("POST", UNDER, _create, "attendant", "Create an attendant", _TOLD, _TOLD),
    Route("GET", ONE, _read, "attendant", "Read an attendant", None, _TOLD),
    Route("PUT", ONE, _change, "attendant", "Change an attendant", _CHANGE, _TOLD),
    Route("DELETE", ONE, _delete, "attendant", "Delete an attendant"),
)  # fmt: skip
