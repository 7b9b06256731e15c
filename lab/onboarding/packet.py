"""What a customer hands in: the forms of account set-up, contacts and porting, and the final order made of them.

Fields are those of the documents (domain-features 5.2–5.6). A packet may be short of anything: what a step needs is
asked for when the step is taken.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints, model_validator

from pbx.domain.attendants import MenuAction, MenuKey
from pbx.domain.base import E164, AreaCode, CallerName, Extension, Model, Slug, TimeZone
from pbx.domain.destinations import Destination
from pbx.domain.emergency import EmergencyAddress
from pbx.domain.hardware import OrderLine
from pbx.domain.platform import PresetName
from pbx.domain.queues import Strategy
from pbx.domain.tenancy import MailAddresses, Pin, RingTime
from pbx.domain.timeframes import TimeFrame

Line = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""One line of a form."""
Mail = Annotated[str, StringConstraints(max_length=120, pattern=r"^[^@\s;,<>]+@[^@\s;,<>]+$")]
Use = Literal["voice", "fax", "sms", "toll-free"]
Right = Literal["admin", "billing", "it"]


class Person(Model):
    name: Line = Field(min_length=1)
    email: Mail


class Contact(Person):
    """Admin contacts may ask for any change, billing contacts get the invoices, IT contacts assess the network."""

    rights: tuple[Right, ...] = Field(min_length=1)


class FormUser(Model):
    extension: Extension
    first_name: Line = Field(min_length=1)
    last_name: Line = ""
    email: MailAddresses = ""
    department: Line = ""
    site: Line = ""
    device: Line = ""
    """What is wanted for them: a model, `softphone`, or nothing."""
    login: str = Field(default="", pattern=r"^\S*$", max_length=120)
    voicemail_pin: Pin = SecretStr("")
    voicemail: bool = True
    ring_s: RingTime | None = None
    time_zone: TimeZone | Literal[""] = ""
    caller_id: E164 | None = None
    emergency_caller_id: E164 | None = None
    audio_directory: bool = True
    visual_directory: bool = True


class FormQueue(Model):
    extension: Extension
    name: Line = Field(min_length=1)
    agents: tuple[Extension, ...] = ()
    strategy: Strategy = "ring_all"


class CallFlow(Model):
    """What was said in the first conversation: an approximation, for approval."""

    hours: TimeFrame | None = None
    """None for always open."""
    attendant: Extension | None = None
    greeting: Line = "attendant-welcome"
    """Prompt name."""
    keys: dict[MenuKey, MenuAction] = Field(default_factory=dict)
    queues: tuple[FormQueue, ...] = ()
    after_hours: Destination | None = None
    notes: str = Field(default="", max_length=4000)


class Documents(Model):
    """What has been received."""

    card_or_ach: bool = False
    """Authorisation on file: required before anything else moves."""
    tax_exemption: Literal["not claimed", "awaited", "received"] = "not claimed"
    bill_dated: date | None = None
    """Copy of a phone bill of the carrier that is left."""
    customer_service_record: bool = False
    """Recommended."""
    letter_of_authorisation: Line = ""
    """Who signed it; empty while nobody has."""


class PortedNumber(Model):
    number: E164
    use: Use = "voice"
    to: Destination | None = None
    """Where it is to lead; None while that is open."""
    note: Line = ""


class Porting(Model):
    carrier: Line = Field(min_length=1)
    account_number: Line = ""
    pin: Line = ""
    billing_number: E164 | None = None
    """Pilot number (BTN) of the account that is left."""
    new_billing_number: E164 | None = None
    """Of the numbers that stay, where the pilot number leaves them."""
    authorised_name: Line = ""
    authorised_title: Line = ""
    kind: Literal["business", "residential"] = "business"
    service_address: Line = ""
    numbers: tuple[PortedNumber, ...] = Field(min_length=1)
    staying: tuple[E164, ...] = ()
    """Numbers of that account that are not ported."""
    wanted_on: date | None = None

    @property
    def partial(self) -> bool:
        return bool(self.staying)

    @model_validator(mode="after")
    def _once(self) -> Porting:
        numbers = [one.number for one in self.numbers]
        if len({*numbers}) != len(numbers):
            raise ValueError("a number to be ported stands on the form twice")
        if both := {*numbers} & {*self.staying}:
            raise ValueError(f"{min(both)} is to be ported and to stay")
        return self


class Fax(Model):
    kind: Literal["native", "analogue adapter"] = "native"
    number: E164
    email: MailAddresses = ""
    """Where pages go."""
    adapter: bool = False
    """An ATA is bought for it."""


