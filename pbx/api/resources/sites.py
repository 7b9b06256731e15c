"""Sites, departments, and who is there: `sites`, `departments/list`, `presence/list`. No site is deleted here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pbx.api.answers import Answer, nothing
from pbx.api.asked import Asked
from pbx.api.collection import Around, Collection, every
from pbx.api.forms import AREA, COUNT, NUMBER, TEXT, YES_NO, whole
from pbx.api.resources.users import RECORDING, presence
from pbx.api.routes import Route
from pbx.api.shapes import Shape, kept, ours, told
from pbx.domain.directory import Directory
from pbx.domain.tenancy import Site, User
from pbx.ownership import domain_thing, site_thing, user_thing


def _calls(around: Around, site: Site) -> int:
    asked, directory = around
    switch = asked.house.switch_of(directory.domain.name)
    if switch is None:
        return 0
    return sum(switch.parties.busy[user.extension] for user in directory.users if user.site == site.name)


SHAPE = Shape("Site", (
    ours("site", TEXT, "name", required=True),
    kept("login-username", TEXT),
    ours("time-zone", TEXT, "time_zone", told=lambda around, site: around[1].zone_of_site(site.name)),
    kept("dial-plan", TEXT),
    ours("dial-policy", TEXT, "dial_policy"),
    *(kept(name, YES_NO, "yes") for name in (
        "voicemail-user-control-enabled", "phone-numbers-to-allow-enabled", "phone-numbers-to-reject-enabled",
        "call-screening-enabled", "directory-announce-in-dial-by-name-enabled", "voicemail-enabled",
        "voicemail-receive-broadcast-enabled", "voicemail-playback-sort-newest-to-oldest",
        "directory-name-visible-in-list-enabled")),
    *(kept(name, YES_NO, "no") for name in (
        "reject-anonymous-calls-enabled", "voicemail-playback-announce-datetime-received",
        "voicemail-playback-announce-caller-id")),
    ours("music-on-hold-randomized-enabled", YES_NO, "shuffled_music", told=lambda around, site: YES_NO.tell(
        around[1].domain.shuffled_music if site.shuffled_music is None else site.shuffled_music)),
    kept("language-token", TEXT, "en_US"),
    kept("limits-max-data-storage-kilobytes", COUNT, 0),
    kept("limits-max-active-calls-total", whole(0, 3600), 0),
    ours("ring-no-answer-timeout-seconds", whole(0, 3600), "ring_s"),
    ours("caller-id-number", NUMBER, "caller_id"),
    ours("caller-id-name", TEXT, "caller_id_name"),
    ours("caller-id-number-emergency", NUMBER, "emergency_caller_id"),
    ours("area-code", AREA, "area_code"),
    ours("emergency-address-id", TEXT, "emergency_address"),
    told("active-calls-total-current", COUNT, _calls),
    ours("recording-configuration", RECORDING, "recording", told=lambda around, site: RECORDING.tell(
        site.recording or around[1].domain.recording)),
))  # fmt: skip

SITES = Collection(
    noun="site", right="site", shape=SHAPE, model=Site, section="sites", key="name", named="site",
    under="/domains/{domain}/sites", parameter="site", items=every("sites"),
    thing=lambda directory, site: site_thing(directory, "site", site.name, site.name), removed_as="site",
    verbs=("list", "count", "read", "create", "change"),
)  # fmt: skip
_LIGHT = replace(SITES, under="/domains/{domain}/sites/list", verbs=("list",))


async def _departments(asked: Asked) -> Answer:
    asked.require("view", domain_thing(asked.directory, "department"))
    return Answer(200, sorted({user.department for user in asked.directory.users} - {""}))


def _row(asked: Asked, directory: Directory, user: User) -> dict[str, Any]:
    return {
        "user": user.extension, "uid": f"{user.extension}@{directory.domain.name}", "domain": directory.domain.name,
        "site": user.site, "email": user.email, "name-first-name": user.first_name, "name-last-name": user.last_name,
        "department": user.department, "user-presence-status": presence((asked, directory), user),
        "status-message": str(directory.kept.get(f"user:{user.extension}", {}).get("status-message", "")),
    }  # fmt: skip


async def _presence(asked: Asked) -> Answer:
    directory, department = asked.directory, asked.path.get("department")
    sees = asked.sees("phone")
    them = [
        user
        for user in directory.people()
        if department in (None, user.department) and sees(user_thing(directory, user.extension, "phone"))
    ]
    if department is not None and not any(user.department == department for user in directory.users):
        raise nothing("department", department)
    return Answer(200, [_row(asked, directory, user) for user in them[asked.page()]])


_ROWS = {"type": "array", "items": {"type": "object"}}
ROUTES = (
    *SITES.routes(),
    *_LIGHT.routes(),
    Route("GET", "/domains/{domain}/departments/list", _departments, "department", "List departments", None,
          {"type": "array", "items": TEXT.schema}),
    Route("GET", "/domains/{domain}/presence/list", _presence, "phone", "Who is there", None, _ROWS,
          ("start", "limit")),
    Route("GET", "/domains/{domain}/departments/{department}/presence/list", _presence, "phone",
          "Who of a department is there", None, _ROWS, ("start", "limit")),
)  # fmt: skip
