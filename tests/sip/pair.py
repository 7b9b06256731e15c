"""Two stacks joined in memory: datagrams cross at once, may be lost on purpose, and time passes by command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from pbx.sip.address import Peer
from pbx.sip.digest import Credentials
from pbx.sip.session import Session
from pbx.sip.sip_events import SipEvent
from pbx.sip.stack import Outgoing, Stack
from pbx.sip.uri import NameAddr

ALICE = Peer("udp", "10.0.0.1", 5060)
BOB = Peer("udp", "10.0.0.2", 5060)


def token(seed: int) -> Callable[[int], str]:
    random = Random(seed)
    return lambda count: "".join(random.choice("0123456789abcdef") for _ in range(count))


def stack(peer: Peer, seed: int, session_expires_s: int = 0) -> Stack:
    where = (peer.host, peer.port)
    return Stack(
        {"udp": where, "tcp": where, "tls": where},
        token=token(seed),
        user_agent=f"stack {peer.host}",
        session_expires_s=session_expires_s,
    )


class Pair:
    """Alice and Bob. `lose(number)` tells whether the n-th datagram is lost."""

    def __init__(
        self, lose: Callable[[int], bool] = lambda number: False, *, session_expires_s: tuple[int, int] = (0, 0)
    ) -> None:
        self.alice, self.bob = stack(ALICE, 1, session_expires_s[0]), stack(BOB, 2, session_expires_s[1])
        self.now = 0.0
        self.sent: list[tuple[str, bytes]] = []
        self.events: dict[str, list[SipEvent]] = {"alice": [], "bob": []}
        self._lose = lose

    def call(
        self,
        sdp: bytes | None = b"offer",
        credentials: Credentials | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> Session:
        session = self.alice.invite(
            "sip:bob@10.0.0.2",
            BOB,
            from_=NameAddr("sip:alice@lab", "Alice"),
            to=NameAddr("sip:bob@lab"),
            sdp=sdp,
            now=self.now,
            credentials=credentials,
            headers=headers,
        )
        self.settle()
        return session

    def settle(self) -> None:
        """Carry datagrams until the wire is silent."""
        moved = True
        while moved:
            moved = False
            for name, mine, me, other in (
                ("alice", self.alice, ALICE, self.bob),
                ("bob", self.bob, BOB, self.alice),
            ):
                for item in mine.take_outgoing():
                    moved = True
                    self._carry(name, item, me, other)
            self.events["alice"] += self.alice.take_events()
            self.events["bob"] += self.bob.take_events()

    def pass_time(self, seconds: float) -> None:
        end = self.now + seconds
        while (due := min(self.alice.next_deadline(), self.bob.next_deadline())) <= end:
            self.now = max(self.now, due)
            self.alice.tick(self.now)
            self.bob.tick(self.now)
            self.settle()
        self.now = end

    def of(self, who: str, kind: type) -> list:
        return [event for event in self.events[who] if isinstance(event, kind)]

    def started(self, who: str) -> list[str]:
        """First words of what `who` sent: methods and status codes."""
        return [first(data) for name, data in self.sent if name == who]

    def _carry(self, name: str, item: Outgoing, me: Peer, other: Stack) -> None:
        self.sent.append((name, item.data))
        if not self._lose(len(self.sent)):
            other.receive(item.data, me, self.now)


def first(data: bytes) -> str:
    words = data.split(b" ", 2)
    return words[1].decode() if words[0] == b"SIP/2.0" else words[0].decode()
