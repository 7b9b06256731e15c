"""From power to accounts: the boot of one phone as a pure state machine, and the strip that shows it.

link → DHCP → discovery → configuration. Registration and subscription follow in `line`; their parts of the strip
are kept here too, so that the strip has one owner.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from lab.phones.discovery import find_server
from lab.phones.family import BootFailed, BootScript, Box, Family, Fetch, Fetched, PhoneConfig
from pbx.sip.digest import Credentials, answer_challenge
from provisioning_server.families import shipped_families

MOST_PROOFS = 2
"""How often a 401 is answered."""
PARTS = ("link", "dhcp", "discover", "config", "register", "subscribe")


@dataclass(frozen=True, slots=True)
class BootPace:
    """How long the parts take that the lab only imitates."""

    link_s: float = 0.2
    dhcp_s: float = 0.3
    discover_s: float = 0.1
    fetch_patience_s: float = 8.0
    retry_s: float = 30.0
    """After a failed boot the phone shows its error this long, then tries again, as they all do."""
    spread: float = 0.0
    """How much of the random delay before its first fetch a family waits, where its maker has put in one: 0 to 1."""
    sends_back: bool = False
    """Whether phones send back the log of a boot, where their maker does."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the strip; `result` is `ok`, `fail`, `now` or `wait`."""

    name: str
    result: str = "wait"
    seconds: float = 0.0
    note: str = ""


class Strip:
    """The boot strip: what happened when."""

    def __init__(self) -> None:
        self._parts = {name: Part(name) for name in PARTS}
        self._begun: dict[str, float] = {}

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(self._parts.values())

    def begin(self, name: str, now: float, note: str = "") -> None:
        self._begun[name] = now
        self._parts[name] = Part(name, "now", 0.0, note)

    def end(self, name: str, now: float, *, ok: bool = True, note: str = "") -> None:
        seconds = round(now - self._begun.get(name, now), 3)
        self._parts[name] = Part(name, "ok" if ok else "fail", seconds, note)

    def say(self, name: str, note: str) -> None:
        self._parts[name] = replace(self._parts[name], note=note)

    def result(self, name: str) -> str:
        return self._parts[name].result


