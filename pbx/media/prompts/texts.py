"""What every prompt says: the one table that rendering, the catalogue and the console read."""

from __future__ import annotations

from string import ascii_lowercase

from pbx.domain.sounds import ADDRESS_WORDS

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
    "attendant-welcome": "Welcome. Please choose from the menu.",
    "attendant-closed": "Our office is closed now. Please leave a message.",
    "attendant-sales": "You have reached sales. Press nine to go back.",
    "attendant-no-greeting": "Please press a key, or dial an extension.",
    "name-enter": "Please press the keys of the first three letters of the last name.",
    "name-nobody": "There is nobody of that name.",
    "name-calling": "Calling",
    "name-press": "press",
    "name-more": "For more names, press",
    "extension": "extension",
    "invalid-key": "That is not a valid choice.",
    "goodbye": "Goodbye.",
    "please-hold": "Please hold.",
    "transfer-failed": "The transfer failed. You are back with your caller.",
    "queue-welcome": "All our agents are busy. Please hold the line.",
    "queue-position": "You are caller number",
    "queue-callback-offer": "To hang up and be called back when it is your turn, press one.",
    "queue-callback-agreed": "You keep your place, and will be called back.",
    "queue-callback": "This is a call back. Calling",
    "queue-wait": "The expected wait in minutes is",
    "conference-pin": "Please enter the PIN of the conference, and press pound.",
    "conference-wrong-pin": "That PIN is not right.",
    "conference-full": "This conference is full.",
    "conference-waiting": "The conference has not begun. Please wait for the others.",
    "conference-ended": "The conference is over. Goodbye.",
    "conference-name": "Please say your name after the tone, and press pound.",
    "conference-somebody": "Somebody",
    "conference-joined": "has joined the conference.",
    "conference-left": "has left the conference.",
    "screen-name": "Please say your name after the tone.",
    "screen-call-from": "You have a call from",
    "screen-nobody": "somebody who said no name.",
    "screen-choice": "Press one to take it, two to refuse it.",
    "recording-notice": "This call may be recorded.",
    "confirm-call": "You have a call. Press one to take it.",
    "agent-available": "You are available for calls from your queues.",
    "agent-unavailable": "You are not available for calls from your queues.",
    "agent-of-no-queue": "You are not an agent of any queue.",
    "which-slot": "Please enter the park slot.",
    "nobody-parked": "Nobody is parked there.",
    "no-call-rings": "There is no call to pick up.",
    "no-call-to-pull": "You have no call on another telephone.",
    "forward-to": "Please enter the number to forward your calls to.",
    "forwarding-unknown": "Calls cannot be forwarded there.",
    "anonymous-rejected": "This person takes no calls from callers who withhold their number.",
    "anonymous-reject-on": "Callers who withhold their number are refused.",
    "anonymous-reject-off": "Callers who withhold their number are put through.",
    "nobody-called": "There is no number to call back.",
    "recording-on": "Your call is being recorded.",
    "recording-off": "Your call is no longer recorded.",
    "recording-refused": "There is no call that can be recorded.",
    "not-in-service": "The number you have dialled is not in service.",
    "not-registered": "The telephone you have dialled is not connected.",
    "barred": "You are not allowed to call this number.",
    "not-available": "The person you have called is not available.",
    "vm-greeting": "The person at extension",
    "vm-not-available": "is not available. Please leave a message after the tone.",
    "vm-login": "Please enter your mailbox.",
    "vm-password": "Please enter your password.",
    "vm-wrong-password": "That password is not right.",
    "vm-you-have": "You have",
    "vm-new-messages": "new messages.",
    "vm-no-messages": "no new messages.",
    "vm-message-menu": "Press one to hear it again, two for when and by whom it was left, three to send it on, "
    "seven to delete, eight to call back, nine to save, star for the menu.",
    "vm-message-deleted": "Message deleted.",
    "vm-message-saved": "Message saved.",
    "vm-end-of-messages": "There are no more messages.",
    "vm-leave-message": "Please leave a message after the tone.",
    "vm-the-person": "The person you have called",
    "vm-full": "This mailbox is full. No message can be left.",
    "vm-no-room": "No message can be left now.",
    "vm-limit": "You have reached the longest message.",
    "vm-too-short": "That was too short.",
    "vm-message-left": "Your message has been left.",
    "vm-review": "Press one to leave this message, two to hear it, three to record it again.",
    "vm-locked": "This mailbox is locked. Please try again later.",
    "vm-saved-messages": "saved messages.",
    "vm-main-menu": "Press one for new messages, two for saved ones, three for deleted ones, four for your greeting, "
    "name and password.",
    "vm-options-menu": "Press one to record a greeting, two to choose one, three to record your name, four to change "
    "your password, star to go back.",
    "vm-which-greeting": "Press the number of the greeting, from one to nine.",
    "vm-choose-greeting": "Press the number of the greeting, or zero for the standard one.",
    "vm-no-such-greeting": "There is no such greeting.",
    "vm-greeting-chosen": "Your callers hear greeting",
    "vm-new-pin": "Please enter your new password.",
    "vm-pin-again": "Please enter it again.",
    "vm-pin-too-plain": "That password is too short, or too easy to guess.",
    "vm-pins-differ": "They are not the same.",
    "vm-pin-changed": "Your password is changed.",
    "vm-received": "Received",
    "vm-from": "From",
    "vm-unknown-caller": "From an unknown caller.",
    "vm-send-to": "Please enter the mailbox to send it to.",
    "vm-no-such-box": "There is no such mailbox.",
    "vm-comment": "Press one to say something about it, or pound to send it as it is.",
    "vm-sent-on": "It has been sent.",
    "vm-no-call-back": "This caller cannot be called back.",
    "vm-message-restored": "Message restored.",
    "record-after-tone": "Please speak after the tone. Press pound when you have finished.",
    "keep-recording": "Press one to keep it, two to record it again.",
    "recording-kept": "It is recorded.",
    "emergency-simulated": "You have reached the simulated emergency desk. No real emergency service is called.",
    "your-number-is": "You are calling from",
    "your-address-is": "Your emergency address is",
    "address-not-on-file": "No emergency address is on file.",
    "operator-answers": "You have reached the national emergency call centre.",
    "operator-asks": "Is that where you are? Press one, or stay on the line.",
    "operator-transfers": "I am putting you through to your local emergency service.",
    "service-simulated": "You have reached the simulated desk of the service",
    "support-menu": "Press one for the success team, three for technical support.",
    "support-closed": "Our support is closed now. Press one for the success team, or leave a message.",
    "support-agent": "Technical support. How can I help you?",
    "support-welcome": "Welcome to the simulated support desk.",
    "do-not-disturb-on": "Do not disturb is on.",
    "do-not-disturb-off": "Do not disturb is off.",
    "forwarding-on": "Call forwarding is on.",
    "forwarding-off": "Call forwarding is off.",
}

LETTERS = {f"letter-{letter}": f"{letter.upper()}." for letter in ascii_lowercase}
WORDS = {f"word-{word}": word for word in ADDRESS_WORDS}

TIMES = {
    **{day: day.capitalize() for day in (
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "today", "yesterday",
    )},
    **{month: month.capitalize() for month in (
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    )},
    "at": "at", "oh": "oh", "am": "A. M.", "pm": "P. M.",
}  # fmt: skip

TEXTS = NUMBERS | LETTERS | WORDS | TIMES | SENTENCES
