"""Direct media: two parties that can hear each other without us are told each other's address by re-INVITE.

Off unless the operator wants it: what goes past the relay is neither measured nor listened to. Off again for as long
as somebody is on hold, is played something, or talks to no one party; `rtp.path` says which path, and why.

Whatever may change the path asks for a `review`, which compares what is with what should be and takes one step: one
re-INVITE at a time, since the answer to one is the address for the next (RFC 3725 §4.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.events import MediaPath
from pbx.media.engine import MediaAddress, RemoteMedia
from pbx.media.sdp import BadSdp, is_hold
from pbx.sip.dialog import Phase
from pbx.switch.legs import Leg

if TYPE_CHECKING:
    from pbx.switch.calls import Call
    from pbx.switch.switch import Switch

MOST_ASKED = 6
"""Re-INVITEs to one leg in one conversation: addresses that change with every answer settle never."""
_GLARE_S = {"uac": 3.0, "uas": 1.0}
"""After a 491 (RFC 3261 §14.1): who made the call waits longer."""


def review(switch: Switch, call: Call, leg: Leg) -> None:
    """Bring the media of a leg and of whom it talks to one step nearer to the path it should take."""
    if call.over or leg.gone or call.legs.get(leg.name) is not leg:
        return
    other = call.legs.get(leg.joined)
    if other is None or other.gone:
        _ask(switch, leg, None)
        return
    if not (leg.answered and other.answered):
        return
    why = "the conversation is recorded" if call.is_recorded(leg) else ""
    why = why or _listened_to(switch, leg) or _listened_to(switch, other) or relayed_because(leg, other)
    if why:
        for one, like in ((leg, other), (other, leg)):
            _ask(switch, one, None, like)
        _tell(call, leg, other, "relayed", why)
        return
    caller_first = (leg, other) if leg is call.caller else (other, leg)
    for one, far in (caller_first, caller_first[::-1]):
        if _sends_to(one, far):
            continue
        if one.bearer.tries < MOST_ASKED:
            _ask(switch, one, far)
        else:
            one.bearer.refused = f"the addresses of {one.party} and {far.party} do not settle"
            call.review(leg)
        return
    _tell(call, leg, other, "direct", "both can")


def relayed_because(one: Leg, two: Leg) -> str:
    """Return why the media of two that talk must come through us, empty when it need not."""
    for leg in (one, two):
        if leg.held:
            return f"{leg.party} has put the other on hold"
    for leg in (one, two):
        if leg.sound is not None:
            return f"{leg.party} is played {leg.sound[0].label}"
        if leg.bearer.refused:
            return leg.bearer.refused
        if leg.is_fax or leg.turning is not None:
            return f"{leg.party} sends a fax over IP"
        if leg.remote is None or leg.remote.keys is not None:
            return f"the media of {leg.party} is encrypted to the switch"
        if leg.remote.host != leg.remote.signalled:
            return f"{leg.party} is behind a NAT: it names {leg.remote.host}, and signals from {leg.remote.signalled}"
    assert one.remote is not None
    assert two.remote is not None
    if one.remote.codec != two.remote.codec:
        return f"{one.party} speaks {one.remote.codec}, {two.party} {two.remote.codec}"
    if (one.remote.event_type is None) != (two.remote.event_type is None):
        return f"only {(two if one.remote.event_type is None else one).party} sends keys as events"
    return ""


def _listened_to(switch: Switch, leg: Leg) -> str:
    """Return why a leg's keys must pass us, empty when they need not or come by INFO alone."""
    directory = switch.directory
    if not directory.domain.platform.codes_in_calls or leg.extension not in directory.users_by_extension:
        return ""
    by_info = leg.remote is not None and leg.remote.event_type is None
    return "" if by_info else f"{leg.party} may press a code, such as *80"


def answered(switch: Switch, call: Call, leg: Leg, sdp: bytes | None) -> None:
    """Take the answer to a re-INVITE of ours: to one that led elsewhere, or to a refresh."""
    asked, leg.bearer.asked = leg.bearer.asked, None
    if asked is None or leg.gone:
        call.review(leg)
        return
    try:
        if sdp is None:
            raise BadSdp(488, "a 200 without the answer that was due")
        leg.settle(sdp, elsewhere=bool(asked))
        if asked and is_hold(sdp):
            leg.bearer.refused = f"{leg.party} takes the other's address, but does not speak to it"
    except BadSdp as error:
        _refused(switch, call, leg, asked, str(error))
        return
    leg.bearer.peer = asked
    call.review(leg)


def rejected(switch: Switch, call: Call, leg: Leg, status: int) -> None:
    """A re-INVITE of ours was refused; one that crossed another is tried again."""
    asked, leg.bearer.asked = leg.bearer.asked, None
    if asked is None or leg.gone:
        return
    if status == 491 and leg.session is not None:
        switch.timers.arm(call, "path", switch.now.mono + _GLARE_S[leg.session.role])
    else:
        _refused(switch, call, leg, asked, f"answered {status}")


def far_end(call: Call, leg: Leg, offered: bytes) -> RemoteMedia | None:
    """Return whom a leg sends to directly, when what it offers now changes nothing about that (a refresh)."""
    far = call.legs.get(leg.bearer.peer)
    if far is None or far.remote is None or leg.remote is None or is_hold(offered) or not leg.is_at(offered):
        return None
    return far.remote


def _refused(switch: Switch, call: Call, leg: Leg, asked: str, why: str) -> None:
    if asked:
        leg.bearer.refused = f"{leg.party} did not take the other's address: {why}"
        call.review(leg)
        return
    # It sends past us and will not come back: nobody would hear what is played to it.
    if leg.session is not None:
        leg.session.bye(switch.now.mono, "Q.850;cause=88")
    call.leg_over(leg, 88, "error")


def _sends_to(leg: Leg, far: Leg) -> bool:
    assert far.remote is not None
    return leg.bearer.peer == far.name and leg.bearer.address == MediaAddress(far.remote.host, far.remote.port)


def _ask(switch: Switch, leg: Leg, far: Leg | None, like: Leg | None = None) -> None:
    """Send a leg's far end to that of another, or back to us; while another offer is open, its end reviews again."""
    session, bearer = leg.session, leg.bearer
    if session is None or session.phase is not Phase.UP or bearer.asked is not None:
        return
    if session.reoffering or session.reoffer_received is not None or session.awaits_ack:
        return
    if far is None:
        if bearer.peer:
            bearer.asked = ""
            session.reoffer(leg.offer(like), switch.now.mono)
        return
    assert far.remote is not None
    bearer.tries += 1
    bearer.asked, bearer.address = far.name, MediaAddress(far.remote.host, far.remote.port)
    session.reoffer(leg.offer_elsewhere(far.remote), switch.now.mono)


def _tell(call: Call, one: Leg, two: Leg, path: str, why: str) -> None:
    if one.bearer.told == two.bearer.told == (path, why):
        return
    one.bearer.told = two.bearer.told = (path, why)
    call.publish(MediaPath(call.id, one.party, two.party, path, why))
