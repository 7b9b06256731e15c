"""One customer on the way from forms to live: what has happened, and what may happen next.

Everything is told by marks: a step, when, by whom. A step has gates; each gate that is shut says what lacks and whose
move it is. Sources: the onboarding pages of both providers (domain-features 5.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, get_args

from lab.onboarding.packet import Line, Packet
from lab.onboarding.user_import import Import
from pbx.domain.base import Model

Step = Literal[
    "forms sent", "forms returned", "order complete", "domain created", "flow approved", "welcome sent",
    "brand registered", "campaign submitted", "hardware shipped", "hardware received", "training booked",
    "training held", "network assessed", "configured", "test begun", "test passed", "port requested", "port rejected",
    "port resubmitted", "foc received", "line attested", "audit made", "numbers moved", "live", "change requested",
    "statement sent", "reminded", "users imported", "import undone",
]  # fmt: skip
STEPS: tuple[Step, ...] = get_args(Step)
_BY_ITSELF = frozenset({"forms sent", "audit made", "reminded", "users imported", "import undone"})
BY_HAND: tuple[Step, ...] = tuple(step for step in STEPS if step not in _BY_ITSELF)
"""What a person may say has happened; the others come about by what is done."""
Owner = Literal["client", "partner", "provider", "carrier"]

FORMS_WITHIN = timedelta(hours=48)
MAILS_WITHIN = timedelta(hours=24)
CONFIGURE_AFTER = timedelta(hours=2)
TEST_FOR = timedelta(days=7)
BILL_AT_MOST = timedelta(days=30)
WELCOME_LINK_FOR = timedelta(hours=24)


class Mark(Model):
    step: Step
    at: datetime
    """Aware."""
    by: Line
    note: Line = ""
    about: Line = ""
    """The FOC date, the line attested, the tracking number."""


class Case(Model):
    packet: Packet
    marks: tuple[Mark, ...] = ()
    last_import: Import | None = None
    """Of users; it can be undone."""

    @property
    def domain(self) -> str:
        return self.packet.domain

    def last(self, step: Step) -> Mark | None:
        return next((mark for mark in reversed(self.marks) if mark.step == step), None)

    def done(self, step: Step) -> bool:
        return self.last(step) is not None

    @property
    def attested(self) -> Mapping[str, Mark]:
        """Lines of the audit a person answers for; a later word replaces an earlier one."""
        return {mark.about: mark for mark in self.marks if mark.step == "line attested"}

    @property
    def training_at(self) -> datetime | None:
        """When the newest booking is for; aware."""
        mark = self.last("training booked")
        return _moment(mark.about, mark.at) if mark is not None else None

    @property
    def port_day(self) -> date | None:
        """The day the carrier has confirmed (FOC)."""
        mark = self.last("foc received")
        return date.fromisoformat(mark.about) if mark is not None else None


@dataclass(frozen=True, slots=True)
class Lack:
    """What stands in the way of a step, and whose move it is."""

    owner: Owner
    sentence: str
    fix: str = ""
    """Path of the page where it is mended."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the gates may see beside the case."""

    now: datetime
    """Aware, in the domain's zone."""
    has_domain: bool = False
    open_lines: tuple[str, ...] = ()
    """Lines of the audit that are neither good nor attested."""
    plan_passed: bool = False
    """The Deployment Test Plan was run on this domain and every case is good."""


class NotYet(Exception):
    """A step cannot be taken; `lacks` says why."""

    def __init__(self, step: Step, lacks: tuple[Lack, ...]) -> None:
        super().__init__(f"{step}: {'; '.join(lack.sentence for lack in lacks)}")
        self.step, self.lacks = step, lacks


def take(case: Case, mark: Mark, around: Circumstances) -> Case:
    """Return the case with a step taken; NotYet when a gate is shut."""
    shut = tuple(lacks(case, mark, around))
    if shut:
        raise NotYet(mark.step, shut)
    return case.model_copy(update={"marks": (*case.marks, mark)})


