"""A family's manifest and what belongs to it, as read from `device_templates/`."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from provisioning_server.formula import Instead
from provisioning_server.table import Table

SettingsData = dict[str, str | int | bool]


class _Data(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", ignored_types=(cached_property,), arbitrary_types_allowed=True
    )


class UserAgent(_Data):
    regex: str
    """With named groups among `model`, `version`, `mac`."""
    examples: tuple[str, ...] = Field(min_length=1)
    """Real header values; each must match when the folder is loaded."""
    counter_examples: tuple[str, ...] = ()
    """Header values of other makers or families, which must not match."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(self.regex)


class Syntax(_Data):
    """How one parameter of a table is written, and what stands around them all."""

    head: str = ""
    """With `{mac}`, `{MAC}` and `{model}`."""
    each: str = "{name} = {value}"
    """`{tag}` is the name up to its first blank, for the end of an element whose name carries attributes."""
    foot: str = ""
    escape: Literal["line", "quoted", "xml"] = "line"
    """What a value may not hold: line breaks; those and quotes; or it is escaped for XML."""
    if_true: str = "1"
    if_false: str = "0"
    if_cleared: str = ""
    """Written where a value of the phone's own is to go."""

    @cached_property
    def words(self) -> dict[object, str]:
        """What stands for yes, for no, and for a value that is to go."""
        return {True: self.if_true, False: self.if_false, Instead.CLEAR: self.if_cleared}


class Lint(_Data):
    """How the parameters of a rendered file are found, and what is forbidden there."""

    names: Literal[
        "keys", "attributes", "elements", "named", "objects", "paths", "entries", "leaves", "words", "anything"
    ]
    """Where names stand: `key = value`; XML attributes; XML elements; their attribute `name`; TR-104 objects; paths of
    XML elements; lpconfig entries; JSON leaves; first words; or nowhere that could be checked."""
    root: str = ""
    """Of XML: the path of elements under which the parameters stand, e.g. `gs_provision/config`."""
    separator: str = " = "
    first_line: str = ""
    allowed_duplicates: tuple[str, ...] = ()


class FileRule(_Data):
    name: str
    """File name with `{mac}` or `{MAC}` (12 hex digits), `{model_id}` (12 decimal digits) or `{model}` (what the
    models of the family call themselves in file names); compared without case."""
    kind: Literal["boot", "common", "device", "directory"]
    template: str
    """A table (`*.table`), or a template for what is no list of parameters (`*.j2`)."""
    content_type: str = "text/plain; charset=utf-8"
    sensitive: bool = False
    """Holds a password: its first delivery starts the end of the one-time token."""
    encrypt: Literal["", "openssl-md5", "openssl-sha256", "yealink"] = ""
    """How it is encrypted for a phone that has been told its key (`encryption`); empty where that is not known."""
    private: bool = False
    """Names no device, but is for whoever holds a device's token alone, and written for that device."""
    format: Literal["kv", "xml", "json", "text"] = "text"
    lint: Lint | None = None
    """Where this file's parameters stand, when it is not of the family's own syntax."""
    md5: bool = False
    """Phones ask for `<name>.md5`, too: its digest in hexadecimal."""
    is_digest: bool = False
    """This is such a digest of what the template gives."""
    models: tuple[str, ...] = ()
    """What `{model}` may be."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        escaped = re.escape(self.name)
        for macro in ("{mac}", "{MAC}"):
            escaped = escaped.replace(re.escape(macro), r"(?P<mac>[0-9a-fA-F]{12})")
        escaped = escaped.replace(re.escape("{model_id}"), r"(?P<model_id>\d{12})")
        named = "|".join(re.escape(model) for model in sorted(self.models, key=len, reverse=True))
        return re.compile(escaped.replace(re.escape("{model}"), f"(?P<model>{named})") + r"\Z", re.IGNORECASE)

    @cached_property
    def is_of_one_device(self) -> bool:
        """Named by a MAC: for the holder of that MAC's token alone, whatever it contains."""
        return "{mac}" in self.name.lower()

    def known_by(self) -> list[str]:
        """Return the keys under which `Families.of_name` finds it."""
        name = self.name.lower().replace("{model_id}", "{mac}")
        return [name.replace("{model}", model.lower()) for model in self.models] if "{model}" in name else [name]


class Upload(_Data):
    """What a phone sends by PUT or POST."""

    name: str = Field(pattern=r"\{(mac|MAC)\}")
    """As in `FileRule`; always with the MAC."""
    kind: Literal["log", "overrides", "directory", "calls"]

    @cached_property
    def rule(self) -> FileRule:
        """The rule by which the phone asks for it: as for any file of its own."""
        return FileRule(name=self.name, kind="device", template="")


