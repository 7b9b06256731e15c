"""How the API says no: the four parts of an error, as JSON."""

from __future__ import annotations

from aiohttp import web


def refused(status: int, happened: str, why: str, remedy: str) -> web.Response:
    error = {"happened": happened, "why": why, "remedy": remedy, "reference": "README, api"}
    return web.json_response({"error": error}, status=status)