class TextNumber(Model):
    """A number for text messages leads to a user or to a queue."""

    number: E164
    to: Extension


class Brand(Model):
    """10DLC: who sends texts."""

    legal_name: Line = Field(min_length=1)
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    tax_number: Line = Field(min_length=1)
    """EIN, in Canada BN."""
    address: Line = Field(min_length=1)
    vertical: Line = ""
    website: Line = ""
    contact: Person


class Campaign(Model):
    """10DLC: what is sent, and how people agree to it."""

    use_case: Line = Field(min_length=1)
    description: Line = Field(min_length=1)
    samples: tuple[Line, ...] = Field(min_length=1)
    opt_in: Line = Field(min_length=1)
    help_reply: Line = ""
    stop_reply: Line = ""


class Shipping(Model):
    address: Line = Field(min_length=1)
    addressee: Line = Field(min_length=1)


class Packet(Model):
    """All forms of one customer."""

    company: Line = Field(min_length=1)
    domain: Slug
    preset: PresetName = "generic"
    time_zone: TimeZone = "America/Toronto"
    area_code: AreaCode = "416"
    start: Literal["asap", "porting"] = "porting"
    partner: Person | None = None
    """Channel partner; None: the customer came by itself, and does all a partner would."""
    contacts: tuple[Contact, ...] = ()
    documents: Documents = Documents()
    users: tuple[FormUser, ...] = ()
    call_flow: CallFlow = CallFlow()
    addresses: tuple[EmergencyAddress, ...] = ()
    """E911: the first is of the domain, each other one of the site of that name."""
    porting: Porting | None = None
    temporary: tuple[E164, ...] = ()
    """Numbers lent until the own ones are here."""
    main_number: E164 | None = None
    caller_name: CallerName = ""
    fax: Fax | None = None
    texts: tuple[TextNumber, ...] = ()
    brand: Brand | None = None
    campaign: Campaign | None = None
    hardware: tuple[OrderLine, ...] = ()
    shipping: Shipping | None = None
    training_at: datetime | None = None
    """When the customer wants it."""

    def with_right(self, right: Right) -> tuple[Contact, ...]:
        return tuple(contact for contact in self.contacts if right in contact.rights)

    @property
    def readers(self) -> tuple[str, ...]:
        """Who is told of each stage: channel partner and client (its admin contacts, else its billing contacts)."""
        clients = self.with_right("admin") or self.with_right("billing")
        partner = (self.partner,) if self.partner is not None else ()
        return tuple(dict.fromkeys(person.email for person in (*partner, *clients)))

    @property
    def configurer(self) -> tuple[str, ...]:
        """Who is asked about the configuration: the channel partner, without one the client."""
        return (self.partner.email,) if self.partner is not None else self.readers


def final_order(packet: Packet) -> dict[str, str]:
    """Return the final order, field by field, as the document has it (domain-features 5.4)."""
    porting, fax, shipping = packet.porting, packet.fax, packet.shipping
    billing = packet.with_right("billing")
    address = packet.addresses[0] if packet.addresses else None
    numbers = ", ".join(one.number for one in porting.numbers) if porting else ""
    return {
        "Domain": packet.domain,
        "Time Zone": packet.time_zone,
        "Name of Billing Contact": ", ".join(contact.name for contact in billing),
        "Email of Billing Contact": ", ".join(contact.email for contact in billing),
        "Tax Exemption Form": packet.documents.tax_exemption,
        "ASAP or Porting": "ASAP" if packet.start == "asap" else "Porting",
        "Quantity of Temp DID(s)": str(len(packet.temporary)),
        "Area Code": packet.area_code,
        "Port Date": str(porting.wanted_on or "") if porting else "",
        "Partial or Full port": ("partial" if porting.partial else "full") if porting else "",
        "PIN": porting.pin if porting else "",
        "Authorized User Name": porting.authorised_name if porting else "",
        "Authorized User Title": porting.authorised_title if porting else "",
        "DIDs to be ported": numbers,
        "DIDs not to be ported": ", ".join(porting.staying) if porting else "",
        "Main CID Number": packet.main_number or "",
        "CNAM": packet.caller_name,
        "E911 DID": address.callback if address else "",
        "E911 Address": address.line if address else "",
        "SMS DID": ", ".join(text.number for text in packet.texts),
        "Native Fax Type": fax.kind if fax else "",
        "Native Fax Number": fax.number if fax else "",
        "Native Fax ATA Purchased": ("yes" if fax.adapter else "no") if fax else "",
        "Shipping address for hardware": shipping.address if shipping else "",
        "Hardware package addressed to": shipping.addressee if shipping else "",
    }
