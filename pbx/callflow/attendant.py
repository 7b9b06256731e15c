"""The auto attendant: greeting, keys, submenus, dial by extension (domain-features 1.6)."""

from __future__ import annotations

from pbx.callflow.keys import key
from pbx.callflow.script import Script, until
from pbx.callflow.vocabulary import CALLER, Control, KeyPressed, Played
from pbx.domain.attendants import Attendant, Menu, MenuAction
from pbx.domain.destinations import Cause, Destination, HangUp, ToAttendant, ToQueue, ToUser
from pbx.events import MenuChosen, MenuEntered
from pbx.media.engine import Prompts


def attend(call: Control, attendant: Attendant, entered: str, time_frame: str) -> Script[Destination | None]:
    """Offer the menu until a choice leads on; return where the call goes next."""
    menu = attendant.menu(entered) or attendant.menus[0]
    call.answer()
    while True:
        call.publish(MenuEntered(call.id, attendant.extension, menu.name, time_frame))
        for tried in range(menu.tries):
            pressed = yield from _offer(call, menu)
            action = _action(call, menu, pressed)
            if isinstance(action, MenuAction) and action.action == "repeat" and tried + 1 < menu.tries:
                if pressed:
                    yield from _say(call, ("invalid-key",))
                continue
            break
        chosen = _destination(attendant, action)
        call.publish(MenuChosen(call.id, attendant.extension, menu.name, pressed, chosen.label))
        if isinstance(action, MenuAction) and action.action == "menu":
            menu = attendant.menu(action.menu) or attendant.menus[0]
            continue
        if isinstance(chosen, HangUp):
            yield from _say(call, ("goodbye",))
        return chosen


def _offer(call: Control, menu: Menu) -> Script[str]:
    """Play the greeting and return what was pressed: a key, an extension, or nothing."""
    call.play(Prompts((menu.greeting,)), "greeting")
    news = yield until(Played, KeyPressed, where=lambda event: event.leg == CALLER)
    first = news.digit if isinstance(news, KeyPressed) else (yield from key(menu.first_key_s))
    call.stop()
    return (yield from _more(call, menu, first)) if first else ""


def _more(call: Control, menu: Menu, entered: str) -> Script[str]:
    """Go on collecting while the keys may still become an extension of an allowed length."""
    if not entered.isdigit() or not menu.dial_by_extension:
        return entered
    while len(entered) < max(menu.dial_by_extension) and _begins_extension(call, entered):
        pressed = yield from key(menu.next_key_s)
        if not pressed or pressed == "#":
            break
        entered += pressed
        if len(entered) in menu.dial_by_extension and not _begins_longer(call, entered):
            break
    return entered


def _extensions(call: Control) -> list[str]:
    directory = call.directory
    return [*directory.users_by_extension, *directory.queues_by_extension]


def _begins_extension(call: Control, entered: str) -> bool:
    return any(extension.startswith(entered) for extension in _extensions(call))


def _begins_longer(call: Control, entered: str) -> bool:
    return any(extension.startswith(entered) and extension != entered for extension in _extensions(call))


def _action(call: Control, menu: Menu, pressed: str) -> MenuAction | Destination:
    if not pressed:
        return menu.no_key
    if pressed in menu.keys:
        return menu.keys[pressed]
    if len(pressed) in menu.dial_by_extension:
        if pressed in call.directory.users_by_extension:
            return ToUser(extension=pressed)
        if pressed in call.directory.queues_by_extension:
            return ToQueue(extension=pressed)
    return menu.unassigned_key


def _destination(attendant: Attendant, action: MenuAction | Destination) -> Destination:
    if not isinstance(action, MenuAction):
        return action
    match action.action:
        case "go" if action.to is not None:
            return action.to
        case "menu":
            return ToAttendant(extension=attendant.extension, menu=action.menu)
        case _:
            return HangUp(cause=Cause.NORMAL)


def _say(call: Control, names: tuple[str, ...]) -> Script[None]:
    call.play(Prompts(names), "said")
    yield until(Played, where=lambda event: event.leg == CALLER)