class Boot:
    """One boot. The owner calls `tick` at `next_deadline`, carries out `take_fetch`, and answers with `fetched`."""

    def __init__(
        self,
        family: Family,
        box: Box,
        dhcp: Mapping[int, str],
        pace: BootPace,
        now: float,
        kept_url: str = "",
        *,
        asks_dhcp: bool = True,
        chance: float = 0.0,
    ) -> None:
        """`kept_url`: where the phone's flash says its server is; `asks_dhcp`: whether DHCP goes before it; `chance`:
        from 0 to 1, where in its maker's random delay the first fetch falls."""
        self._family, self._box, self._dhcp, self._pace = family, box, dict(dhcp), pace
        self._kept_url, self._asks_dhcp = kept_url, asks_dhcp
        self._script: BootScript | None = None
        self._fetch: Fetch | None = None
        self._asked = 0
        self._wanted: Fetch | None = None
        self._proofs = 0
        self._delay_s = pace.spread * _random_delay_s(family, chance)
        self._read = hashlib.md5(usedforsecurity=False)
        self._deadline = now + pace.link_s
        self._stage = "link"
        self._now = now
        """The moment of the input that moves the script."""
        self.strip = Strip()
        self.strip.begin("link", now)
        self.config: PhoneConfig | None = None
        self.failure: BootFailed | None = None
        self.url = ""

    @property
    def over(self) -> bool:
        return self.config is not None or self.failure is not None

    @property
    def stage(self) -> str:
        """The part that is going on."""
        return "discover" if self._stage == "asking" else self._stage

    @property
    def asked(self) -> int:
        """Number of the fetch that is awaited: an answer to an earlier one came too late and counts for nothing."""
        return self._asked

    def next_deadline(self) -> float:
        return float("inf") if self.over else self._deadline

    def take_fetch(self) -> tuple[int, Fetch] | None:
        """Return the fetch to carry out now with its number, once."""
        fetch, self._fetch = self._fetch, None
        return (self._asked, fetch) if fetch is not None else None

    def tick(self, now: float) -> None:
        if self.over or now < self._deadline:
            return
        match self._stage:
            case "link":
                self._next(now, "dhcp", self._pace.dhcp_s)
            case "dhcp":
                self._next(now, "discover", self._pace.discover_s + self._delay_s)
            case "discover":
                self._begin_config(now)
            case "config" | "asking":
                self.fetched(self._asked, Fetched(0), now)

    def reload(self, now: float) -> None:
        """Skip to the configuration: what a check-sync without reboot does."""
        for name in ("link", "dhcp"):
            self.strip.end(name, now)
        self.strip.begin("discover", now)
        self._stage = "discover"
        self._begin_config(now)

    def fetched(self, number: int, answer: Fetched, now: float) -> None:
        if self.over or number != self._asked or self._script is None:
            return
        script, again = self._script, self._proved(answer)
        if again is not None:
            self._ask(again, now)
            return
        if answer.ok:
            self._read.update(answer.body)
        self._proofs = 0
        self._advance(lambda: script.send(answer), now)

    @property
    def digest(self) -> str:
        """MD5 of all that was read: some firmwares ignore what they have read before."""
        return self._read.hexdigest()

    def _proved(self, answer: Fetched) -> Fetch | None:
        """The same request with the login, when the server wants one; twice at most, as careful firmwares do."""
        wanted, login = self._wanted, self._box.login
        if answer.status != 401 or wanted is None or login is None or self._proofs >= MOST_PROOFS:
            return None
        self._proofs += 1
        proof = _authorization(answer.challenge, login, wanted, self._proofs)
        if not proof:
            return None
        others = tuple(header for header in wanted.headers if header[0] != "Authorization")
        return replace(wanted, headers=(*others, ("Authorization", proof)))

    def _next(self, now: float, stage: str, seconds: float) -> None:
        note = ",".join(str(option) for option in sorted(self._dhcp)) if self._stage == "dhcp" else ""
        self.strip.end(self._stage, now, note=f"option {note}" if note else "")
        self._stage, self._deadline = stage, now + seconds
        self.strip.begin(stage, now)

    def _begin_config(self, now: float) -> None:
        self._stage = "asking"
        script = self._script = self._whole()
        self._advance(lambda: next(script), now)

    def _whole(self) -> BootScript:
        """Find the server, then ask it for what the family asks for."""
        url = yield from find_server(self._family, self._box, self._dhcp, self._kept_url, asks_dhcp=self._asks_dhcp)
        self.url = url
        # The directory of the URL is a credential (its token): the strip names the protocol alone.
        self._stage = "config"
        self.strip.end("discover", self._now, note=url.partition(":")[0])
        self.strip.begin("config", self._now)
        return (yield from self._family.boot(self._box, url))

    def _advance(self, step: Callable[[], Fetch], now: float) -> None:
        self._now = now
        try:
            wanted = step()
        except StopIteration as done:
            self._finish(done.value, now)
        except BootFailed as failure:
            self._fail(failure, now)
        except ValueError as fault:  # a number that is none: the firmware calls the file bad
            self._fail(BootFailed("Config bad", str(fault)), now)
        else:
            self._ask(wanted, now)

    def _ask(self, wanted: Fetch, now: float) -> None:
        self._fetch = self._wanted = wanted
        self._asked += 1
        self._deadline = now + self._pace.fetch_patience_s
        self.strip.say(self.stage, wanted.name or wanted.protocol)

    def _finish(self, config: PhoneConfig, now: float) -> None:
        if not config.accounts:
            self._fail(BootFailed("No account", "the configuration enables no line"), now)
            return
        self.config = config
        self.strip.end("config", now, note=" ".join(config.files))

    def _fail(self, failure: BootFailed, now: float) -> None:
        self.failure = failure
        self.strip.end(self.stage, now, ok=False, note=failure.words)


def _random_delay_s(family: Family, chance: float) -> float:
    manifest = shipped_families().by_id.get(family.name)
    low, high = manifest.first_fetch_after_s if manifest is not None else (0.0, 0.0)
    return low + (high - low) * chance


def _authorization(challenge: str, login: tuple[str, str], wanted: Fetch, count: int) -> str:
    """Value of the Authorization header, Digest where it is offered (RFC 7616), else Basic; empty for neither."""
    user, password = login
    parts = urlsplit(wanted.url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    digest = answer_challenge([challenge], Credentials(user, password), wanted.method, path, f"{count:08x}")
    if digest is not None:
        return digest
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    return f"Basic {basic}" if challenge.lower().startswith("basic") else ""
