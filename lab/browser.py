"""A person's web browser, or a program's client: pages, their forms, the cookies it was given, a token of the API.

Pure: `carry` brings what is asked to the portal and says what came back. One thing at a time; an answer that is no
longer waited for is dropped. What was answered last, redirects followed, stands in `answer`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit

_MOST_HOPS = 5
_FORM = "application/x-www-form-urlencoded"
_JSON, _TEXT = "application/json", "text/plain; charset=utf-8"
_LINK = re.compile(r"https?://[^/\s]+(/\S*)")


@dataclass(frozen=True, slots=True)
class Asked:
    """One HTTP request, without its host."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back; status 0 for nothing."""

    status: int
    location: str = ""
    cookies: tuple[str, ...] = ()
    """Each a Set-Cookie header's value."""
    body: bytes = b""


Carry = Callable[[Asked, Callable[[Answered], None]], None]


class NoForm(Exception):
    """The page has no such form."""


class Browser:
    def __init__(self, carry: Carry) -> None:
        self._carry = carry
        self.answer: tuple[int, str] = (0, "")
        """Status and text of the page that is shown."""
        self._path = "/"
        self._cookies: dict[str, str] = {}
        self._token = ""
        self._turn = 0

    # --- what it does ---------------------------------------------------------------------------------

    def open(self, path: str) -> None:
        self._ask(Asked("GET", path))

    def submit(self, values: Mapping[str, str], to: str = "") -> None:
        """Fill in a form of the page that is shown and send it: the one that leads `to`, else that has such fields."""
        forms = list(_forms(self.answer[1], self._path))
        fitting = [form for form in forms if (form.action == to if to else values.keys() <= form.values.keys())]
        if not fitting:
            known = "; ".join(f"{form.action} ({', '.join(form.values)})" for form in forms)
            raise NoForm(f"the page {self._path} has no such form, but {known or 'none'}")
        self.send(fitting[0].action, {**fitting[0].values, **values})

    def send(self, path: str, values: Mapping[str, str]) -> None:
        """Send a form that no page has shown."""
        self._ask(Asked("POST", path, {"Content-Type": _FORM}, urlencode(values).encode()))

    def ask(self, method: str, path: str, value: object = None) -> None:
        """Ask the API, with the token it was given last; one it is given now is kept. A text is sent as it is."""
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        if isinstance(value, str):
            body, kind = value.encode(), _TEXT
        else:
            body, kind = b"" if value is None else json.dumps(value, ensure_ascii=False).encode(), _JSON
        self._ask(Asked(method, path, {**headers, "Content-Type": kind} if body else headers, body))

    def follow(self, letter: str) -> None:
        """Open the link in a letter; NoForm when there is none."""
        found = _LINK.search(letter)
        if found is None:
            raise NoForm("there is no link in the letter")
        self.open(found[1])

    def forget(self) -> None:
        """Another person sits down: no cookie and no token is left."""
        self._cookies, self._token, self._path, self.answer = {}, "", "/", (0, "")
        self._turn += 1

    # --- what comes of it -----------------------------------------------------------------------------

    def _ask(self, asked: Asked) -> None:
        self._turn += 1
        self.answer = (0, "")
        self._go(asked, self._turn, _MOST_HOPS)

    def _go(self, asked: Asked, turn: int, hops: int) -> None:
        headers = {"Sec-Fetch-Site": "same-origin", **asked.headers}
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        self._carry(
            Asked(asked.method, asked.path, headers, asked.body), lambda come: self._come(asked, come, turn, hops)
        )

    def _come(self, asked: Asked, come: Answered, turn: int, hops: int) -> None:
        if turn != self._turn:
            return
        for text in come.cookies:
            self._take(text)
        if come.status in (301, 302, 303, 307, 308) and come.location and hops:
            self._go(Asked("GET", urljoin(asked.path, come.location)), turn, hops - 1)
            return
        self._path = asked.path
        self.answer = (come.status, come.body.decode("utf-8", "replace"))
        if asked.path.endswith("/tokens") and come.status == 200:
            self._token = str(json.loads(come.body).get("access_token", ""))

    def _take(self, text: str) -> None:
        try:
            cookies = SimpleCookie(text)
        except CookieError:
            return
        for name, morsel in cookies.items():
            if morsel["max-age"] == "0" or not morsel.value:
                self._cookies.pop(name, None)
            else:
                self._cookies[name] = morsel.value


@dataclass(slots=True)
class _Form:
    action: str
    values: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    """Finds the forms that are sent by POST, with what stands in their fields."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self.forms: list[_Form] = []
        self._open: _Form | None = None
        self._writes = ""
        self._select = ""
        self._chosen = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        name = told.get("name", "")
        if tag == "form":
            action = urlsplit(urljoin(self._path, told.get("action", ""))).path
            self._open = _Form(action) if told.get("method", "get").lower() == "post" else None
            self.forms += [self._open] if self._open is not None else []
        elif self._open is None:
            return
        elif tag == "input" and name and (told.get("type") not in ("checkbox", "radio") or "checked" in told):
            self._open.values[name] = told.get("value", "on" if told.get("type") in ("checkbox", "radio") else "")
        elif tag == "textarea" and name:
            self._writes = name
            self._open.values[name] = ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in told or self._select not in self._open.values):
            self._open.values[self._select] = told.get("value", "")
            self._chosen = "value" not in told

    def handle_data(self, data: str) -> None:
        if self._open is not None and self._writes:
            self._open.values[self._writes] += data
        elif self._open is not None and self._chosen:
            self._open.values[self._select] = data.strip()
            self._chosen = False

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "textarea":
            self._writes = ""
        elif tag == "select":
            self._select = ""


def _forms(page: str, path: str) -> Iterator[_Form]:
    reader = _Reader(urlsplit(path).path)
    reader.feed(page)
    yield from reader.forms
