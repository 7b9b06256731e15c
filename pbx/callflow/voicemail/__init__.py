"""Voicemail: leaving a message, and the owner's side of it (domain-features 1.8)."""

from pbx.callflow.voicemail.leaving import leave_message
from pbx.callflow.voicemail.login import log_in

__all__ = ["leave_message", "log_in"]
