"""Dialects of remote control, a module a vendor; adding one is a new module here.

Each has `FAMILIES` (ids or prefixes of device_templates), `CAN` (what it can do), `DOUBTED` (what of that rests on
memory or on one public program, and no manual), `look()`, a harmless script that shows whether the phone lets itself be
driven, and `do(action, argument)`, a script that yields commands, gets answers, and raises `Refused`.
"""
