"""`/api/v1/recordings`: conversations that were recorded.

* `GET /api/v1/recordings[?call=C][&extension=101]`: newest first.
* `GET /api/v1/recordings/{recording}`: the audio, a WAV file of two channels.
* `DELETE /api/v1/recordings/{recording}`.
"""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from lab.api.refusal import refused
from lab.service import Lab
from pbx.callflow.ports import CallRecordingRemoved
from pbx.domain.kept import CallRecording


class Recordings:
    """Adds its routes to an application."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def route(self, app: web.Application) -> None:
        app.router.add_get("/api/v1/recordings", self._list)
        app.router.add_get("/api/v1/recordings/{recording}", self._audio)
        app.router.add_delete("/api/v1/recordings/{recording}", self._remove)

    async def _list(self, request: web.Request) -> web.Response:
        wanted = {name: request.query[name] for name in ("call", "extension") if name in request.query}
        rows = [asdict(kept) for kept in self._lab.store.call_recordings()]
        return web.json_response([row for row in rows if wanted.items() <= row.items()])

    async def _audio(self, request: web.Request) -> web.StreamResponse:
        kept = self._kept(request)
        if kept is None:
            return _nothing(request)
        path = self._lab.recordings_folder / f"{kept.recording}.wav"
        if not path.is_file():
            return refused(404, f"{kept.recording} cannot be played", "its file is gone", "look into the state folder")
        return web.FileResponse(path, headers={"Content-Type": "audio/wav"})

    async def _remove(self, request: web.Request) -> web.Response:
        kept = self._kept(request)
        if kept is None:
            return _nothing(request)
        self._lab.store.submit(CallRecordingRemoved(kept.recording))
        return web.Response(status=204)

    def _kept(self, request: web.Request) -> CallRecording | None:
        name = request.match_info["recording"]
        return next((it for it in self._lab.store.call_recordings() if it.recording == name), None)


def _nothing(request: web.Request) -> web.Response:
    name = request.match_info["recording"]
    return refused(404, f"there is no recording {name!r}", "none has that name", "GET /api/v1/recordings lists them")
