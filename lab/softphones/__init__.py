"""Other people's softphones as devices under test: booted by what the server serves, pressed over HTTP as a maker's
phone is, and with ears: what such a phone records is recognised and told to us as its action URLs are.

`recording` follows what a phone records, `listening` recognises it; `baresip` (ctrl_tcp) and `linphone` (its command
line) are the programs, `remote` the web server and the life of one.
"""
