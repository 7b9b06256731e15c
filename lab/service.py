"""The real world: PBX, provisioning and the lab's phones on sockets of this machine, composed.

Order of life: the store, the media processes, the sockets, the switch, provisioning, then the phones; the other way
round at the end. What is acknowledged is on disk: the switch holds an answer until the store says so. Everything the
lab does itself — phones, carrier — reaches the PBX through the network alone.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lab import key_log
from lab.addresses import Listening, ready_document
from lab.carrier import NUMBERS, Carrier, Habit
from lab.certificates import Certificates, explained
from lab.control.by_sip import SipControl
from lab.control.caller import Address
from lab.control.controls import Controls
from lab.cores import SwitchCore
from lab.errors import UserError
from lab.faults import Faults, line_of
from lab.faxes.cabinet import Folder
from lab.floor import Floor, real_token
from lab.hours import OfficeHours
from lab.house import AnyPhone, Portal
from lab.installation import installation_secret, known_as, no_voice, voices
from lab.inventory import resync_body, resync_words, stations
from lab.lab_settings import LabSettings
from lab.mail.catcher import Catcher
from lab.mail.outbox import Outbox
from lab.mail.postman import Postman
from lab.mail.relay import Relay
from lab.media_processes import EARS, RECORDINGS, MediaProcesses
from lab.network.host import UdpHost
from lab.network.presets import Network
from lab.network.real_site import RealNetworks, open_mirror
from lab.people import People
from lab.phone_tls import FactoryTls, PhoneTls
from lab.phones.pyvoip_phone import available
from lab.provisioner import discovery_url
from lab.real_cabling import RealCabling
from lab.real_lines import RealLines
from lab.seeds.load import Seed
from lab.seeds.model import Control, LabSeed
from lab.shell import RealClock, Shell, shell_on_both
from lab.stir import CERTIFICATE, certificate_of, signer_of
from lab.supervisor import Supervisor
from lab.vault import Vault
from lab.waiting import until, woken
from lab.watchdog import Watchdog
from pbx.accounts.desk import forget_strangers
from pbx.bus import Bus
from pbx.catalogue import plug_ins
from pbx.clock import Moment
from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from pbx.domain.registrations import host_and_port
from pbx.events import (
    ConfigServed,
    CredentialsRotated,
    Event,
    PhoneSaid,
    ServerFault,
    Stamped,
    TimeFrameSwitched,
    TlsRefused,
)
from pbx.media.engine import Engine
from pbx.sip.address import Peer
from pbx.sip.stack import Stack
from pbx.sip.tolerances import Tolerance, Tolerances
from pbx.store.database import CannotOpen
from pbx.store.protocol import DirectorySaved, StoredDirectory, TokenSpent
from pbx.store.sql import SqlStore
from pbx.switch.switch import Switch
from provisioning_server.app import ProvisioningService
from provisioning_server.families import shipped_families
from provisioning_server.firmware_folder import load_images
from provisioning_server.ledger import Ledger
from provisioning_server.one_shot_desk import say_once
from provisioning_server.overlay import Scalar, ServedAt
from provisioning_server.respond import config_url
from provisioning_server.rotation import rotated
from provisioning_server.upload_folder import UploadFolder

DAY_S = 86_400.0
TRUNKS = 2
"""Ways out to the simulated telephone network; the second is for when the first fails."""
DRAIN_S = 3.0
"""How long calls may take to end after SIGTERM; the whole of the end fits in ten seconds."""


class Lab:
    """One lab in real time. `start`, then use it as the bench's house; `close` ends it and leaves nothing running."""

    def __init__(self, seed: Seed, settings: LabSettings | None = None) -> None:
        self.seed = seed
        self.settings = settings or LabSettings()
        self.directory = seed.directory
        self.clock = RealClock()
        self.bus = Bus()
        self.changed: Callable[[AnyPhone], None] = lambda phone: None
        """Told of a phone whose face is different: set by the console."""
        self.well: Callable[[], None] = lambda: None
        """Called twice a second while nothing is wrong: set by who watches the process."""
        self.listening: Listening | None = None
        self._supervisor = Supervisor(self._task_failed)
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._store: SqlStore | None = None
        self._media: MediaProcesses | None = None
        self._switch_shell: Shell | None = None
        self._provisioning: ProvisioningService | None = None
        self._certificates: Certificates | None = None
        self._phone_tls: PhoneTls | None = None
        self._secret: bytes
        self._vault: Vault
        self._key_log: Path | None = None
        self._floor: Floor | None = None
        self._cabling: RealCabling | None = None
        self._trunk_peers: tuple[Peer, ...] = ()
        self._watchdog = Watchdog(self.clock, self.publish, lambda: self.well())
        self._watchdog_peer: Peer | None = None
        self.outbox = Outbox()
        self.portal: Portal | None = None
        """Set by the console that is opened over this lab."""
        self._catcher = Catcher(self.outbox, lambda: self.now.wall.timestamp(), self)
        self.people = People(self.clock.now)
        self.hours = OfficeHours(self.clock.now, self.publish)
        self.sip_control = SipControl(self)
        named = {device: control.driver for device, control in seed.lab.control.items()}
        self.controls = Controls(self._supervisor, self._control_address, named)
        self.bus.subscribe(self.controls.take, [PhoneSaid])
        self._control_told: dict[str, Control] = {}
        self._postman: Postman | None = None
        self._mirror: UdpHost | None = None
        self._networks: RealNetworks | None = None
        self._faults: Faults | None = None
        self._starts = 0
        self._closing = False

    # --- life -----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start everything; OSError names a port that is taken, CannotOpen a store that cannot be used."""
        try:
            await self._start()
        except BaseException:
            await self.close()
            raise

    async def _start(self) -> None:
        host, ports = self.settings.host, self.settings.ports
        data = self._data_folder()
        self._open_vault(data)
        self._certificates = await asyncio.to_thread(self._open_certificates, data)
        self._switch_shell = await shell_on_both(self.clock, host, ports.sip, Tolerances(self.settings.sip.strict))
        self._switch_shell.refused = self._tls_refused
        await self._switch_shell.listen_tls(ports.sips, self._certificates.security)
        self._store = await self._open_store(data)
        self._recall_directory(self._store)
        self._media = self._make_media(data)
        await self._media.start()
        if self.settings.phones:
            self._floor = self._make_floor()
            self._trunk_peers = tuple(Peer("udp", *self._floor.bind_trunk()) for _ in range(TRUNKS))
        self._watchdog_peer = self._watchdog.bind(host)
        self._start_switch()
        await self._start_provisioning(data)
        await self._start_mail(data)
        self._start_mirror()
        if self._floor is not None:
            self._floor.start_trunks(self._make_carrier)
            await self._furnish(self._floor)
            await self._start_cabling(self._floor)
        lines = RealLines(self._floor, self._media.ears)
        self._faults = Faults(lines, self.clock.now, self.publish, asyncio.get_running_loop().call_later)
        await self._watchdog.start(
            self.sip_address("udp"),
            store=lambda: self._store if self.alive else None,
            media=lambda: self._media is not None and self._media.switch.runs,
        )

    async def boot_phones(self, within_s: float = 60.0) -> bool:
        """Power every phone and wait until all are registered; return whether they are.

        They come fresh from the factory at every start: their provisioning is opened once more.
        """
        floor = self.floor
        for station in stations(self.directory, physical=self.seed.lab.control):
            self.reopen_provisioning(station.mac)
        self.power(True)
        return await self.until(floor.all_registered, within_s)

    async def until(self, holds: Callable[[], bool], within_s: float) -> bool:
        """Wait until `holds`; return whether it does."""
        return await until(self.bus, self.clock, holds, within_s)

    async def drain(self) -> None:
        """Refuse new calls and end those in progress, as at SIGTERM."""
        self.command_switch(lambda switch, now: switch.drain(now))
        await self.until(lambda: not self.switch.live()["calls"], DRAIN_S)

    async def close(self) -> None:
        """End everything; safe to call twice, and after a start that failed half-way."""
        if self._closing:
            return
        self._closing = True
        if self.alive:
            await self.drain()
        if self._cabling is not None:
            await self._cabling.close()
        if self._floor is not None:
            await self._floor.close()
        if self._provisioning is not None:
            await self._provisioning.close()
        self._watchdog.close()
        await self._supervisor.close()
        await self._catcher.close()
        if self._mirror is not None:
            self._mirror.close()
        if self._switch_shell is not None:
            await self._switch_shell.close()
        if self._media is not None:
            await self._media.close()
        if self._store is not None:
            await self._store.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    # --- what others ask ------------------------------------------------------------------------------

    virtual = False

    @property
    def now(self) -> Moment:
        return self.clock.now()

    @property
    def hour(self) -> Moment:
        return self.hours.now()

    @property
    def lab_seed(self) -> LabSeed:
        return self.seed.lab

    @property
    def phones(self) -> Sequence[AnyPhone]:
        return self._floor.phones if self._floor is not None else ()

    @property
    def floor(self) -> Floor:
        assert self._floor is not None, "this lab has no phones of its own"
        return self._floor

    @property
    def faults(self) -> Faults:
        assert self._faults is not None, "start first"
        return self._faults

    def impaired(self) -> str:
        """What is bad on purpose now, in words; empty for nothing."""
        active = self._faults.active if self._faults is not None else ()
        return "; ".join(f"{fault.link} ({fault.words})" for fault in active)

    @property
    def networks(self) -> RealNetworks:
        assert self._networks is not None, "start first"
        return self._networks

    @property
    def carrier(self) -> Carrier:
        return self.floor.carrier

    @property
    def trunks(self) -> Sequence[Carrier]:
        return self.floor.trunks

    @property
    def switch(self) -> Switch:
        core = self._shell.core
        assert isinstance(core, SwitchCore)
        return core.switch

    @property
    def alive(self) -> bool:
        """False while the switch is killed and not yet back."""
        return self._switch_shell is not None and not self._switch_shell.stopped

    @property
    def store(self) -> SqlStore:
        assert self._store is not None, "start first"
        return self._store

    @property
    def history(self) -> SqlStore:
        return self.store

    @property
    def recordings_folder(self) -> Path:
        """Where the switch's recordings are."""
        return self._store_folder / RECORDINGS

    def tap(self, folder: Path | None) -> None:
        """Keep the packets of every call from now on as evidence, or no more."""
        if self._media is not None:
            self._media.tap(folder)

    @property
    def vault(self) -> Vault:
        """Seals what the store keeps."""
        return self._vault

    @property
    def secret(self) -> bytes:
        """The installation's own; others are derived from it."""
        return self._secret

    @property
    def data_folder(self) -> Path:
        """Where the state is kept."""
        return self._store_folder

    @property
    def runs_folder(self) -> Path:
        """Where each run of a plan has a folder of its own."""
        return self._store_folder / "runs"

    @property
    def cabinet(self) -> Folder:
        return Folder(self.recordings_folder)

    @property
    def machines_cabinet(self) -> Folder:
        return Folder(self._store_folder / EARS)

    @property
    def recordings(self) -> Path:
        """Where the sound of messages and prompts is."""
        return self._store_folder / RECORDINGS

    @property
    def provisioning(self) -> ProvisioningService:
        assert self._provisioning is not None, "start first"
        return self._provisioning

    def ready(self, console_port: int = 0, console_host: str = "") -> dict[str, Any]:
        """Return the content of the ready file."""
        assert self.listening is not None, "start first"
        at = replace(self.listening, console_port=console_port, console_host=console_host)
        return ready_document(at, self.directory, self.provisioning.office, secrets=True)

    def sip_address(self, transport: str) -> Peer:
        """Where the switch is reached by a transport."""
        return Peer(transport, *(self._shell.tls if transport == "tls" else self._shell.udp))

    def tolerated(self) -> Counter[Tolerance]:
        """What bad handsets did that was forgiven: in messages, and on streams."""
        return self.switch.stack.tolerances.forgiven + self._shell.tolerances.forgiven

    def tls_secrets(self) -> bytes:
        """Return the secrets of the newest TLS connections, an NSS key log; empty unless the setting asks for it."""
        return key_log.newest(self._key_log)

    def health(self) -> dict[str, bool]:
        """Readiness by listener; a part that is not there is not ready."""
        up = self.listening is not None and not self._closing
        wrong = self._watchdog.reasons()
        return {
            "sip": up and self.alive and not wrong["sip"],
            "provisioning-http": up and self._provisioning is not None,
            "provisioning-tftp": up and self._provisioning is not None,
            "store": up and self.alive and self.store.writes and not wrong["store"],
            "media": up and self._media is not None and self._media.switch.runs,
            "loop": up and not wrong["loop"],
        }

    # --- commands -------------------------------------------------------------------------------------

    def command_switch(self, command: Callable[[Switch, Moment], object]) -> object:
        result = command(self.switch, self.now)
        self._shell.settle()
        return result

    def apply(self, directory: Directory, what: str = "directory") -> None:
        before, self.directory = self.directory, directory
        try:
            self._keep_directory(self.store)
        except Exception:
            self.directory = before
            raise
        forget_strangers(self.store, before, directory)
        if self._phone_tls is not None:
            self._phone_tls.allow(self.provisioning.oldest_tls)
        self.command_switch(lambda switch, now: switch.apply(directory, now, what))

    def _frame_switched(self, stamped: Stamped) -> None:
        """The switch has made a snapshot of its own: it is everybody's, and outlives a restart."""
        self.directory = self.switch.configured
        self._keep_directory(self.store)

    def press(self, phone: AnyPhone, button: Callable[[], object]) -> object:
        return self.floor.press(phone, button)

    def press_outside(self, button: Callable[[], object]) -> object:
        return self.floor.press_outside(button)

    def power(self, on: bool, phones: Sequence[AnyPhone] | None = None) -> None:
        self.floor.power(on, phones)

    async def plug_in(self) -> list[AnyPhone]:
        """Put a box on the floor, switched off, for each device that has none there yet; return these."""
        assert self.listening is not None, "start first"
        standing = {extension.device for phone in self.floor.phones for extension in phone.extensions}
        found: list[AnyPhone] = []
        lab = self.seed.lab
        for station in stations(self.directory, tftp=lab.tftp, untold=lab.untold, physical=lab.control):
            if station.device not in standing:
                url = discovery_url(self.provisioning.office, self.directory, station, self.listening.tftp_url)
                found.append(await self.floor.plug_in(station, url))
        return found

    @property
    def cabling(self) -> RealCabling | None:
        """The cables of a running lab are what they are, but on a loopback."""
        return self._cabling

    def reopen_provisioning(self, mac: str) -> None:
        self.provisioning.reopen(mac)
        self._keep_token(mac)

    def say_once(self, device: str, settings: Mapping[str, Scalar]) -> None:
        self.publish(say_once(self.provisioning.office, self.directory, device, settings, self.now))

    def rotate_credentials(self, mac: str, overlap_s: float) -> list[str]:
        """Give a box new passwords and a new token, the old ones taken for a while longer; KeyError for an unknown MAC.

        Its registered lines are told to fetch their file; return which.
        """
        until = self.now.wall + timedelta(seconds=overlap_s)
        office = self.provisioning.office
        self.apply(rotated(self.directory, office.families, mac, real_token, until), f"new credentials of {mac}")
        self.publish(CredentialsRotated(mac, until.isoformat()))
        return [device.id for device in self.directory.devices_by_mac[mac] if self.resync(device)]

    def resync(self, device: Device, *, reboot: bool = False) -> bool:
        """Tell a device to fetch its configuration, in the words of its maker; False when it is not registered."""
        event, body = resync_words(device.family, reboot=reboot), resync_body(device.family, reboot=reboot)
        return bool(self.command_switch(lambda switch, now: switch.resync(device.id, now, event=event, body=body)))

    def restart_switch(self) -> None:
        """Kill the switch where it stands, media and all; another starts once the store is closed and open again."""
        self._shell.stop()
        self._supervisor.start("restart", self._restart())

    def reload_certificates(self) -> bool:
        """Show over TLS what lies in the data folder now; False when it cannot be used, which an event tells."""
        assert self._certificates is not None, "start first"
        try:
            self.publish(self._certificates.reload(self.now.wall))
        except UserError as error:
            told = (error.happened, error.why, error.remedy, error.reference)
            self.publish(TlsRefused(f"tls:{host_and_port(*self._shell.tls)}", *told))
            return False
        if self._phone_tls is not None:
            self._phone_tls.refresh()
        self._tell_of_endings()
        return True

    def _tell_of_endings(self) -> None:
        assert self._certificates is not None, "start first"
        for ending in self._certificates.ending(self.now.wall):
            self.publish(ending)

    async def _look_at_certificates(self) -> None:
        """Once a day: the lab's own are made anew in time, the operator's are told of."""
        while True:
            await woken(asyncio.Event(), DAY_S)
            self.reload_certificates()

    def _control_address(self, device: str) -> Address | None:
        """Where a phone lets itself be controlled: what its seed says, else the address it registered from."""
        said = self._control_told.get(device) or self.seed.lab.control.get(device) or Control()
        binding = self.switch.binding(device) if self.alive else None
        own = f"http://{host_and_port(binding.peer.host, 80)}" if binding is not None else ""
        url = said.url or own
        return Address(url, said.user, said.password) if url else None

    def control_phone(self, device: str, control: Control) -> None:
        """Take the operator's word, until the end, for how a physical phone is controlled; UserError as `Controls`."""
        self.controls.name(device, control.driver)
        self._control_told[device] = control

    def steady_folder(self, device: str) -> str:
        """Return the URL of the folder of a box's files by its steady token; empty for a device without a box."""
        known, office = self.directory.devices_by_id[device], self.provisioning.office
        if not known.mac:
            return ""
        return f"{office.at.base_url}/{office.ledger.steady_token(known.mac, known.token.get_secret_value())}"

    @property
    def audible(self) -> tuple[Sequence[str], Sequence[str]]:
        """Whose voices, and which music, a phone of this lab may hear."""
        assert self._media is not None, "start first"
        return self._media.parties, self._media.music

    def mail_again(self) -> None:
        """Try now whatever mail waits."""
        if self._postman is not None:
            self._postman.again()

    def publish(self, event: Event) -> None:
        self.bus.publish(event, self.now)

    def complain(self, part: str, text: str) -> None:
        """Tell of a fault of ours that nobody asked about."""
        self.publish(ServerFault(part, "", text))

    # --- parts, in the order of life ------------------------------------------------------------------

    @property
    def _shell(self) -> Shell:
        assert self._switch_shell is not None, "start first"
        return self._switch_shell

    def _data_folder(self) -> Path:
        if self.settings.data is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="switchroom-")
            return Path(self._temporary.name)
        try:
            self.settings.data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotOpen(f"{self.settings.data} cannot be a folder: {error.strerror}") from None
        return self.settings.data

    def _open_vault(self, data: Path) -> None:
        try:
            self._secret = installation_secret(data, self.settings.secret_file)
        except (OSError, ValueError) as error:
            raise CannotOpen(f"the installation's secret cannot be used: {error}") from None
        self._vault = Vault(self._secret)

    def _open_certificates(self, data: Path) -> Certificates:
        names, folder = known_as(self.settings.host, self.directory.domain.name), data / "tls"
        if self.settings.tls_key_log:
            self._key_log = key_log.begun(folder)
        else:
            key_log.without(folder)
        return Certificates(folder, names, self.now.wall, self._key_log)

    def _tls_refused(self, peer: Peer, error: Exception) -> None:
        self.publish(explained(peer, error, self.listening.ca_url if self.listening else "ca.pem"))

    async def _open_store(self, data: Path) -> SqlStore:
        store = SqlStore(data, self._durable, self._store_failed, recordings_folder=data / RECORDINGS)
        await store.start(self.now.wall.timestamp())
        return store

    def _recall_directory(self, store: SqlStore) -> None:
        """Go on with the configuration kept here, unless this start names a seed of its own."""
        name = self.directory.domain.name
        kept = None if self.settings.reseed else store.directory(name)
        if kept is None:
            self._keep_directory(store)
            return
        try:
            self.directory = Directory.model_validate_json(kept.document, context={"unseal": self._vault.unseal})
        except ValidationError as error:
            raise CannotOpen(f"the configuration of {name} in the store is not understood: {error}") from None

    def _keep_directory(self, store: SqlStore) -> None:
        directory = self.directory
        document = directory.model_dump_json(context={"secrets": self._vault.seal})
        store.submit(DirectorySaved(StoredDirectory(directory.domain.name, directory.revision, document)))

    def _store_failed(self, text: str) -> None:
        self.publish(ServerFault("store", "", text))

    def _durable(self, ticket: int) -> None:
        if self._starts and not self._shell.stopped:
            self.command_switch(lambda switch, now: switch.confirm(ticket, now))

    def _make_media(self, data: Path) -> MediaProcesses:
        return MediaProcesses(
            [*([item.number for item in self.seed.lab.carrier] or NUMBERS), *self.seed.lab.control],
            lambda: self.directory,
            data,
            self.settings.host,
            self.settings.media_ports,
            self.settings.rtpengine,
            fax_speed=self.settings.fax_speed,
            switch_woken=self._switch_woken,
            ears_woken=self._ears_woken if self.settings.phones else None,
        )

    def _switch_woken(self) -> None:
        self._shell.woken()

    def _ears_woken(self) -> None:
        if self._floor is not None:
            self._floor.media_woken()

    def _start_switch(self) -> None:
        assert self._media is not None
        assert self._store is not None
        self._starts += 1
        address = self._shell.udp
        switch = Switch(
            self.directory,
            {"udp": address, "tcp": address, "tls": self._shell.tls},
            engine=self._media.switch,
            bus=self.bus,
            token=real_token,
            history=self._store,
            now=self.now,
            settings=replace(
                self.settings.sip,
                carrier=next(iter(self._trunk_peers), None),
                more_carriers=self._trunk_peers[1:],
                signer=signer_of(self._secret, self._stir_url),
                watchdog=self._watchdog_peer,
                config_url=self._config_url,
            ),
        )
        switch.hours = self.hours.of
        self._shell.admission = switch.admission
        self._shell.start(SwitchCore(switch, lambda mono: self.now))

    def _stir_url(self) -> str:
        at = self.listening
        return at.stir_url if at is not None else ""

    def _config_url(self, device: str) -> str:
        known = self.directory.devices_by_id.get(device)
        if self._provisioning is None or known is None or not (known.family and known.mac):
            return ""
        return config_url(self._provisioning.office, self.directory, known)

    async def _restart(self) -> None:
        """Another process would find the store on disk and no media at all: so does the new switch."""
        assert self._store is not None
        assert self._media is not None
        await self._shell.hang_up()
        await self._store.close()
        await self._media.renew_switch()
        self._store = await self._open_store(self._store_folder)
        await self._shell.listen_again()
        self._start_switch()

    @property
    def _store_folder(self) -> Path:
        return Path(self._temporary.name) if self._temporary is not None else self.settings.data or Path()

    async def _start_mail(self, data: Path) -> None:
        host = self.settings.host
        port = await self._catcher.start(host, self.settings.ports.smtp)
        assert self.listening is not None
        self.listening = replace(self.listening, smtp_port=port)
        relay = self.settings.relay or Relay(host, port, tls="no")
        engines = plug_ins("lab.transcribers", needs="transcribe")
        self._postman = Postman(
            self, relay, self.settings.mail_from, data / RECORDINGS, {e.NAME: e for e in engines.values()}
        )
        self._supervisor.start("postman", self._postman.run())

    def _network_felt(self, site: str, network: Network | None) -> None:
        """A site's phones feel its line; its routers stand before assessments alone."""
        link = f"site {site}"
        if self._faults is None or link not in self._faults.links():
            return
        if network is None:
            self._faults.clear(link)
        else:
            self._faults.put(link, *line_of(network), preset=network.name)

    def _start_mirror(self) -> None:
        mirror = self._mirror = open_mirror(self.settings.host, self.settings.ports.mirror)
        self._networks = RealNetworks(mirror, self._supervisor, self._network_felt)
        assert self.listening is not None
        self.listening = replace(self.listening, mirror_port=mirror.ports[0])

    async def _start_provisioning(self, data: Path) -> None:
        host, ports = self.settings.host, self.settings.ports
        sip_host, sip_port = self._shell.udp
        service = self._provisioning = ProvisioningService(
            shipped_families(),
            lambda: self.directory,
            at=ServedAt(sip_host, sip_port, ""),
            ledger=Ledger(self._secret, lan_window=True, spent=self.store.spent_tokens()),
            publish=self.publish,
            now=lambda: self.now,
            uploads=UploadFolder(data / "uploads"),
            insecure=lambda peer, error: self._tls_refused(Peer("https", *peer), error),
        )
        images, wrong = load_images(data / "firmware", frozenset(service.office.families.by_id))
        service.office.images = images
        assert self._certificates is not None
        stir = data / "stir.pem"  # not in tls: what lies there is shown as the server's own
        stir.write_bytes(certificate_of(self._secret, self.directory.domain.name, self.now.wall))
        certificates = {"/ca.pem": self._certificates.ca_file, CERTIFICATE: stir}
        http, tftp = await service.start(host, ports.provisioning, ports.tftp, certificates, self.settings.proxies)
        sips_port, ca_file = self._shell.tls[1], self._certificates.ca_file
        doors = self._phone_tls = PhoneTls(self._certificates)
        doors.allow(service.oldest_tls)
        self.listening = Listening(
            host, sip_port, http[1], tftp[1], 0, sips_port, str(ca_file),
            provisioning_tls_port=service.listen_tls(host, ports.provisioning_tls, doors.for_all),
            provisioning_certified_port=service.listen_tls(host, ports.provisioning_certified, doors.with_certificate),
            redirect_port=(
                await service.listen_redirect(host, ports.redirect, doors.as_makers(self.now.wall))
                if ports.redirect is not None
                else 0
            ),
            pnp_port=service.listen_pnp(host, ports.pnp) if ports.pnp is not None else 0,
        )  # fmt: skip
        url, ca_url = self.listening.provisioning_url, self.listening.ca_url
        secure = self.listening.secure_url
        tftp_url = self.listening.tftp_url.rstrip("/")
        service.moved(
            ServedAt(sip_host, sip_port, url, sips_port=sips_port, ca_url=ca_url, secure_url=secure, tftp_url=tftp_url)
        )
        for broken in (*service.office.families.broken, *wrong, *doors.problems):
            self.publish(ServerFault("provisioning", "", broken))
        self._tell_of_endings()
        self._supervisor.start("certificates", self._look_at_certificates())
        self.bus.subscribe(self._config_served, [ConfigServed])
        self.bus.subscribe(self._frame_switched, [TimeFrameSwitched])

    def _config_served(self, stamped: Stamped) -> None:
        assert isinstance(stamped.event, ConfigServed)
        self._keep_token(stamped.event.mac)

    def _keep_token(self, mac: str) -> None:
        digest = self.provisioning.office.ledger.spent_by(mac)
        if digest != self.store.spent_tokens().get(mac, ""):
            self.store.submit(TokenSpent(mac, digest))

    def _make_floor(self) -> Floor:
        assert self._media is not None
        assert self._media.ears is not None
        return Floor(
            clock=self.clock,
            supervisor=self._supervisor,
            engine=self._media.ears,
            host=self.settings.host,
            voice=voices(tuple(self._media.parties), tuple(self._media.music)) if self._has_pyvoip else no_voice,
            changed=lambda phone: self.changed(phone),
            pyvoip=self.settings.pyvoip,
            pace=self.settings.pace,
            security=self._certificates.security if self._certificates is not None else None,
        )

    @property
    def _has_pyvoip(self) -> bool:
        wanted = any(station.is_pyvoip for station in stations(self.directory))
        return wanted and self.settings.pyvoip and available()

    def _make_carrier(self, stack: Stack, engine: Engine) -> Carrier:
        outside = {item.number: Habit(item.habit) for item in self.seed.lab.carrier}
        return Carrier(
            stack,
            engine,
            token=real_token,
            switch=Peer("udp", *self._shell.udp),
            domain=self.directory.domain.name,
            numbers=outside or NUMBERS,
            names={item.number: item.name for item in self.seed.lab.carrier},
        )

    async def _furnish(self, floor: Floor) -> None:
        assert self.listening is not None
        at, makers = self.listening, self.provisioning.redirects.redirects.by_host
        assert self._certificates is not None
        names = dict.fromkeys(makers, (at.host, at.redirect_port)) if at.redirect_port else {}
        floor.connect(names, FactoryTls(self._certificates, self.now.wall), at.pnp_port)
        await self.plug_in()

    async def _start_cabling(self, floor: Floor) -> None:
        if not self.settings.host.startswith("127."):
            return
        self._cabling = RealCabling(self.clock, self._supervisor, self.provisioning, lambda: self.directory)
        await self._cabling.start(floor.share, Peer("udp", *self._shell.udp), self.directory.domain.name)

    def _task_failed(self, name: str, fault: BaseException) -> None:
        self.publish(ServerFault(name, "", f"{type(fault).__name__}: {fault}"))
