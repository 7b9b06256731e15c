"""Digits and numbers as names of prompts."""

from __future__ import annotations

from pbx.domain.sounds import spoken_digits as spoken_digits
from pbx.domain.sounds import spoken_number as spoken_number
