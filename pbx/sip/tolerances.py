"""What handsets do wrong and is forgiven: each has a name, is on by default, is counted, and may be switched off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import Enum


class Tolerance(Enum):
    """A fault in a few words: its value, under which it is counted."""

    ACK_TO_TAG = (
        "ACK with a wrong To tag",
        "the ACK of a 2xx has the tags of its dialog (RFC 3261 §13.2.2.4); stock pyVoIP makes one up",
        "the ACK finds no call, and the call ends when nobody has acknowledged it for 32 s",
    )
    DATE_ZONE = (
        "Date in a zone of its own",
        "a Date is in GMT (RFC 3261 §20.17)",
        "400",
    )
    NO_LENGTH = (
        "no Content-Length on a stream",
        "over TCP and TLS every message says how long its body is (RFC 3261 §20.14)",
        "the connection is closed: nobody can tell where the next message begins",
    )
    OTHER_HEADER = (
        "credentials in the header of the other challenge",
        "a 407 is answered by Proxy-Authorization, a 401 by Authorization (RFC 3261 §22)",
        "the request is challenged again",
    )
    REPLACES_TAGS = (
        "Replaces with its tags the other way round",
        "to-tag is that of who is asked to replace (RFC 3891 §3)",
        "481",
    )

    def __new__(cls, fault: str, law: str, instead: str) -> Tolerance:
        made = object.__new__(cls)
        made._value_ = fault
        return made

    def __init__(self, fault: str, law: str, instead: str) -> None:
        self.law = law
        self.instead = instead


class Tolerances:
    """Owns the counts of what was forgiven. `strict` is what is not."""

    def __init__(self, strict: Iterable[Tolerance] = ()) -> None:
        self._strict = frozenset(strict)
        self.forgiven: Counter[Tolerance] = Counter()

    def forgives(self, fault: Tolerance, times: int = 1) -> bool:
        """Count a fault and return whether to go on as if it were none."""
        if fault in self._strict:
            return False
        self.forgiven[fault] += times
        return True
