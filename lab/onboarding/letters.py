"""What channel partner and client are told at each stage; both get the same letter (OIT, *Document Gathering*)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from lab.onboarding.audit import Line
from lab.onboarding.case import WELCOME_LINK_FOR, Case, Mark, Step, old_bill
from lab.onboarding.packet import final_order
from lab.onboarding.progress import port_window


@dataclass(frozen=True, slots=True)
class Letter:
    to: tuple[str, ...]
    subject: str
    text: str


def letters(case: Case, mark: Mark) -> tuple[Letter, ...]:
    """Return what a step that was just taken is followed by."""
    write = _WRITTEN.get(mark.step)
    if write is None:
        return ()
    subject, body = write(case, mark)
    to = case.packet.readers
    if mark.step == "statement sent":
        to = tuple(contact.email for contact in case.packet.with_right("billing"))
    return (Letter(to, f"{case.packet.company}: {subject}", f"{body}\n"),)


def failed_line(case: Case, line: Line, console: str) -> Letter:
    """On the day of the port: what is configured wrongly or not at all, and where it is mended, to who configures."""
    gaps = "\n".join(f"- {gap.sentence}\n  fix: {console}{gap.fix}" for gap in line.gaps)
    text = (
        f"The numbers of {case.packet.company} are to move today, and this is not in order:\n\n{line.name}:\n{gaps}\n\n"
        f"Please answer how to go on. All lines: {console}/onboard/{case.domain}\n"
    )
    return Letter(case.packet.configurer, f"{case.packet.company}: {line.name} is not ready for the port", text)


def reminder(case: Case, what: str, due: datetime) -> Letter:
    return Letter(
        case.packet.readers, f"{case.packet.company}: {what}", f"{what}: due {due:%Y-%m-%d %H:%M}, still open.\n"
    )


def _forms(case: Case, mark: Mark) -> tuple[str, str]:
    porting = "- phone bill of the last 30 days, list of numbers with their use; CSR recommended\n"
    return "welcome, and what we need", (
        "Please return the forms within 48 hours.\n\n"
        "- card or ACH authorisation: required before anything else moves\n"
        "- name and mail address of the billing contact\n"
        "- tax exemption form, where it applies\n"
        f"{porting if case.packet.start == 'porting' else ''}"
        "- account set-up, contact assignment, porting form\n"
        "- the spreadsheet of users: download it, fill it in and hand it back on the page of your onboarding"
    )


def _order(case: Case, mark: Mark) -> tuple[str, str]:
    coming = ["- port submission"] if case.packet.porting is not None else []
    coming += ["- hardware shipment with its tracking number"] if case.packet.hardware else []
    coming += ["- welcome, with your new numbers"] if case.packet.start == "asap" else ["- welcome"]
    order = "\n".join(f"{name}: {value}" for name, value in final_order(case.packet).items())
    return "onboarding complete", (
        "Your domain is being created. In the next 24 hours you will receive:\n\n" + "\n".join(coming)
        + "\n\nOnce the welcome mail is there, your channel partner may log in and configure. Configure all call"
        f" routing before the activation date.\n\nFinal order:\n{order}"
    )  # fmt: skip


def _welcome(case: Case, mark: Mark) -> tuple[str, str]:
    hours = int(WELCOME_LINK_FOR.total_seconds() // 3600)
    numbers = ", ".join(case.packet.temporary) or "none"
    who = "your channel partner may" if case.packet.partner is not None else "you may"
    return "welcome", (
        f"The domain {case.domain} is ready, and {who} log in and configure.\nNew numbers: {numbers}\n"
        f"Each user gets a link of their own, good for {hours} hours."
    )


def _shipped(case: Case, mark: Mark) -> tuple[str, str]:
    return "hardware shipped", (
        f"Tracking number: {mark.about}\nThe phones are not labelled; they provision themselves once plugged in."
        " Assign them under Inventory > Phone Hardware."
    )


def _training(case: Case, mark: Mark) -> tuple[str, str]:
    return "training session", f"Booked for {mark.about or 'a time to be agreed'}."


def _brand(case: Case, mark: Mark) -> tuple[str, str]:
    brand = case.packet.brand
    assert brand is not None  # the gate
    return "10DLC brand registered", (
        f"Legal name: {brand.legal_name}\nCountry: {brand.country}\nTax number: {brand.tax_number}\n"
        f"Address: {brand.address}\nVertical: {brand.vertical}\nWebsite: {brand.website}\n"
        f"Contact: {brand.contact.name}, {brand.contact.email}"
    )


def _campaign(case: Case, mark: Mark) -> tuple[str, str]:
    campaign = case.packet.campaign
    assert campaign is not None  # the gate
    samples = "\n".join(f"- {sample}" for sample in campaign.samples)
    numbers = ", ".join(text.number for text in case.packet.texts) or "none"
    return "10DLC campaign submitted", (
        f"Numbers: {numbers}\nUse case: {campaign.use_case}\n{campaign.description}\nOpt-in: {campaign.opt_in}\n"
        f"HELP: {campaign.help_reply}\nSTOP: {campaign.stop_reply}\nSamples:\n{samples}"
    )


def _port(case: Case, mark: Mark) -> tuple[str, str]:
    first, last = port_window(case, mark.at.date())
    porting = case.packet.porting
    numbers = ", ".join(one.number for one in porting.numbers) if porting is not None else ""
    return "port submitted", f"Asked for: {numbers}\nTo be expected between {first} and {last}."


def _rejected(case: Case, mark: Mark) -> tuple[str, str]:
    bill = "\nThe phone bill is too old by now; hand in a newer one." if old_bill(case.packet, mark.at) else ""
    return "port rejected", f"The carrier has rejected the port: {mark.note or 'no reason given'}.{bill}"


def _foc(case: Case, mark: Mark) -> tuple[str, str]:
    return "port date confirmed (FOC)", f"The numbers move on {mark.about}. Everything is checked on that day before."


def _moved(case: Case, mark: Mark) -> tuple[str, str]:
    lent = ", ".join(case.packet.temporary)
    return "numbers are here", f"Your numbers have moved.{f' The lent ones are given back: {lent}.' if lent else ''}"


def _live(case: Case, mark: Mark) -> tuple[str, str]:
    return "you are live", f"{case.domain} is live. Dial 611 from any phone for support."


def _changed(case: Case, mark: Mark) -> tuple[str, str]:
    return "change requested", f"{mark.by} asks for: {mark.note}"


def _statement(case: Case, mark: Mark) -> tuple[str, str]:
    return f"statement of {mark.about}", (
        f"One statement for the whole account {case.domain}: {mark.note or 'nothing'}.\n"
        "Separate statements need separate domains."
    )


_WRITTEN: dict[Step, Callable[[Case, Mark], tuple[str, str]]] = {
    "forms sent": _forms, "order complete": _order, "welcome sent": _welcome, "hardware shipped": _shipped,
    "training booked": _training, "port requested": _port, "port resubmitted": _port, "port rejected": _rejected,
    "foc received": _foc, "numbers moved": _moved, "live": _live, "change requested": _changed,
    "statement sent": _statement, "brand registered": _brand, "campaign submitted": _campaign,
}  # fmt: skip
