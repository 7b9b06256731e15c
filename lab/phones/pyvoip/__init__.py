"""pyVoIP 1.6.8 as a handset, behind our own repairs (sip-stack.md 4 lists the faults).

pyVoIP is GPL-3.0 and an extra: nothing outside this package imports it, and nothing imports this package
before a pyVoIP phone is wanted (`lab.phones.pyvoip_phone.available`).

Kept of pyVoIP: its header and SDP reading, its request and answer texts, its calls, its RTP packets. Mended:
what a strict server cannot live with (`messages`, `signalling`), and what would spoil the measurement of
audio (`audio`).
"""
