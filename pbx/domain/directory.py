"""One immutable snapshot of a domain, with every look-up routing needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

from pydantic import ConfigDict, Field, JsonValue, model_validator

from pbx.domain.attendants import Attendant
from pbx.domain.base import Model, Recording, Settings
from pbx.domain.conferences import Conference
from pbx.domain.consistency import problems
from pbx.domain.contacts import Contact
from pbx.domain.destinations import ToFax
from pbx.domain.devices import Device
from pbx.domain.dialplan import NEVER_BARRED
from pbx.domain.dialpolicy import kind_of_call
from pbx.domain.emergency import EmergencyAddress
from pbx.domain.faxes import FaxAccount
from pbx.domain.hardware import Hardware, HardwareOrder, Shipment, Standing
from pbx.domain.numbers import PhoneNumber
from pbx.domain.paging import PageGroup
from pbx.domain.problems import Inconsistent, Problem
from pbx.domain.queues import Queue
from pbx.domain.tenancy import Domain, Reseller, Site, User
from pbx.domain.timeframes import TimeFrame
from pbx.domain.user_consistency import SEEN_BY_OTHERS, problems_of_user


class Directory(Model):
    model_config = ConfigDict(ignored_types=(cached_property,))

    domain: Domain
    reseller: Reseller = Reseller()
    sites: tuple[Site, ...] = ()
    users: tuple[User, ...] = ()
    devices: tuple[Device, ...] = ()
    numbers: tuple[PhoneNumber, ...] = ()
    time_frames: tuple[TimeFrame, ...] = ()
    attendants: tuple[Attendant, ...] = ()
    queues: tuple[Queue, ...] = ()
    conferences: tuple[Conference, ...] = ()
    page_groups: tuple[PageGroup, ...] = ()
    addresses: tuple[EmergencyAddress, ...] = ()
    contacts: tuple[Contact, ...] = ()
    fax_accounts: tuple[FaxAccount, ...] = ()
    orders: tuple[HardwareOrder, ...] = ()
    shipments: tuple[Shipment, ...] = ()
    hardware: tuple[Hardware, ...] = ()
    """Boxes that are written down; what a device uses need not be."""
    settings: dict[str, Settings] = Field(default_factory=dict)
    """Configuration layers by owner: `domain`, `site:Toronto`, `user:101` → canonical name → value."""
    kept: dict[str, dict[str, JsonValue]] = Field(default_factory=dict)
    """What the platform's clients wrote of an object and nothing here acts on: `user:101` → their field → value."""
    revision: int = 1

    @cached_property
    def users_by_extension(self) -> dict[str, User]:
        return {user.extension: user for user in self.users}

    @cached_property
    def _place_of_user(self) -> dict[str, int]:
        return {user.extension: place for place, user in enumerate(self.users)}

    @cached_property
    def users_with_limit(self) -> frozenset[str]:
        """Extensions of those who may have only so many calls."""
        return frozenset(user.extension for user in self.users if user.max_calls)

    @cached_property
    def devices_by_id(self) -> dict[str, Device]:
        return {device.id: device for device in self.devices}

    @cached_property
    def devices_by_extension(self) -> dict[str, tuple[Device, ...]]:
        found: dict[str, list[Device]] = {}
        for device in self.devices:
            found.setdefault(device.extension, []).append(device)
        return {extension: tuple(devices) for extension, devices in found.items()}

    @cached_property
    def devices_by_mac(self) -> dict[str, tuple[Device, ...]]:
        """Devices of one box, by port: an ATA has several."""
        found: dict[str, list[Device]] = {}
        for device in self.devices:
            if device.mac:
                found.setdefault(device.mac, []).append(device)
        return {mac: tuple(sorted(devices, key=lambda d: d.port)) for mac, devices in found.items()}

    @cached_property
    def hardware_by_mac(self) -> dict[str, Hardware]:
        return {item.mac: item for item in self.hardware}

    @cached_property
    def shipments_by_number(self) -> dict[str, Shipment]:
        return {shipment.number: shipment for shipment in self.shipments}

    def standing_of(self, mac: str) -> Standing | None:
        """Return where a box stands, None for a MAC this domain knows nothing of."""
        item = self.hardware_by_mac.get(mac)
        if mac in self.devices_by_mac:
            return "assigned"
        if item is None:
            return None
        if item.retired:
            return "retired"
        shipment = self.shipments_by_number.get(item.shipment)
        return "on its way" if shipment is not None and shipment.arrived_on is None else "in stock"

    @cached_property
    def numbers_by_digits(self) -> dict[str, PhoneNumber]:
        return {number.number: number for number in self.numbers}

    @cached_property
    def frames_by_name(self) -> dict[str, TimeFrame]:
        """The time frames everybody shares; `frame_of` knows the private ones."""
        return {frame.name: frame for frame in self.time_frames if not frame.owner}

    @cached_property
    def _frames_by_owner(self) -> dict[tuple[str, str], TimeFrame]:
        return {(frame.owner, frame.name): frame for frame in self.time_frames}

    @cached_property
    def attendants_by_extension(self) -> dict[str, Attendant]:
        return {attendant.extension: attendant for attendant in self.attendants}

    @cached_property
    def queues_by_extension(self) -> dict[str, Queue]:
        return {queue.extension: queue for queue in self.queues}

    @cached_property
    def conferences_by_extension(self) -> dict[str, Conference]:
        return {conference.extension: conference for conference in self.conferences}

    @cached_property
    def page_groups_by_extension(self) -> dict[str, PageGroup]:
        return {group.extension: group for group in self.page_groups}

    @cached_property
    def fax_accounts_by_name(self) -> dict[str, FaxAccount]:
        return {account.name: account for account in self.fax_accounts}

    @cached_property
    def _fax_numbers(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for number in self.numbers:
            for name in dict.fromkeys(route.to.account for route in number.routes if isinstance(route.to, ToFax)):
                found.setdefault(name, []).append(number.number)
        return {name: tuple(numbers) for name, numbers in found.items()}

    def numbers_of_fax(self, account: str) -> tuple[str, ...]:
        """Return the numbers that lead to a fax account."""
        return self._fax_numbers.get(account, ())

    def fax_number(self, account: FaxAccount) -> str:
        """Return what a fax account shows; empty when the domain has no number to show."""
        return account.number or next(iter(self.numbers_of_fax(account.name)), "") or self.domain.caller_id or ""

    @cached_property
    def sites_by_name(self) -> dict[str, Site]:
        return {site.name: site for site in self.sites}

    @cached_property
    def addresses_by_key(self) -> dict[str, EmergencyAddress]:
        return {address.key: address for address in self.addresses}

    @cached_property
    def addresses_by_callback(self) -> dict[str, EmergencyAddress]:
        return {address.callback: address for address in self.addresses}

    @cached_property
    def _contacts_by_number(self) -> dict[tuple[str, str], Contact]:
        """By owner and number; of two with the same number the first counts."""
        found: dict[tuple[str, str], Contact] = {}
        for contact in self.contacts:
            for number in contact.numbers:
                found.setdefault((contact.owner, number), contact)
        return found

    def contact_of(self, extension: str, number: str) -> Contact | None:
        """Return who calls from `number` as a user knows it: an own contact before one that is shared."""
        return self._contacts_by_number.get((extension, number)) or self._contacts_by_number.get(("", number))

    def frame_of(self, user: User, name: str) -> TimeFrame | None:
        """Return the time frame a user means by `name`: the own private one before one that is shared."""
        return self._frames_by_owner.get((user.extension, name)) or self.frames_by_name.get(name)

    def zone_of_site(self, name: str) -> str:
        """Return the time zone of a site, or the domain's."""
        site = self.sites_by_name.get(name)
        return (site.time_zone if site else "") or self.domain.time_zone

    def zone_of_user(self, user: User) -> str:
        """Return the zone a user's time frames are read in: own, then the site's, then the domain's."""
        return user.time_zone or self.zone_of_site(user.site)

    def area_code_of(self, user: User | None) -> str:
        """Return what completes seven digits of a user: own, then the site's, then the domain's area code."""
        site = self.sites_by_name.get(user.site) if user else None
        return (user.area_code if user else "") or (site.area_code if site else "") or self.domain.area_code

    def login_of(self, user: User) -> str:
        return user.login or f"{user.extension}@{self.domain.name}"

    def people(self) -> tuple[User, ...]:
        """Return who stands in the directory of phones and portal, by name."""
        shown = [user for user in self.users if user.visual_directory and not user.hidden]
        return tuple(sorted(shown, key=lambda user: (user.last_name.casefold(), user.first_name.casefold())))

    def people_by_name(self, code: str) -> tuple[User, ...]:
        """Return whom the three keys of dial by name mean, in the order of extensions."""
        meant = [u for u in self.users if u.audio_directory and not u.hidden and u.name_code == code]
        return tuple(sorted(meant, key=lambda user: user.extension))

    def dial_policy_of(self, user: User) -> str:
        """Return the name of a user's dial policy: own, then the site's, the domain's, the platform's."""
        site = self.sites_by_name.get(user.site)
        named = user.dial_policy or (site.dial_policy if site else "") or self.domain.dial_policy
        return named or self.domain.platform.dial_policy

    def why_barred(self, user: User, number: str, *, with_pin: bool = False) -> str:
        """Return why a user may not call `number` (as `kind_of_call` takes it) outside, empty for one who may.

        `with_pin`: the user has entered its PIN for this call.
        """
        policy = (user.dial_policy_with_pin if with_pin else "") or self.dial_policy_of(user)
        kind = kind_of_call(number, self.area_code_of(user))
        allowed = number in NEVER_BARRED or kind in self.domain.platform.dial_policies.get(policy, ())
        return "" if allowed else f"{kind} calls are barred by dial policy {policy}"

    def ring_s_of(self, user: User) -> int:
        """Return a user's ring time in seconds: own, then the site's, the domain's, the platform's."""
        site = self.sites_by_name.get(user.site)
        owners = (user, site, self.domain, self.domain.platform) if site else (user, self.domain, self.domain.platform)
        return next(owner.ring_s for owner in owners if owner.ring_s is not None)

    def shuffles_music(self, extension: str) -> bool:
        """Tell whether music begins anywhere for whom a user, queue or conference lets wait: own, site's, domain's."""
        owner = (
            self.users_by_extension.get(extension)
            or self.queues_by_extension.get(extension)
            or self.conferences_by_extension.get(extension)
        )
        site = self.sites_by_name.get(owner.site) if owner is not None else None
        said = (getattr(owner, "shuffled_music", None), site.shuffled_music if site is not None else None)
        return next((one for one in said if one is not None), self.domain.shuffled_music)

    def recording_of(self, user: User, device: str = "") -> Recording:
        """Return how a user's conversations are recorded, on that device: its own word, the user's, the site's, the
        domain's."""
        known, site = self.devices_by_id.get(device), self.sites_by_name.get(user.site)
        own = (known.recording if known is not None else "") or user.recording
        return own or (site.recording if site is not None else "") or self.domain.recording

    @model_validator(mode="before")
    @classmethod
    def _attendants_by_name(cls, value: object) -> object:
        """Read the platform's `aa_Name` as the extension of that attendant."""
        attendants = value.get("attendants") if isinstance(value, dict) else None
        if not isinstance(attendants, list):
            return value
        by_name = {str(one.get("name")): one.get("extension") for one in attendants if isinstance(one, dict)}
        return _named(value, by_name)

    @model_validator(mode="after")
    def _consistent(self) -> Directory:
        self._refuse(problems(self))
        return self

    def _refuse(self, found: Sequence[Problem]) -> None:
        kept = self.domain.platform.missing_references == "kept"
        if any(not (kept and problem.dangling) for problem in found):
            raise Inconsistent(found)

    def replaced(self, **changes: object) -> Directory:
        """Return a validated copy with `changes` and the next revision."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return Directory.model_validate({**values, "revision": self.revision + 1, **changes})

    def with_frame_switched(self, name: str, switched: Literal["", "on", "off"]) -> Directory:
        """Return a copy in which a shared time frame is switched by hand, and the next revision; KeyError."""
        old = self.frames_by_name[name]
        new = old.model_copy(update={"switched": switched})
        return self._with("time_frames", tuple(new if frame is old else frame for frame in self.time_frames))

    def with_kept(self, of: str, values: Mapping[str, JsonValue]) -> Directory:
        """Return a copy in which these fields are kept of an object, none when there are none; no new revision."""
        others = {name: fields for name, fields in self.kept.items() if name != of}
        if not values and of not in self.kept:
            return self
        kept = {**others, of: dict(values)} if values else others
        return self._with("kept", kept, self.revision)

    def with_guests(self, guests: Mapping[str, str]) -> Directory:
        """Return the domain as calls see it while `guests` (device id → extension) are logged in at hot desks.

        Itself when there are none. Unasked, and with the same revision: it is no configuration.
        """
        if not guests.keys() & self.devices_by_id.keys():
            return self
        devices = tuple(
            device.model_copy(update={"extension": guests[device.id]}) if device.id in guests else device
            for device in self.devices
        )
        seen = self._with("devices", devices)
        seen.__dict__["revision"] = self.revision
        seen.__dict__["users_by_extension"] = self.users_by_extension
        return seen

    def with_user(self, user: User) -> Directory:
        """Return a copy in which the user of that extension is `user`, and the next revision; Inconsistent, KeyError.

        Asks of the domain only what this user can spoil: what everybody has once is taken over as it is, so that a
        domain of ten thousand adopts a change while calls go on.
        """
        before, place = self.users_by_extension[user.extension], self._place_of_user[user.extension]
        users = (*self.users[:place], user, *self.users[place + 1 :])
        if any(getattr(before, name) != getattr(user, name) for name in SEEN_BY_OTHERS):
            return self.replaced(users=users)
        changed = self._with("users", users)
        changed.__dict__["_place_of_user"] = self._place_of_user
        changed.__dict__["users_by_extension"] = {**self.users_by_extension, user.extension: user}
        changed._refuse(list(problems_of_user(changed, place)))
        return changed

    def _with(self, section: str, items: object, revision: int | None = None) -> Directory:
        """Return a copy with one section changed, unasked; look-ups made of others are taken over."""
        next_one = self.revision + 1 if revision is None else revision
        changed = Directory.model_construct(**{**dict(self), section: items, "revision": next_one})
        known = self.__dict__
        changed.__dict__.update({name: known[name] for name, of in _MADE_OF.items() if of != section and name in known})
        return changed

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Directory:
        """As `replaced`: pydantic's own copy would carry the look-ups of the old snapshot along, and not validate."""
        return self.replaced(**(update or {}))


_MADE_OF = {
    "devices_by_id": "devices",
    "devices_by_extension": "devices",
    "devices_by_mac": "devices",
    "hardware_by_mac": "hardware",
    "shipments_by_number": "shipments",
    "numbers_by_digits": "numbers",
    "frames_by_name": "time_frames",
    "_frames_by_owner": "time_frames",
    "attendants_by_extension": "attendants",
    "queues_by_extension": "queues",
    "conferences_by_extension": "conferences",
    "page_groups_by_extension": "page_groups",
    "sites_by_name": "sites",
    "addresses_by_key": "addresses",
    "addresses_by_callback": "addresses",
    "_contacts_by_number": "contacts",
}
"""Look-up → the one section it is made of. What is not listed here is made again when it is asked for."""


def _named(value: object, attendants: Mapping[str, object]) -> object:
    """Return a document with every `aa_Name` replaced; models in it are as they are."""
    match value:
        case str() if value.startswith("aa_") and value[3:] in attendants:
            return f"attendant {attendants[value[3:]]}"
        case dict():
            return {key: _named(item, attendants) for key, item in value.items()}
        case list():
            return [_named(item, attendants) for item in value]
        case _:
            return value
