"""Messages in Ana's mailbox (101)."""

from pbx.domain.history import Message

LEFT_AT = 1_795_530_000.0
"""Tuesday 24 November 2026, 9:20 in Toronto."""


def message(number, folder="new", box="101", **fields):
    values = {"seconds": 3.0, "caller_number": "102", "at": LEFT_AT + number, **fields}
    return Message(f"m{number}", box, folder, f"r{number}", heard="signature:102", **values)


def kinds(book):
    return [type(event) for event in book.events]
