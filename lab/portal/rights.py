"""What each address of the console's port asks of whoever comes: the right it needs, of the one table.

An address that is not here is the lab's own: a Super User's (the lab engineer is one). A page that has a right shows of
its things those its reader reaches; what is changed is asked of the thing itself.
"""

from __future__ import annotations

from pbx.access import Action, Kind

PUBLIC = frozenset({"/login", "/logout", "/link/{secret}", "/healthz", "/readyz", "/theme", "/static", "/htmx"})
"""Whoever comes: doors, what pages are drawn with, and what a supervisor asks."""

RIGHTS: dict[tuple[str, str], tuple[Action, Kind]] = {
    ("GET", "/"): ("view", "home"),
    ("GET", "/stream"): ("view", "home"),
    ("GET", "/account"): ("view", "home"),
    ("POST", "/account/password"): ("view", "home"),
    ("POST", "/account/sign-out-everywhere"): ("view", "home"),
    ("POST", "/view-as/stop"): ("view", "home"),
    ("POST", "/view-as"): ("create", "view as"),
    ("GET", "/floor"): ("view", "phone"),
    ("GET", "/calls"): ("view", "call record"),
    ("GET", "/calls/{call}"): ("view", "call record"),
    ("GET", "/devices"): ("view", "hardware"),
    ("GET", "/devices/{mac}"): ("view", "hardware"),
    ("GET", "/runs"): ("view", "test run"),
    ("GET", "/runs/{run}"): ("view", "test run"),
    ("GET", "/runs/{run}/report"): ("view", "test run"),
    ("GET", "/runs/{run}/evidence/{case}/{name}"): ("view", "sip trace"),
    ("GET", "/onboard"): ("view", "onboarding"),
    ("POST", "/onboard"): ("create", "onboarding"),
    ("GET", "/onboard/{domain}"): ("view", "onboarding"),
    ("POST", "/onboard/{domain}/steps"): ("edit", "onboarding"),
    ("POST", "/onboard/{domain}/forms"): ("edit", "onboarding"),
    ("GET", "/api/v1/onboarding"): ("view", "onboarding"),
    ("POST", "/api/v1/onboarding"): ("create", "onboarding"),
    ("GET", "/api/v1/onboarding/{domain}"): ("view", "onboarding"),
    ("PUT", "/api/v1/onboarding/{domain}"): ("edit", "onboarding"),
    ("POST", "/api/v1/onboarding/{domain}/steps"): ("edit", "onboarding"),
    ("POST", "/guide/me"): ("edit", "test run"),
    ("POST", "/guide/{number}"): ("edit", "test run"),
    ("GET", "/d/{domain}/users"): ("view", "user"),
    ("POST", "/d/{domain}/users"): ("create", "user"),
    ("POST", "/d/{domain}/site-assignment"): ("edit", "site assignment"),
    ("GET", "/d/{domain}/users/{key}"): ("view", "profile"),
    ("POST", "/d/{domain}/users/{key}"): ("edit", "profile"),
    ("GET", "/d/{domain}/users/{key}/rules"): ("view", "answering rule"),
    ("POST", "/d/{domain}/users/{key}/rules"): ("edit", "answering rule"),
    ("POST", "/d/{domain}/users/{key}/invite"): ("edit", "account"),
    ("POST", "/d/{domain}/users/{key}/delete"): ("delete", "user"),
    ("GET", "/d/{domain}/sites"): ("view", "site"),
    ("POST", "/d/{domain}/sites"): ("create", "site"),
    ("POST", "/d/{domain}/sites-feature"): ("edit", "sites feature"),
    ("GET", "/d/{domain}/sites/{key}"): ("view", "site"),
    ("POST", "/d/{domain}/sites/{key}"): ("edit", "site"),
    ("GET", "/d/{domain}/timeframes"): ("view", "time frame"),
    ("GET", "/d/{domain}/timeframes/{key}"): ("view", "time frame"),
    ("POST", "/d/{domain}/timeframes/{key}"): ("edit", "time frame"),
    ("GET", "/d/{domain}/attendants"): ("view", "attendant"),
    ("GET", "/d/{domain}/attendants/{key}"): ("view", "attendant"),
    ("POST", "/d/{domain}/attendants/{key}"): ("edit", "attendant"),
    ("GET", "/d/{domain}/queues"): ("view", "queue"),
    ("GET", "/d/{domain}/queues/{key}"): ("view", "queue"),
    ("POST", "/d/{domain}/queues/{key}"): ("edit", "queue"),
    ("GET", "/d/{domain}/conferences"): ("view", "conference"),
    ("GET", "/d/{domain}/conferences/{key}"): ("view", "conference"),
    ("POST", "/d/{domain}/conferences/{key}"): ("edit", "conference"),
    ("GET", "/d/{domain}/numbers"): ("view", "number"),
    ("GET", "/d/{domain}/numbers/{key}"): ("view", "number"),
    ("POST", "/d/{domain}/numbers/{key}"): ("edit", "number"),
    ("GET", "/d/{domain}/faxes"): ("view", "fax account"),
    ("GET", "/d/{domain}/faxes/{id}/{kind}"): ("view", "fax account"),
    ("GET", "/d/{domain}/history"): ("view", "call record"),
    ("GET", "/d/{domain}/audit"): ("view", "audit log"),
    ("GET", "/d/{domain}/roles"): ("view", "home"),
    ("GET", "/d/{domain}/why-may-i"): ("view", "home"),
}  # fmt: skip
