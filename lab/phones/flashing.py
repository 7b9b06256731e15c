"""A firmware image on its way into a phone: fetched again from where it broke off, until it is whole (RFC 9110 §14).

What an image is, a phone reads in its header; the lab's tell it in their names (`t46s-66.86.0.15.rom`).
"""

from __future__ import annotations

import re

from lab.phones.by_manifest import agent_of
from lab.phones.family import Box, Fetch, Fetched
from provisioning_server.families import shipped_families

MOST_TRIES = 5
"""Without an octet more; then the phone goes on with what it runs, until its next boot."""
_VERSION = re.compile(r"\d+(?:[._]\d+)+")


def version_of(url: str) -> str:
    """Return the version in the name of an image, the longest that could be one; empty for none."""
    found = _VERSION.findall(url.rpartition("/")[2])
    return max(found, key=len).replace("_", ".") if found else ""


def wanted(url: str, box: Box, flashed_url: str) -> Flashing | None:
    """Return what a configuration that names an image begins; None where the phone runs it, or has just put it in."""
    manifest = shipped_families().by_id.get(box.family)
    if not url or manifest is None or url == flashed_url or version_of(url) == box.firmware:
        return None
    return Flashing(url, agent_of(manifest, box))


class Flashing:
    """Owned by a phone, which carries out `fetch` and gives the answer to `take`, until it is over."""

    def __init__(self, url: str, user_agent: str) -> None:
        self.url, self._agent = url, user_agent
        self.image = bytearray()
        self.whole = self.given_up = False
        self._etag = ""
        self._tries = 0

    @property
    def over(self) -> bool:
        return self.whole or self.given_up

    @property
    def version(self) -> str:
        return version_of(self.url)

    def fetch(self) -> Fetch:
        headers: tuple[tuple[str, str], ...] = ()
        if self.image:
            headers = (("Range", f"bytes={len(self.image)}-"), ("If-Range", self._etag))
        return Fetch(self.url, self._agent, tuple(header for header in headers if header[1]))

    def take(self, answer: Fetched) -> None:
        """Take a part, or the whole: another image under the same name begins anew."""
        had = len(self.image)
        if answer.status == 200:
            self.image[:] = answer.body
        elif answer.status == 206 and (not self._etag or answer.etag == self._etag):
            self.image += answer.body
        elif answer.status in (206, 416):
            self.image.clear()
        self._etag = answer.etag or self._etag
        self.whole = answer.status in (200, 206) and not answer.cut and bool(self.image)
        self._tries = 0 if len(self.image) > had else self._tries + 1
        self.given_up = not self.whole and self._tries >= MOST_TRIES
