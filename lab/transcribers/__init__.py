"""Engines that turn messages into text, one a file: each has `NAME` and `transcribe(path)`, the path of a WAV file.

None comes with the switchroom: a mailbox that names one which is not here gets mail that says so. `transcribe` runs
in a thread of its own and returns the text; any exception of it is the reason why there is none.
"""
