"""The floor of pacing: streams of 20 ms from a bare loop that waits for each slot's moment and sends.

`python -m tests.bench.sender HOST PORT STREAMS SECONDS`; ten slots of 2 ms, as the media worker has. It goes first, as
that does, and prints the microseconds of CPU a packet took.
"""

from __future__ import annotations

import socket
import sys
import threading
import time

from pbx.media import rtp
from pbx.media.host import go_first

SLOT_S = 0.002
SLOTS = 10


def send(to: tuple[str, int], streams: int, seconds: float) -> None:
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(streams)]
    slots = [sockets[at::SLOTS] for at in range(SLOTS)]
    never = threading.Event()
    go_first()
    begun, before, count = time.monotonic(), time.process_time(), int(seconds / SLOT_S)
    for slot in range(count):
        due = begun + slot * SLOT_S - time.monotonic()
        if due > 0:
            never.wait(due)
        packet = rtp.pack(0, slot // SLOTS, slot // SLOTS * 160, 1, bytes(160))
        for each in slots[slot % SLOTS]:
            each.sendto(packet, to)
    print((time.process_time() - before) * 1e6 / (count * streams / SLOTS))
    for each in sockets:
        each.close()


if __name__ == "__main__":
    send((sys.argv[1], int(sys.argv[2])), int(sys.argv[3]), float(sys.argv[4]))
