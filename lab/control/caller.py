"""Carries a driver's script over HTTP to a phone."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import aiohttp
from yarl import URL

from lab.control.command import Answer, Command, Driving, Refused

WITHIN_S = 5.0
_MOST = 256 * 1024
"""Bytes of an answer that are read."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a phone's web server is, and who may use it."""

    url: str
    """Scheme, host and port; nothing after them."""
    user: str = ""
    password: str = ""


async def drive(script: Driving, phone: Address) -> None:
    """Carry out a script; Refused says what the phone answered, or that it answers nothing."""
    digest = aiohttp.DigestAuthMiddleware(phone.user, phone.password) if phone.user else None
    async with aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=WITHIN_S),
        # A phone's own certificate is signed by nobody: who it is was shown by its registration.
        connector=aiohttp.TCPConnector(ssl=False),
        middlewares=(digest,) if digest is not None else (),
    ) as session:
        try:
            command = next(script)
            while True:
                command = script.send(await _ask(session, command, phone))
        except StopIteration:
            return
        except TimeoutError:
            raise Refused(f"nothing answers at {phone.url} within {WITHIN_S:g} s") from None
        except aiohttp.ClientError as error:
            raise Refused(f"no web server of a phone at {phone.url}: {error}") from None


async def _ask(session: aiohttp.ClientSession, command: Command, phone: Address) -> Answer:
    path = command.path.replace("{password}", quote(phone.password, safe=""))
    # As written: phones read brackets and semicolons, not what they are escaped to.
    url = URL(phone.url.rstrip("/") + path, encoded=True)
    headers = dict(command.headers)
    if command.content_type:
        headers["Content-Type"] = command.content_type
    answer, challenge = await _once(session, command, url, headers)
    if answer.status == 401 and phone.user and challenge.lower().startswith("basic"):
        headers["Authorization"] = aiohttp.encode_basic_auth(phone.user, phone.password)
        answer, _ = await _once(session, command, url, headers)
    return answer


async def _once(
    session: aiohttp.ClientSession, command: Command, url: URL, headers: dict[str, str]
) -> tuple[Answer, str]:
    async with session.request(
        command.method, url, data=command.body or None, headers=headers, allow_redirects=False
    ) as response:
        body = await response.content.read(_MOST)
        return Answer(response.status, body), response.headers.get("WWW-Authenticate", "")