def lacks(case: Case, mark: Mark, around: Circumstances) -> Iterator[Lack]:
    """Yield what stands in the way of a step, the widest gate first."""
    after = _AFTER.get(mark.step)
    if after is not None and not case.done(after):
        yield Lack(_WHO[after], f"first comes: {after}")
    elif mark.step in _ONCE and case.done(mark.step):
        yield Lack("provider", "it is done already")
    else:
        yield from _GATES.get(mark.step, _open)(case, mark, around)


def configuration_from(case: Case) -> datetime | None:
    """Return when the partner may begin: two hours after the order, or with the welcome mail; None while unknown."""
    welcome, order = case.last("welcome sent"), case.last("order complete")
    if case.packet.start == "asap":
        return welcome.at if welcome else None
    return order.at + CONFIGURE_AFTER if order else None


def partner_may_log_in(case: Case) -> bool:
    return case.done("welcome sent")


def why_closed(case: Case) -> str:
    """Return why nobody but the provider comes into the domain yet; empty once the welcome mail is out."""
    return "" if partner_may_log_in(case) else f"the welcome mail of {case.domain} is not out yet"


def missing_forms(packet: Packet, now: datetime) -> Iterator[Lack]:
    """Yield what is still to be handed in before the order is complete. The card gates everything."""
    papers, fix = packet.documents, f"/onboard/{packet.domain}"
    if not papers.card_or_ach:
        yield Lack("client", "no card or ACH authorisation is on file; nothing moves before it is", fix)
    if not packet.with_right("billing"):
        yield Lack("client", "nobody is named as billing contact", fix)
    if not packet.with_right("admin"):
        yield Lack("client", "nobody is named as admin contact", fix)
    if papers.tax_exemption == "awaited":
        yield Lack("client", "tax exemption is claimed, and its form is awaited", fix)
    if not packet.users:
        yield Lack("client", "the account set-up form lists no users", fix)
    if packet.start == "porting" and packet.porting is None:
        yield Lack("client", "the porting form is missing", fix)
    if packet.porting is not None:
        yield from _bill(packet, now)


def old_bill(packet: Packet, now: datetime) -> bool:
    dated = packet.documents.bill_dated
    return dated is None or now.date() - dated > BILL_AT_MOST


def _bill(packet: Packet, now: datetime) -> Iterator[Lack]:
    if old_bill(packet, now):
        dated = packet.documents.bill_dated
        said = "no phone bill has been handed in" if dated is None else f"the phone bill is of {dated}"
        yield Lack("client", f"{said}; the port needs one of the last {BILL_AT_MOST.days} days")


def _open(case: Case, mark: Mark, around: Circumstances) -> Iterator[Lack]:
    return iter(())


def _order(case: Case, mark: Mark, around: Circumstances) -> Iterator[Lack]:
    return missing_forms(case.packet, around.now)


def _created(case: Case, mark: Mark, around: Circumstances) -> Iterator[Lack]:
    if not around.has_domain:
        yield Lack("provider", f"there is no domain {case.domain} yet")


def _with_right(*rights: str) -> Callable[[Case, Mark, Circumstances], Iterator[Lack]]:
    def gate(case: Case, mark: Mark, around: Circumstances) -> Iterator[Lack]:
        allowed = [contact for contact in case.packet.contacts if {*contact.rights} & {*rights}]
        if mark.by not in {contact.email for contact in allowed}:
            names = ", ".join(contact.email for contact in allowed) or "nobody is named"
            yield Lack("client", f"{mark.by} is no {' or '.join(rights)} contact of {case.packet.company} ({names})")

    return gate


def _hardware(case: Case, mark: Mark, around: Circumstances) -> Iterator[Lack]:
    if not case.packet.hardware:
        yield Lack("provider", "no hardware was ordered")
    if not mark.about:
        yield Lack("provider", "a shipment has a tracking number")


def _brand(case: Case, mark: Mark, around: Circumstances) -> Iterator[Lack]:
    if case.packet.brand is None:
        yield Lack("client", "the brand's form (10DLC) is missing", f"/onboard/{case.domain}")


def _campaign(case: Case, mark: Mark, around: Circumstances) -> Iterator[Lack]:
    campaign, fix = case.packet.campaign, f"/onboard/{case.domain}"
    if campaign is None:
        yield Lack("client", "the campaign's form (10DLC) is missing", fix)
        return
    for what, said in (("HELP", campaign.help_reply), ("STOP", campaign.stop_reply)):
        if not said:
            yield Lack("client", f"the campaign does not say what {what} is answered with", fix)


