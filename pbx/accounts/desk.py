"""Where people log in and out, get their links, and set their passwords.

What is kept of a session, link or token is a digest: who reads the database can show none. Everything of an account
goes when its user goes; a session ends when its password changes.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from pbx.access import SCOPES, Actor
from pbx.accounts import passwords
from pbx.accounts.throttle import Throttle
from pbx.domain.accounts import SUBSCRIPTION, Credential, Pass, PassKind
from pbx.domain.directory import Directory
from pbx.domain.tenancy import User
from pbx.ownership import actor_of, user_by_login
from pbx.store.protocol import CredentialRemoved, CredentialSaved, DocumentRemoved, PassRemoved, PassSaved, Store

LIVES_S: dict[PassKind, float] = {
    "session": 12 * 3600.0, "welcome": 24 * 3600.0, "reset": 3 * 3600.0, "token": 3600.0, "refresh": 30 * 86_400.0,
    "key": 0.0,
}  # fmt: skip
"""Welcome and reset links as the platform's (domain-features 5.1); 0 for ever."""
LAB_LOGIN = "lab"
"""Of the lab engineer, where a console listens to more than its own machine."""
LINKS: tuple[PassKind, ...] = ("welcome", "reset")
_TOO_MANY = "Too many wrong logins from here. Wait before the next."
_NOT_RIGHT = "Name or password is not right."
_FIRST = 12
"""Characters of a key by which lists name it."""
_USED_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class NotLoggedIn:
    """Why a login failed; the same words for a wrong name and a wrong password."""

    words: str
    retry_after_s: float = 0.0
    """More than 0 for one that was not even tried."""


