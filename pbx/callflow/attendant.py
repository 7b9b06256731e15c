"""The auto attendant: intro, greeting, keys, submenus, dial by extension and by name (domain-features 1.6)."""

from __future__ import annotations

from collections.abc import Iterator

from pbx.callflow.by_name import find_by_name
from pbx.callflow.keys import END_KEY, key
from pbx.callflow.question import MAX_HOPS, AttendantRoute
from pbx.callflow.routing import destination_of_extension
from pbx.callflow.script import Script
from pbx.callflow.speech import play_until_key, say
from pbx.callflow.vocabulary import Control
from pbx.domain.attendants import Attendant, Menu, MenuAction
from pbx.domain.destinations import Cause, Destination, HangUp, ToAttendant, ToUser
from pbx.domain.directory import Directory
from pbx.domain.sounds import Prompts
from pbx.events import MenuChosen, MenuEntered


def attend(call: Control, entry: AttendantRoute) -> Script[Destination | None]:
    """Offer menus from the one entered on until a choice leads out; return where the call goes next.

    Menus that lead on by themselves, without a key, to more than MAX_HOPS others are a loop (G08).
    """
    attendant, intro = entry.attendant, entry.intro
    menu: Menu | None = entry.menu
    by_themselves = 0
    call.answer()
    while menu is not None and by_themselves <= MAX_HOPS:
        call.publish(MenuEntered(call.id, attendant.extension, menu.name, entry.time_frame))
        pressed, action = yield from _choice(call, menu, intro)
        intro = ""
        call.publish(MenuChosen(call.id, attendant.extension, menu.name, pressed, _label(attendant, action)))
        match action.action:
            case "menu":
                menu = attendant.menu(action.menu)
            case "message":
                yield from say(call, call.spoken(action.message))
            case "directory":
                user = yield from find_by_name(call)
                if user is not None:
                    return ToUser(extension=user.extension)
            case _ if action.to is not None:
                return action.to
            case _:
                yield from say(call, "goodbye")
                return HangUp(cause=Cause.NORMAL)
        by_themselves = 0 if pressed else by_themselves + 1
    return HangUp(cause=Cause.LOOP)


def _choice(call: Control, menu: Menu, intro: str) -> Script[tuple[str, MenuAction]]:
    """Play the menu up to its tries; return what was pressed (a key, an extension, nothing) and what follows."""
    pressed, action = "", menu.no_key
    for tried in range(menu.tries):
        pressed = yield from _offer(call, menu, "" if tried else intro)
        action = _action(call.directory, menu, pressed)
        if action.action != "repeat":
            break
        if pressed and pressed not in menu.keys and tried + 1 < menu.tries:
            yield from say(call, "invalid-key")
    return pressed, action


def _offer(call: Control, menu: Menu, intro: str) -> Script[str]:
    """Play the greeting and return what was pressed: a key, an extension, or nothing."""
    greeting = call.spoken(menu.greeting, instead="attendant-no-greeting")
    first = yield from play_until_key(call, Prompts((call.spoken(intro), greeting) if intro else (greeting,)))
    first = first or (yield from key(menu.first_key_s))
    return (yield from _more(call, menu, first)) if first else ""


def _more(call: Control, menu: Menu, entered: str) -> Script[str]:
    """Go on collecting while the keys may still become an extension that may be dialled here."""
    while any(extension != entered for extension in _beginning_with(call.directory, menu, entered)):
        pressed = yield from key(menu.next_key_s)
        if not pressed or pressed == END_KEY:
            break
        entered += pressed
    return entered


def _beginning_with(directory: Directory, menu: Menu, entered: str) -> Iterator[str]:
    for extensions in (
        directory.users_by_extension,
        directory.queues_by_extension,
        directory.attendants_by_extension,
        directory.conferences_by_extension,
    ):
        for extension in extensions:
            if len(extension) in menu.dial_by_extension and extension.startswith(entered):
                yield extension


def _action(directory: Directory, menu: Menu, pressed: str) -> MenuAction:
    if not pressed:
        return menu.no_key
    if pressed in menu.keys:
        return menu.keys[pressed]
    if len(pressed) in menu.dial_by_extension:
        destination = destination_of_extension(directory, pressed)
        if destination is not None:
            return MenuAction(to=destination)
    return menu.unassigned_key


def _label(attendant: Attendant, action: MenuAction) -> str:
    """The word for what a choice leads to, as destinations have one."""
    match action.action:
        case "menu":
            return ToAttendant(extension=attendant.extension, menu=action.menu).label
        case "message":
            return f"message:{action.message}"
        case "directory":
            return "directory"
        case _ if action.to is not None:
            return action.to.label
    return HangUp(cause=Cause.NORMAL).label
