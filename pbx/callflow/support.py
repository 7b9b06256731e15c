"""611: the provider's support line, for everybody and always (domain-features 3)."""

from __future__ import annotations

from pbx.callflow.external import dial_out
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control
from pbx.domain.destinations import Destination


def call_support(call: Control) -> Script[Destination | None]:
    """Call the support desk; return where the call goes next, None when it was answered and is over."""
    return (yield from dial_out(call, call.dial_support))