class AccountDesk:
    """Keeps accounts in the store; owns the count of wrong logins.

    `store` and `directories` are asked anew each time; `token` makes secrets, `at` tells POSIX seconds.
    """

    def __init__(
        self,
        store: Callable[[], Store],
        directories: Callable[[], Iterable[Directory]],
        token: Callable[[], str],
        at: Callable[[], float],
        lab_password: str = "",
    ) -> None:
        self._store, self._directories, self._token, self._at = store, directories, token, at
        self._lab_password = lab_password
        self._throttle = Throttle()
        self.closed: Callable[[str], str] = lambda domain: ""
        """Why nobody but the provider comes into a domain yet; set by who onboards it."""

    async def log_in(self, login: str, password: str, address: str, browser: str = "") -> str | NotLoggedIn:
        """Return the secret of a new session."""
        if login.strip().casefold() == LAB_LOGIN and self._lab_password:
            return self._log_lab_in(password, address, browser)
        account = await self.checked(login, password, address)
        if isinstance(account, NotLoggedIn):
            return account
        directory, user = account
        return self.issue("session", directory.domain.name, user.extension, description=browser[:200])

    def _log_lab_in(self, password: str, address: str, browser: str) -> str | NotLoggedIn:
        if (wait_s := self._throttle.wait_s(address, LAB_LOGIN, self._at())) > 0:
            return NotLoggedIn(_TOO_MANY, wait_s)
        if not hmac.compare_digest(password.encode(), self._lab_password.encode()):
            self._throttle.failed(address, LAB_LOGIN, self._at())
            return NotLoggedIn(_NOT_RIGHT)
        self._throttle.succeeded(address, LAB_LOGIN)
        return self.issue("session", "", "", by=LAB_LOGIN, description=browser[:200])

    def is_lab(self, secret: str, address: str) -> bool:
        """Return whether a program shows the lab engineer's password; wrong ones count as wrong logins do."""
        if not self._lab_password or self._throttle.wait_s(address, LAB_LOGIN, self._at()) > 0:
            return False
        if hmac.compare_digest(secret.encode(), self._lab_password.encode()):
            return True
        self._throttle.failed(address, LAB_LOGIN, self._at())
        return False

    async def checked(self, login: str, password: str, address: str) -> tuple[Directory, User] | NotLoggedIn:
        """Return whose login and password these are. A guess costs the same whether the name is known or not."""
        login = login.strip().casefold()[:200]
        if (wait_s := self._throttle.wait_s(address, login, self._at())) > 0:
            return NotLoggedIn(_TOO_MANY, wait_s)
        self._throttle.failed(address, login, self._at())  # before the hash: guesses made at once count, too
        found = self._account(login)
        kept = self._store().credential(found[0].domain.name, found[1].extension) if found is not None else None
        right = await asyncio.to_thread(passwords.fits, kept.hash if kept is not None else None, password)
        if not right or found is None or found[1].scope == "No Portal":
            return NotLoggedIn(_NOT_RIGHT)
        self._throttle.take_back(address)
        self._throttle.succeeded(address, login)
        if why := self.closed(found[0].domain.name):
            return NotLoggedIn(f"Not yet: {why}.")
        return found

    def issue(self, kind: PassKind, domain: str, extension: str, **more: object) -> str:
        """Make a pass and return its secret, which is told this once; `more` are other fields of `Pass`."""
        secret = str(more.pop("secret", "") or self._token())
        at, lives_s = self._at(), LIVES_S[kind]
        made = Pass(digest_of(secret), kind, domain, extension, at, at + lives_s if lives_s else 0.0)
        self._store().submit(PassSaved(replace(made, **{"first": secret[:_FIRST] if kind == "key" else "", **more})))  # type: ignore[arg-type]
        return secret

    def shown(self, secret: str, kinds: Collection[PassKind]) -> Pass | None:
        """Return the pass of a secret, while it lives and is of such a kind."""
        found = self._store().passes().get(digest_of(secret))
        at = self._at()
        if found is None or found.kind not in kinds or not found.lives_at(at):
            return None
        if at - found.used_at >= _USED_EVERY_S:
            self._store().submit(PassSaved(replace(found, used_at=at)))
        return found

    def actor(self, shown: Pass) -> Actor | None:
        """Return whom a pass stands for; None once there is no such user, or it may not log in any more.

        A key is never wider than it was made, nor than its user is now.
        """
        account = self.account_of(shown)
        if account is None or account[1].scope == "No Portal":
            return None
        actor = actor_of(*account)
        if shown.kind == "key":
            actor = replace(
                actor, scope=max((one for one in SCOPES if one in (actor.scope, shown.scope)), key=SCOPES.index)
            )
        return replace(actor, read_only="this pass is for reading alone") if shown.read_only else actor

    def account_of(self, shown: Pass) -> tuple[Directory, User] | None:
        for directory in self._directories():
            if directory.domain.name == shown.domain:
                user = directory.users_by_extension.get(shown.extension)
                return (directory, user) if user is not None else None
        return None

    def link(self, kind: PassKind, domain: str, extension: str, by: str) -> str:
        """Make a welcome or reset link; former ones of this account open nothing any more."""
        assert kind in LINKS
        self.revoke(domain, extension, LINKS)
        return self.issue(kind, domain, extension, by=by)

    async def set_password(self, domain: str, extension: str, password: str) -> None:
        """Set it, end every session and spend every link of the account. `passwords.why_not` was asked before."""
        hash_ = await asyncio.to_thread(passwords.hashed, password)
        self._store().submit(CredentialSaved(Credential(domain, extension, hash_, self._at())))
        self.revoke(domain, extension, (*LINKS, "session", "token", "refresh"))

    def has_password(self, domain: str, extension: str) -> bool:
        return self._store().credential(domain, extension) is not None

    def end(self, secret: str) -> None:
        """Log out: the pass of this secret opens nothing any more."""
        self._store().submit(PassRemoved(digest_of(secret)))

    def revoke(self, domain: str, extension: str, kinds: Collection[PassKind]) -> int:
        """End every pass of these kinds of an account; return how many there were."""
        found = [one for one in self.passes_of(domain, extension) if one.kind in kinds]
        for one in found:
            self._store().submit(PassRemoved(one.digest))
        return len(found)

    def passes_of(self, domain: str, extension: str) -> list[Pass]:
        """Newest first."""
        kept = self._store().passes().values()
        mine = (one for one in kept if one.domain == domain and one.extension == extension)
        return sorted(mine, key=lambda one: -one.made_at)

    def _account(self, login: str) -> tuple[Directory, User] | None:
        for directory in self._directories():
            user = user_by_login(directory, login)
            if user is not None and not user.hidden:
                return directory, user
        return None


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def among(address: str, networks: str) -> bool:
    """Return whether an address is in one of the networks, `192.0.2.0/24, 2001:db8::1`, or there are none."""
    if not networks:
        return True
    try:
        where = ipaddress.ip_address(address)
        return any(
            where in ipaddress.ip_network(part.strip(), strict=False) for part in networks.split(",") if part.strip()
        )
    except ValueError:
        return False


def forget_strangers(store: Store, before: Directory, after: Directory) -> None:
    """Let the accounts go of users that are gone: whoever gets the extension next is somebody else."""
    _forget(store, after.domain.name, before.users_by_extension.keys() - after.users_by_extension.keys())


def forget_domain(store: Store, gone: Directory) -> None:
    """Let every account of a domain go, and what keys it had itself."""
    _forget(store, gone.domain.name, {*gone.users_by_extension, ""})


def _forget(store: Store, domain: str, extensions: Collection[str]) -> None:
    if not extensions:
        return
    for extension in extensions:
        if store.credential(domain, extension) is not None:
            store.submit(CredentialRemoved(domain, extension))
    for one in list(store.passes().values()):
        if one.domain == domain and one.extension in extensions:
            store.submit(PassRemoved(one.digest))
    for document in list(store.documents(domain, SUBSCRIPTION).values()):
        if json.loads(document.text).get("user") in extensions:
            store.submit(DocumentRemoved(domain, SUBSCRIPTION, document.key))
