"""What every prompt says: the one table that rendering, the catalogue and the console read."""

from __future__ import annotations

_ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")

NUMBERS = {
    **{f"digit-{value}": word for value, word in enumerate(_ONES)},
    **{f"number-{value}": word for value, word in enumerate(_TEENS, start=10)},
    **{f"number-{value}": word for value, word in zip(range(20, 100, 10), _TENS, strict=True)},
    "hundred": "hundred",
}

SENTENCES = {
    "attendant-welcome": (
        "Thank you for calling. If you know the extension, dial it at any time. "
        "For sales, press one. For support, press two. For the operator, press zero."
    ),
    "attendant-closed": "Thank you for calling. Our office is closed. To leave a message, press one.",
    "attendant-sales": "Sales. For new orders, press one. For everything else, press two.",
    "invalid-key": "That is not a valid choice.",
    "goodbye": "Goodbye.",
    "please-hold": "Please hold.",
    "transfer-failed": "The transfer failed. You are back with your caller.",
    "queue-welcome": "All our agents are busy. Your call will be answered in the order it came in.",
    "queue-position": "You are caller number",
    "not-in-service": "The number you have dialled is not in service.",
    "not-registered": "The telephone you have dialled is not connected.",
    "barred": "You are not allowed to call this number.",
    "not-available": "The person you have called is not available.",
    "vm-greeting": "The person at extension",
    "vm-not-available": "is not available. Please leave a message after the tone.",
    "vm-login": "Please enter your mailbox, followed by pound.",
    "vm-password": "Please enter your password, followed by pound.",
    "vm-wrong-password": "That password is not right.",
    "vm-you-have": "You have",
    "vm-new-messages": "new messages.",
    "vm-no-messages": "no new messages.",
    "vm-message-menu": "To hear it again, press one. To save it, press two. To delete it, press seven.",
    "vm-message-deleted": "Message deleted.",
    "vm-message-saved": "Message saved.",
    "vm-end-of-messages": "There are no more messages.",
    "emergency-simulated": "You have reached the simulated emergency desk. No real emergency service is called.",
    "your-number-is": "You are calling from",
    "your-address-is": "Your emergency address is",
    "address-not-on-file": "There is no emergency address on file for this telephone.",
    "support-welcome": "This is the simulated support desk. How can we help you?",
    "do-not-disturb-on": "Do not disturb is on.",
    "do-not-disturb-off": "Do not disturb is off.",
    "forwarding-on": "Call forwarding is on.",
    "forwarding-off": "Call forwarding is off.",
}

TEXTS = NUMBERS | SENTENCES