class Capabilities(_Data):
    lines: int = 1
    keys: int = 0
    """Programmable keys that are written even when empty, so that a removed one goes."""
    key_types: tuple[str, ...] = ("none", "line", "speed", "blf")
    """What its keys can be; one that is to be anything else is written as one that is not set."""
    expansion_keys: int = 0
    """Keys of each expansion module beside it."""
    fxs_ports: int = 0
    transports: tuple[str, ...] = ("udp",)
    srtp: bool = False
    codecs: tuple[str, ...] = ("PCMU", "PCMA")
    tls_min: Literal["1.0", "1.1", "1.2", "1.3"] = "1.2"
    """The oldest TLS by which it may fetch; below 1.2 for phones that know no better."""


class BootStep(_Data):
    """What a phone does with one request, or with the first of several that is served."""

    ask: tuple[str, ...] = ()
    """File names in turn, until one is served; macros as in `FileRule`, and those of the phone; `{file}` is the one the
    URL names, if it does."""
    use: Literal["settings", "list", "listed", "images", "nothing"] = "settings"
    """Read as settings; as a list of the files to read; the files of that list (by default at once); the firmware it
    names; or looked at and left (licence, directory)."""
    needed: bool = False
    """Without it the phone stops and says so."""
    unless_listed: bool = False
    """Skipped when a list was served before."""

    @model_validator(mode="after")
    def _asks(self) -> BootStep:
        if bool(self.ask) == (self.use in ("listed", "images")):
            raise ValueError(f"a step that uses {self.use} {'asks for' if self.ask else 'names'} no file of its own")
        return self


class Remote(_Data):
    """How a phone is driven from outside."""

    how: str
    settings: SettingsData = Field(default_factory=dict)


class Model(_Data):
    model: str
    model_id: str = ""
    """Digits by which the common file is named."""
    file: str = ""
    """What it calls itself in file names (`{model}`); empty for the model's own name."""
    part: str = ""
    """Part number, by which some phones ask for firmware."""
    lines: int | None = None
    keys: int | None = None
    verified: bool = True
    """False where the number of lines has not been seen in a manual."""
    settings: SettingsData = Field(default_factory=dict)


class Firmware(_Data):
    """A layer of settings for some versions: `since` and those after it, `before` and none from there on."""

    since: str = ""
    before: str = ""
    settings: SettingsData

    def covers(self, version: str) -> bool:
        """Compare group by group, as numbers; an unknown version is covered by nothing."""
        number = version_numbers(version)
        low, high = version_numbers(self.since), version_numbers(self.before)
        return bool(number) and number >= low and (not high or number < high)


class FirmwareImage(_Data):
    """An entry of `firmware.yaml`: an image that phones may be told of."""

    family: str
    version: str = Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]*$")
    file: str = Field(min_length=1)
    """Beside the list."""
    models: tuple[str, ...] = ()
    needs: str = ""
    """The oldest version it can be put on."""