def _configured(case: Case, mark: Mark, around: Circumstances) -> Iterator[Lack]:
    begins = configuration_from(case)
    if begins is not None and around.now < begins:
        yield Lack("provider", f"configuration begins at {begins:%Y-%m-%d %H:%M}")
    if not case.done("flow approved"):
        yield Lack("client", "the approximate call flow is not approved", f"/d/{case.domain}/map")
    if case.packet.texts and not case.done("campaign submitted"):
        yield Lack("partner", "numbers for texts wait for 10DLC: register the brand, submit the campaign")


def _booked(case: Case, mark: Mark, around: Circumstances) -> Iterator[Lack]:
    at = _moment(mark.about, around.now)
    if at is None:
        yield Lack("client", f"{mark.about!r} is no moment, as 2026-12-01 14:00")
    elif at < around.now:
        yield Lack("client", f"{at:%Y-%m-%d %H:%M} is over")


def _held(case: Case, mark: Mark, around: Circumstances) -> Iterator[Lack]:
    at = case.training_at
    if at is not None and around.now < at:
        yield Lack("provider", f"the training session is booked for {at:%Y-%m-%d %H:%M}")


def _moment(text: str, beside: datetime) -> datetime | None:
    """A moment on the customer's clock, which `beside` shows."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=beside.tzinfo)


def _begun(case: Case, mark: Mark, around: Circumstances) -> Iterator[Lack]:
    """One tests after the training, with the hardware that was asked for."""
    if not case.done("training held"):
        yield Lack("client", "the training session has not been held")
    if case.packet.hardware and not case.done("hardware received"):
        yield Lack("client", "the hardware has not arrived")


def _statement(case: Case, mark: Mark, around: Circumstances) -> Iterator[Lack]:
    if not case.packet.with_right("billing"):
        yield Lack("client", "nobody is named as billing contact", f"/onboard/{case.domain}")
    try:
        datetime.strptime(mark.about, "%Y-%m")  # noqa: DTZ007 - a month, no moment
    except ValueError:
        yield Lack(
            "provider",
            f"a statement is of a month, as 2026-12, not of {mark.about!r}: there is one for the whole account, and"
            " separate ones need separate domains",
        )
        return
    if any(one.step == "statement sent" and one.about == mark.about for one in case.marks):
        yield Lack("provider", f"the statement of {mark.about} has been sent")


def _tested(case: Case, mark: Mark, around: Circumstances) -> Iterator[Lack]:
    begun = case.last("test begun")
    if begun is not None and around.now - begun.at < TEST_FOR:
        day = (around.now - begun.at).days + 1
        yield Lack("client", f"the test week ends {begun.at + TEST_FOR:%Y-%m-%d %H:%M}; this is day {day} of 7")
    if not around.plan_passed:
        yield Lack("partner", "the Deployment Test Plan has not passed on this domain", "/runs")


def _port(case: Case, mark: Mark, around: Circumstances) -> Iterator[Lack]:
    porting, fix = case.packet.porting, f"/onboard/{case.domain}"
    if porting is None:
        yield Lack("client", "there is no porting form", fix)
        return
    yield from _bill(case.packet, around.now)
    if not case.packet.documents.letter_of_authorisation:
        yield Lack("client", "the letter of authorisation is not signed", fix)
    wanted = {
        "the account number": porting.account_number, "the billing (pilot) number": porting.billing_number,
        "the authorised person": porting.authorised_name, "that person's title": porting.authorised_title,
        "the service address": porting.service_address,
    }  # fmt: skip
    for what, said in wanted.items():
        if not said:
            yield Lack("client", f"{what} is missing on the porting form", fix)
    moved = {one.number for one in porting.numbers}
    if porting.partial and porting.billing_number in moved and porting.new_billing_number not in porting.staying:
        yield Lack(
            "client", "a partial port takes the pilot number along: name the new one of the numbers that stay", fix
        )
    if case.done("port requested") and mark.step == "port requested":
        yield Lack("provider", "it is requested already; a rejected one is resubmitted")


def _resubmit(case: Case, mark: Mark, around: Circumstances) -> Iterator[Lack]:
    sent = max(_place(case, "port requested"), _place(case, "port resubmitted"))
    if _place(case, "port rejected") < sent:
        yield Lack("carrier", "the carrier has not rejected it")
    yield from _port(case, mark, around)


def _place(case: Case, step: Step) -> int:
    return max((place for place, mark in enumerate(case.marks) if mark.step == step), default=-1)


def _foc(case: Case, mark: Mark, around: Circumstances) -> Iterator[Lack]:
    if _place(case, "port rejected") > max(_place(case, "port requested"), _place(case, "port resubmitted")):
        yield Lack("client", "the carrier has rejected the port; it has to be resubmitted")
    try:
        day = date.fromisoformat(mark.about)
    except ValueError:
        yield Lack("carrier", f"{mark.about!r} is no day, as 2026-12-15")
        return
    if day < around.now.date():
        yield Lack("carrier", f"{day} is over")


def _moved(case: Case, mark: Mark, around: Circumstances) -> Iterator[Lack]:
    day = case.port_day
    if day is not None and around.now.date() < day:
        yield Lack("carrier", f"the numbers move on {day}")
    for line in around.open_lines:
        yield Lack("partner", f"the audit has an open line: {line}", f"/onboard/{case.domain}")


def _attest(case: Case, mark: Mark, around: Circumstances) -> Iterator[Lack]:
    if not mark.note:
        yield Lack("provider", "who attests a line says why")
    if mark.about not in around.open_lines and mark.about not in case.attested:
        yield Lack("provider", f"{mark.about!r} is no open line of the audit")


def _live(case: Case, mark: Mark, around: Circumstances) -> Iterator[Lack]:
    if case.packet.porting is not None and not case.done("numbers moved"):
        yield Lack("carrier", "the numbers have not moved")


_AFTER: dict[Step, Step] = {
    "forms returned": "forms sent", "order complete": "forms returned", "domain created": "order complete",
    "flow approved": "domain created", "welcome sent": "domain created", "hardware shipped": "order complete",
    "training booked": "domain created", "training held": "training booked", "network assessed": "domain created",
    "brand registered": "domain created", "campaign submitted": "brand registered",
    "hardware received": "hardware shipped",
    "configured": "welcome sent", "test begun": "configured", "test passed": "test begun",
    "port requested": "test passed", "port rejected": "port requested", "port resubmitted": "port rejected",
    "foc received": "port requested", "line attested": "domain created", "numbers moved": "foc received",
    "audit made": "foc received", "live": "test passed", "change requested": "domain created",
    "statement sent": "domain created",
}  # fmt: skip
_ONCE = frozenset({"forms sent", "forms returned", "order complete", "domain created", "welcome sent", "numbers moved",
                   "live", "port requested", "test begun", "test passed", "configured", "training held",
                   "brand registered", "campaign submitted", "flow approved"})  # fmt: skip
_GATES: dict[Step, Callable[[Case, Mark, Circumstances], Iterator[Lack]]] = {
    "order complete": _order, "domain created": _created, "hardware shipped": _hardware, "configured": _configured,
    "network assessed": _with_right("it", "admin"), "change requested": _with_right("admin"), "test passed": _tested,
    "port requested": _port, "port resubmitted": _resubmit, "foc received": _foc, "numbers moved": _moved,
    "line attested": _attest, "live": _live, "flow approved": _with_right("admin"), "brand registered": _brand,
    "campaign submitted": _campaign, "training booked": _booked, "training held": _held, "test begun": _begun,
    "statement sent": _statement,
}  # fmt: skip
_WHO: dict[Step, Owner] = {
    "forms sent": "provider", "forms returned": "client", "order complete": "client", "domain created": "provider",
    "welcome sent": "provider", "training booked": "client", "configured": "partner", "test begun": "client",
    "test passed": "client", "brand registered": "partner", "hardware shipped": "provider",
    "port requested": "provider", "port rejected": "carrier", "foc received": "carrier",
}  # fmt: skip
