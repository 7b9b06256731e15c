"""Stock pyVoIP, untyped on purpose: its annotations do not hold, and the extra may be absent when types are checked."""

from importlib import import_module
from typing import Any

VOIP: Any = import_module("pyVoIP.VoIP")
"""Must be imported before `pyVoIP.SIP`: 1.6.8 imports in a circle."""
SIP: Any = import_module("pyVoIP.SIP")
RTP: Any = import_module("pyVoIP.RTP")

CallState: Any = VOIP.CallState
PhoneStatus: Any = VOIP.PhoneStatus