class Vendor(_Data):
    title: str
    ouis: tuple[Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{6}$")], ...] = ()
    """First six hex digits; for people: an OUI is no vendor (provisioning 0.1), and identifies nothing here."""
    settings: SettingsData = Field(default_factory=dict)


KeyName = Literal["answer", "reject", "hold", "resume", "transfer", "conference", "messages", "redial", "dnd", "menu"]


class Family(_Data):
    family: str
    vendor: str
    title: str
    type: Literal["deskphone", "ata", "softphone", "dect", "conference", "pager"]
    doubted: dict[str, str] = Field(default_factory=dict)
    """Field of this manifest → why its facts have not been seen on a device, in its manual or in a public source."""
    user_agents: tuple[UserAgent, ...] = ()
    files: tuple[FileRule, ...] = Field(min_length=1)
    uploads: tuple[Upload, ...] = ()
    """What it sends back when it may."""
    capabilities: Capabilities = Capabilities()
    settings: SettingsData = Field(default_factory=dict)
    unsupported: dict[str, str] = Field(default_factory=dict)
    """Canonical name, or the beginning of several with `*` behind it → why the family can be told nothing of it."""
    firmware: tuple[Firmware, ...] = ()
    syntax: Syntax = Syntax()
    lint: Lint
    dhcp: tuple[int, ...] = ()
    tftp_only: bool = False
    """Takes a server from DHCP, and no URL."""
    vendor_class: str = ""
    """What its DHCP option 60 begins with."""
    pnp: bool = False
    """Asks by SIP multicast."""
    redirect: str = ""
    """Host of the vendor's redirect service."""
    macros: dict[str, Literal["mac", "MAC", "model", "part"]] = Field(default_factory=dict)
    """What the phone itself expands in URLs and names."""
    resync: str = "check-sync;reboot=false"
    reboot: str = "check-sync;reboot=true"
    resync_body: str = ""
    """Text of the NOTIFY, where the Event alone says nothing."""
    reboot_body: str = ""
    notify_auth: Literal["never", "maybe", "always"] = "never"
    """Whether it challenges a NOTIFY."""
    remote_control: Remote | None = None
    key_names: dict[KeyName, str] = Field(default_factory=dict)
    """What is written on its keys, for whoever is to press them; what is not known is called by its common name."""
    boot: tuple[BootStep, ...] = Field(min_length=1)
    """What a factory-fresh phone asks for, in order."""
    first_fetch_after_s: tuple[float, float] = (0.0, 0.0)
    """Least and most seconds it waits by chance before its first fetch."""
    ignores_same: bool = False
    """Does not apply a file that is the same as the last time."""
    start: str = ""
    """What is put behind the base URL to make the URL of a family that is given one file, not a folder."""
    keeps_its_url: bool = False
    """No parameter known here tells it another URL, or to leave DHCP alone: what it is given first holds for good."""
    folders: tuple[Path, ...] = ()
    """Where its templates are: its own, those of the family it inherits from, the vendor's."""
    models: dict[str, Model] = Field(default_factory=dict)
    vendor_settings: SettingsData = Field(default_factory=dict)
    ouis: tuple[str, ...] = ()
    """Those of its vendor."""
    tables: dict[str, Table] = Field(default_factory=dict)
    """By the template's name."""
    parameters: tuple[str, ...] = ()
    """Regexes of the parameter names this family knows (`params.txt`)."""
    unverified: tuple[str, ...] = ()
    """Those among them (marked `?` or `~`) that nobody has seen on a device, in a manual or in a public source."""
    unverified_values: tuple[str, ...] = ()
    """Those marked `~`: the names are known, but not all that is written there."""

    @cached_property
    def id(self) -> str:
        return f"{self.vendor}/{self.family}"

    @property
    def folder(self) -> Path:
        return self.folders[0]

    @property
    def verified(self) -> bool:
        return not (self.doubted or self.unverified) and all(model.verified for model in self.models.values())

    @property
    def facts(self) -> dict[str, int]:
        """How many facts each part of it states; `doubted` names parts whose facts nobody has seen."""
        return {
            "user_agents": sum(len(agent.examples) for agent in self.user_agents),
            "dhcp": len(self.dhcp) + bool(self.vendor_class),
            "redirect": bool(self.redirect) + self.pnp,
            "boot": sum(len(step.ask) - step.ask.count("{file}") for step in self.boot),
            "files": len(self.files),
            "resync": 2,
            "notify_auth": 1,
            "remote_control": int(self.remote_control is not None),
            "settings": 0,
            "capabilities": len(self.capabilities.transports) + len(self.capabilities.codecs),
            "models": len(self.models),
            "parameters": len(self.parameters),
        }

    @property
    def verified_facts(self) -> int:
        told = self.facts
        doubted = sum(told.get(part, 0) for part in self.doubted) + len(self.unverified)
        return sum(told.values()) - doubted - sum(not model.verified for model in self.models.values())

    @cached_property
    def knows(self) -> re.Pattern[str]:
        """Matches every parameter name of the family, whole."""
        return re.compile("|".join(f"(?:{parameter})" for parameter in self.parameters) or r"(?!)")

    @cached_property
    def model_files(self) -> dict[str, str]:
        """What models call themselves in file names, in lower case → model."""
        return {(model.file or model.model).lower(): model.model for model in self.models.values()}

    def lines_of(self, model: str) -> int:
        known = self.models.get(model)
        return (known.lines if known else None) or self.capabilities.lines

    def keys_of(self, model: str) -> int:
        known = self.models.get(model)
        return self.capabilities.keys if known is None or known.keys is None else known.keys

    def model_of_id(self, digits: str) -> str:
        """Return a model by the id in a common file's name; empty when there is none."""
        wanted = digits.lstrip("0")
        return next((m.model for m in self.models.values() if m.model_id and m.model_id.lstrip("0") == wanted), "")

    def name_of(self, rule: FileRule, mac: str, model: str) -> str:
        """Return the name under which a device asks for the file; empty when its model has no such file."""
        return self._expanded(rule.name, mac, model)

    def start_of(self, mac: str, model: str) -> str:
        return self._expanded(self.start, mac, model)

    def _expanded(self, text: str, mac: str, model: str) -> str:
        known = self.models.get(model)
        number = known.model_id.zfill(12) if known and known.model_id else ""
        own = (known.file or known.model) if known else ""
        if ("{model_id}" in text and not number) or ("{model}" in text and not own):
            return ""
        for macro, value in {"{mac}": mac, "{MAC}": mac.upper(), "{model_id}": number, "{model}": own}.items():
            text = text.replace(macro, value)
        return text


def version_numbers(version: str) -> tuple[int, ...]:
    """Return the groups of a version as numbers, to be compared one by one."""
    return tuple(int(group) for group in re.findall(r"\d+", version))
