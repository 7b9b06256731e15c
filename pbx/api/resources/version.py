"""`/version`: what answers here; nobody has to say who asks."""

from __future__ import annotations

from pbx.api.answers import Answer
from pbx.api.asked import Asked
from pbx.api.routes import Route

API_VERSION = "45.0"
"""Of the published description this follows."""
_GIVES = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("apiversion", "hostname", "current-time")},
    "required": ["apiversion", "hostname"],
}


async def _version(asked: Asked) -> Answer:
    told = {"apiversion": f"Version {API_VERSION}", "hostname": asked.house.hostname}
    return Answer(200, told | {"current-time": f"{asked.now.wall:%Y-%m-%d %H:%M:%S}"})


ROUTES = (Route("GET", "/version", _version, None, "Version of the API", None, _GIVES),)
