"""A shelf of files that answers a boot script, and writes down what was asked."""

from __future__ import annotations

from lab.phones.family import BootScript, Fetched, PhoneConfig


def serve(script: BootScript, shelf: dict[str, bytes | str]) -> tuple[PhoneConfig, list[str]]:
    """Run the script to its end; return what the phone read and the URLs it asked for. BootFailed goes through."""
    asked: list[str] = []
    fetch = next(script)
    while True:
        asked.append(fetch.url)
        body = shelf.get(fetch.url.rpartition("/")[2])
        answer = Fetched(404) if body is None else Fetched(200, body.encode() if isinstance(body, str) else body)
        try:
            fetch = script.send(answer)
        except StopIteration as done:
            return done.value, asked


def names(asked: list[str]) -> list[str]:
    return [url.rpartition("/")[2] for url in asked]
