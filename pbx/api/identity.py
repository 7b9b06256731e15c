"""Who asks: tokens, what renews them, JSON Web Tokens and API keys; and making and ending them.

All of them are passes of the account desk: what is kept of one is a digest, and one that is removed opens nothing.
"""

from __future__ import annotations

import hmac
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

import jwt

from pbx.access import Actor
from pbx.accounts.desk import LIVES_S, AccountDesk, digest_of
from pbx.domain.accounts import Pass, PassKind
from pbx.domain.directory import Directory
from pbx.domain.tenancy import Scope, User
from pbx.store.protocol import PassRemoved, PassSaved, Store

ALGORITHM = "HS256"
ISSUER = "switchroom"
PREFIXES: dict[str, str] = {"Super User": "nss_", "Reseller": "nsr_"}
"""Of a key that is nobody's own, by its scope; `nsd_` is a domain's, `nsu_` a user's."""
RANDOM = 48
TOKENS: tuple[PassKind, ...] = ("token",)
RENEWALS: tuple[PassKind, ...] = ("refresh",)


@dataclass(frozen=True, slots=True)
class Known:
    """Who a request is from."""

    actor: Actor
    shown: Pass | None = None
    claims: Mapping[str, Any] | None = None
    """Of a JWT."""
    addresses: str = ""
    login: str = ""

    @property
    def by_key(self) -> bool:
        """It is an API key; the house's own is one, and is in no store."""
        return self.shown is None or self.shown.kind == "key"

    @property
    def key(self) -> str:
        return self.shown.first if self.shown is not None else ""

    @classmethod
    def nobody(cls) -> Known:
        return cls(Actor("nobody", "No Portal"))


