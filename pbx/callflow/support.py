"""611 and the provider's number: into the provider's own domain, for everybody and always (domain-features 3)."""

from __future__ import annotations

from pbx.callflow.script import Script
from pbx.callflow.speech import say
from pbx.callflow.vocabulary import Control
from pbx.domain.destinations import Destination


def call_support(call: Control) -> Script[Destination | None]:
    """Answer, say where the caller is, and return the support's attendant; what follows is of the provider's domain."""
    entry = call.enter_support()
    call.answer()
    yield from say(call, "support-welcome")
    return entry