class Identities:
    """`secret` signs JWTs; `bootstrap` is an API key of a Super User that always holds, empty for none."""

    def __init__(
        self,
        desk: AccountDesk,
        store: Callable[[], Store],
        directories: Callable[[], Iterator[Directory]],
        token: Callable[[int], str],
        at: Callable[[], float],
        secret: bytes,
        bootstrap: str = "",
    ) -> None:
        self.desk, self._store, self._directories = desk, store, directories
        self._token, self._at, self._secret, self._bootstrap = token, at, secret, bootstrap

    # --- who asks -------------------------------------------------------------------------------------

    def known(self, secret: str) -> Known | None:
        """Return whom a token, JWT or key stands for."""
        if self._bootstrap and hmac.compare_digest(secret.encode(), self._bootstrap.encode()):
            return Known(Actor("lab key", "Super User"))
        if secret.count(".") == 2:
            return self._of_jwt(secret)
        shown = self.desk.shown(secret, ("token", "key"))
        return self._of_pass(shown) if shown is not None else None

    def _of_jwt(self, secret: str) -> Known | None:
        try:
            claims: Mapping[str, Any] = jwt.decode(
                secret, self._secret, algorithms=[ALGORITHM], audience="ns", issuer=ISSUER,
                options={"verify_exp": False, "verify_iat": False},
            )  # fmt: skip
        except jwt.InvalidTokenError:
            return None
        shown = self.desk.shown(str(claims.get("jti", "")), TOKENS)  # its time is the house's, which may be set
        known = self._of_pass(shown) if shown is not None else None
        return replace(known, claims=claims) if known is not None else None

    def _of_pass(self, shown: Pass) -> Known | None:
        if shown.kind == "key":
            return self._of_key(shown)
        actor = self.desk.actor(shown)
        return Known(actor, shown, login=actor.name) if actor is not None else None

    def _of_key(self, shown: Pass) -> Known | None:
        """A key stands for its user; one of nobody for a scope, within a reseller or a domain."""
        more = fields_of(shown)
        if shown.extension:
            actor = self.desk.actor(shown)
            if actor is None:
                return None
        else:
            found = next((one for one in self._directories() if one.domain.name == shown.domain), None)
            if shown.domain and found is None:
                return None
            reseller = found.reseller.name if found is not None else str(more.get("reseller", ""))
            actor = Actor(f"key {shown.first}", _scope(shown.scope) or "Office Manager", shown.domain, reseller)
        actor = replace(actor, read_only="this key is for reading alone" if shown.read_only else actor.read_only)
        return Known(actor, shown, addresses=shown.addresses, login=actor.name)

    # --- tokens ---------------------------------------------------------------------------------------

    def tokens(self, directory: Directory, user: User, client: str) -> dict[str, Any]:
        """Return a new token and what renews it, as the platform answers a login."""
        domain, more = directory.domain.name, {"more": json.dumps({"client_id": client})}
        access = self.desk.issue("token", domain, user.extension, secret=self._token(40), **more)
        refresh = self.desk.issue("refresh", domain, user.extension, secret=self._token(40), **more)
        return {
            "username": directory.login_of(user), "user": user.extension, "territory": directory.reseller.name,
            "domain": domain, "site": user.site, "group": user.department, "department": user.department,
            "uid": f"{user.extension}@{domain}", "login": directory.login_of(user), "scope": user.scope,
            "user_email": user.email, "displayName": user.name, "access_token": access,
            "expires_in": int(LIVES_S["token"]), "token_type": "Bearer", "refresh_token": refresh, "client_id": client,
            "apiversion": "Version 45.0",
        }  # fmt: skip

    def renew(self, refresh: str) -> tuple[Directory, User, str] | None:
        """Return whose token is to be renewed, with the client; what renewed it opens nothing any more."""
        shown = self.desk.shown(refresh, RENEWALS)
        account = self.desk.account_of(shown) if shown is not None else None
        if shown is None or account is None or account[1].scope == "No Portal":
            return None
        self.desk.end(refresh)
        return (*account, str(fields_of(shown).get("client_id", "")))

    def jwt(self, directory: Directory, user: User) -> dict[str, str]:
        """Return a new JWT and what renews it."""
        domain, at, jti = directory.domain.name, int(self._at()), self._token(32)
        claims = {
            "aud": "ns", "exp": at + int(LIVES_S["token"]), "iat": at, "iss": ISSUER, "jti": jti,
            "sub": f"{user.extension}@{domain}", "time_out": int(LIVES_S["token"]), "domain": domain,
            "territory": directory.reseller.name, "user": user.extension, "user_email": user.email,
            "user_scope": user.scope, "displayName": user.name,
        }  # fmt: skip
        self.desk.issue("token", domain, user.extension, secret=jti)
        refresh = self.desk.issue("refresh", domain, user.extension, secret=self._token(40))
        return {"token": jwt.encode(claims, self._secret, ALGORITHM), "refresh": refresh}

    # --- keys -----------------------------------------------------------------------------------------

    def new_key(self, scope: str, domain: str, extension: str, by: str, fields: Mapping[str, Any]) -> tuple[str, Pass]:
        """Make an API key; its text is told this once."""
        prefix = "nsu_" if extension else "nsd_" if domain else PREFIXES.get(scope, "nsr_")
        text = key_text(prefix, self._token(RANDOM))
        made = Pass(
            digest_of(text), "key", domain, extension, self._at(), 0.0, first=text[:12], scope=scope, by=by,
            read_only=fields.get("readonly") == "yes", addresses=str(fields.get("ip-address") or ""),
            description=str(fields.get("description") or "")[:200], more=json.dumps(dict(fields)),
        )  # fmt: skip
        self._store().submit(PassSaved(made))
        return text, made

    def every_key(self) -> Iterator[Pass]:
        return (shown for shown in list(self._store().passes().values()) if shown.kind == "key")

    def change_key(self, shown: Pass, fields: Mapping[str, Any]) -> Pass:
        more = {**fields_of(shown), **fields}
        new = replace(
            shown, read_only=more.get("readonly") == "yes", addresses=str(more.get("ip-address") or ""),
            description=str(more.get("description") or "")[:200], more=json.dumps(more),
        )  # fmt: skip
        self._store().submit(PassSaved(new))
        return new

    def end(self, shown: Pass) -> None:
        self._store().submit(PassRemoved(shown.digest))

    def end_jti(self, jti: str) -> bool:
        """End the JWT of that id; False when there is none."""
        found = self._store().passes().get(digest_of(jti))
        if found is None or found.kind != "token":
            return False
        self.end(found)
        return True


def key_text(prefix: str, random: str) -> str:
    """Return a key of 60 characters: what it ends with is the CRC-32 of the 48 in its middle (domain-features 6.1)."""
    middle = "".join(c for c in random if c.isalnum())[:RANDOM].ljust(RANDOM, "0")
    return f"{prefix}{middle}{zlib.crc32(middle.encode()):08x}"


def fields_of(shown: Pass) -> dict[str, Any]:
    found = json.loads(shown.more) if shown.more else {}
    return found if isinstance(found, dict) else {}


def _scope(text: str) -> Scope | None:
    return next((scope for scope in get_args(Scope) if scope == text), None)
