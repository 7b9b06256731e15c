"""What befalls a fleet: a power cut, a server that is away for a minute, another site, other credentials."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from lab.bench import LabBench
from lab.phones.boot import Boot, BootPace
from lab.phones.families import FAMILIES
from lab.phones.family import Fetch, Fetched, boxed
from lab.phones.flashing import MOST_TRIES
from lab.provisioner import VirtualProvisioner, virtual_office
from lab.rehearsal import MemoryKeeper
from lab.seeds.load import Seed
from lab.seeds.model import LabSeed
from lab.world import CARRIER, PROVISIONING_HOST, SWITCH, World
from pbx.domain.directory import Directory
from pbx.events import ConfigRequested, ConfigServed, DiscoveryAnswered, PhoneSaid, ResyncAnswered
from pbx.media.prompts.catalogue import seconds_of
from pbx.switch.settings import SwitchSettings
from provisioning_server.families import shipped_families
from provisioning_server.firmware import Image
from provisioning_server.rotation import rotated
from test_plans.bench import CannotDo
from tests.bench.bench_power_cut import site
from tests.lab.every_family import EXTENSION, every_family

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time

YEALINK, POLY, OBI = EXTENSION["yealink/t4x_t5x"], EXTENSION["poly/vvx"], EXTENSION["poly/obi"]


def town(directory: Directory, lab: LabSeed | None = None, pace: BootPace | None = None) -> World:
    def provisioner(world: World) -> VirtualProvisioner:
        office = virtual_office(SWITCH, PROVISIONING_HOST, b"secret")
        return VirtualProvisioner(office, lambda: world.directory, world.publish, f"tftp://{PROVISIONING_HOST}/")

    return World(
        Seed(directory, lab or LabSeed()), number=1, keeper=MemoryKeeper(), provisioner=provisioner,
        seconds_of=seconds_of, settings=SwitchSettings(carrier=CARRIER), pace=pace,
    )  # fmt: skip


def registered(world: World, extension: str) -> bool:
    lines = world.phone(extension).lines
    return bool(lines) and all(line.registered for line in lines)


def on(world: World, *extensions: str) -> None:
    world.power(True, [world.phone(extension) for extension in extensions])


def seen(world: World, kind: type) -> list:
    return [stamped for stamped in world.bus.since(0) if isinstance(stamped.event, kind)]


@pytest.mark.parametrize("phones", [60, pytest.param(200, marks=pytest.mark.soak)])
def test_after_a_power_cut_all_phones_come_back_by_both_ways_and_those_that_wait_do(phones):
    """Half of the fleet is told a TFTP server; a maker's random delay spreads its phones, the others come at once."""
    domain = site(phones)
    tftp = tuple(device.extension for device in domain.devices[::2])
    world = town(domain, LabSeed(tftp=tftp), BootPace(spread=1.0))
    assert world.boot_all(120.0)
    first = {}
    for stamped in seen(world, ConfigRequested):
        first.setdefault(stamped.event.address, stamped.at.mono)
    waited = {phone.box.family: [] for phone in world.phones}
    for number, phone in enumerate(world.phones, start=1):
        found = [at for address, at in first.items() if address.rpartition(":")[0] == f"10.0.1.{number}"]
        waited[phone.box.family] += found or [at for address, at in first.items() if address == f"10.0.1.{number}"]
    obi = waited.pop("poly/obi")
    assert all(30 < at < 92 for at in obi)
    assert max(obi) - min(obi) > phones / 20, "spread"
    assert max(at for times in waited.values() for at in times) < 2
    served = Counter(stamped.event.protocol for stamped in seen(world, ConfigServed) if stamped.event.sensitive)
    assert served["tftp"] >= 0.47 * phones
    assert served["http"] >= 0.47 * phones


def test_while_the_server_says_503_phones_show_it_and_all_come_up_when_it_is_back():
    world = town(every_family())
    fetch = world.provisioner.fetch
    world.provisioner.fetch = lambda *asked: Fetched(503) if world.now.mono < 60 else fetch(*asked)
    on(world, YEALINK, POLY)
    assert world.run(20.0, lambda: {world.phone(one).error for one in (POLY, YEALINK)} == {"Config 503"})
    assert world.run(100.0, lambda: registered(world, POLY) and registered(world, YEALINK))


def test_a_phone_that_is_up_keeps_its_line_through_a_resync_that_finds_the_server_away():
    world = town(every_family())
    on(world, POLY)
    assert world.run(20.0, lambda: registered(world, POLY))
    line = world.line(POLY)
    world.provisioner.fetch = lambda *asked: Fetched(503)
    world.command_switch(lambda switch, now: switch.resync(POLY, now))
    world.run(20.0)
    assert world.line(POLY) is line
    assert line.registered


def test_a_phone_plugged_in_again_at_another_site_takes_that_sites_settings():
    domain = every_family()
    at_home = Directory.model_validate(
        domain.model_dump(context={"secrets": True}, mode="json")
        | {"sites": [{"name": "Toronto"}, {"name": "Vancouver", "time_zone": "America/Vancouver"}]}
    )
    user = at_home.users_by_extension[YEALINK].model_copy(update={"site": "Toronto"})
    world = town(at_home.with_user(user))
    on(world, YEALINK)
    assert world.run(20.0, lambda: registered(world, YEALINK))
    assert world.phone(YEALINK).config.values["local_time.time_zone"] == "-5"
    world.power(False, [world.phone(YEALINK)])
    world.apply(world.directory.with_user(user.model_copy(update={"site": "Vancouver"})))
    phone = world.phone(YEALINK)
    phone.dhcp[66] = "tftp://10.9.9.9/"  # what the other network says of a server of its own
    world.run(600.0)
    on(world, YEALINK)
    assert world.run(20.0, lambda: registered(world, YEALINK))
    assert phone.config.values["local_time.time_zone"] == "-8"


@pytest.mark.parametrize("protocol", ["https", "tftp"])
def test_where_the_policy_is_one_protocol_phones_are_told_so_and_every_make_that_can_comes_up(protocol):
    domain = every_family().replaced(settings={"domain": {"provisioning.protocols": protocol}})
    world = town(domain)
    alone = {name for name, family in shipped_families().by_id.items() if family.tftp_only and protocol != "tftp"}
    on(world, *(EXTENSION[name] for name in EXTENSION if name not in alone))
    assert world.run(
        60.0, lambda: all(registered(world, number) for name, number in EXTENSION.items() if name not in alone)
    ), [name for name, number in EXTENSION.items() if not registered(world, number)]
    world.run(300.0)
    again = [EXTENSION[name] for name in ("poly/vvx", "yealink/t4x_t5x", "fanvil/x", "grandstream/gxp", "mitel/sip")]
    world.power(False, [world.phone(number) for number in again])
    on(world, *again)
    assert world.run(20.0, lambda: all(registered(world, one) for one in again)), "by the URL their file told"
    assert {stamped.event.protocol for stamped in seen(world, ConfigServed)} == {protocol}


def test_phones_that_were_told_a_key_read_their_next_file_encrypted_and_a_reset_one_begins_plain():
    """A first boot tells the key; each maker's next one is read in its own form."""
    domain = every_family().replaced(settings={"domain": {"provisioning.encrypt": True}})
    shipped = shipped_families().by_id
    can = [name for name in EXTENSION if any(rule.encrypt for rule in shipped[name].files)]
    assert {name.partition("/")[0] for name in can} == {"yealink", "grandstream", "cisco"}
    world = town(domain)
    on(world, *(EXTENSION[name] for name in can))
    assert world.run(30.0, lambda: all(registered(world, EXTENSION[name]) for name in can))
    world.run(300.0)
    for name in can:
        world.power(False, [world.phone(EXTENSION[name])])
    before = len(seen(world, ConfigServed))
    on(world, *(EXTENSION[name] for name in can))
    assert world.run(30.0, lambda: all(registered(world, EXTENSION[name]) for name in can)), "in their makers' forms"
    later = [stamped.event for stamped in seen(world, ConfigServed)[before:]]
    assert {event.family for event in later if event.reason.endswith(", encrypted")} == set(can)
    phone = world.phone(YEALINK)
    world.provisioner.reopen(phone.box.mac)
    phone.factory_reset(world.now.mono)
    assert world.run(30.0, lambda: registered(world, YEALINK))
    assert "encrypted" not in seen(world, ConfigServed)[-1].event.reason


NO_HOOK = {"fanvil/x", "yealink/dect"}
"""Who does not say that the receiver is lifted."""
NO_CALL_ID = {"grandstream/grp", "grandstream/gxp"}
TELLS = (
    "fanvil/x",
    "grandstream/grp",
    "grandstream/gxp",
    "htek/uc",
    "poly/vvx",
    "snom/d",
    "yealink/dect",
    "yealink/t4x_t5x",
)


@pytest.fixture(scope="module")
def telling() -> World:
    """Phones of every maker that tells, up; and one that says nothing, for the other end."""
    numbers = [EXTENSION[name] for name in TELLS]
    world = town(every_family().replaced(settings={f"user:{one}": {"action_urls.enabled": True} for one in numbers}))
    on(world, *numbers, EXTENSION["mitel/sip"])
    assert world.run(60.0, lambda: all(registered(world, one) for one in [*numbers, EXTENSION["mitel/sip"]]))
    world.run(2.0)
    return world


@pytest.mark.parametrize("name", TELLS)
def test_a_phone_tells_what_happens_at_it_as_its_configuration_says(name, telling):
    world, number, other = telling, EXTENSION[name], EXTENSION["mitel/sip"]
    devices = {device.id: device for device in LabBench(world).devices()}
    mine, theirs = devices[number], devices[other]
    mine.do("dial", other)
    assert world.run(5.0, lambda: not theirs.idle)
    theirs.do("answer")
    world.run(2.0)
    mine.do("hold")
    world.run(2.0)
    mine.do("resume")
    world.run(2.0)
    mine.do("hangup")
    world.run(2.0)
    theirs.do("dial", number)
    assert world.run(5.0, lambda: not mine.idle)
    mine.do("answer")
    world.run(2.0)
    theirs.do("hangup")
    world.run(2.0)
    events = [stamped.event for stamped in seen(world, PhoneSaid) if stamped.event.device == number]
    said = [event.what for event in events if event.what not in ("started", "registered")]
    on_hold = [] if name == "poly/vvx" else ["hold", "resume"]
    out = ["off_hook", "dialling", "connected", *on_hold, "ended", "on_hook"]
    hooks = {"off_hook", "on_hook"} if name in NO_HOOK else set()
    told = [*out, "ringing", "off_hook", "connected", "ended", "on_hook"]
    assert said == [word for word in told if word not in hooks]
    assert other not in {stamped.event.device for stamped in seen(world, PhoneSaid)}
    assert {event.remote for event in events if event.what in ("dialling", "ringing")} == {other}
    assert len({event.sip_call for event in events if event.sip_call}) == (0 if name in NO_CALL_ID else 2)
    started = {event.what for event in events} & {"started", "registered"}
    assert started == {"poly/vvx": set(), "snom/d": {"started"}}.get(name, {"started", "registered"})


@pytest.fixture
def images(tmp_path) -> tuple[Image, ...]:
    """Two steps: the second goes onto no firmware older than the first."""
    found = []
    for version, needs in (("97.84.0.15", ""), ("97.86.0.15", "97.84.0.0")):
        path = tmp_path / f"t4-{version}.rom"
        path.write_bytes(version.encode() * 500)
        found.append(Image("yealink/t4x_t5x", version, path, (), needs))
    return tuple(found)


def rolled_out(images: tuple[Image, ...], **domain: str) -> tuple[World, list[tuple[str, int]]]:
    """A town whose network breaks off after every thousand octets of an image; and what is asked for, from where on."""
    wanted = {f"user:{YEALINK}": {"firmware.target": images[-1].version}, "domain": domain}
    world = town(every_family().replaced(settings=wanted))
    world.provisioner.office.images = images
    asked: list[tuple[str, int]] = []
    fetch = world.provisioner.fetch

    def broken_off(wanted: Fetch, *where: object) -> Fetched:
        answer = fetch(wanted, *where)
        if not wanted.name.endswith(".rom"):
            return answer
        begins = dict(wanted.headers).get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-")
        asked.append((wanted.name, int(begins)))
        return replace(answer, body=answer.body[:1000], cut=True) if len(answer.body) > 1000 else answer

    world.provisioner.fetch = broken_off
    return world, asked


def test_an_image_that_breaks_off_is_fetched_on_from_there_and_the_path_is_gone_step_by_step(images):
    world, asked = rolled_out(images)
    on(world, YEALINK)
    phone = world.phone(YEALINK)
    assert world.run(120.0, lambda: phone.box.firmware == "97.86.0.15")
    size = len(images[0].path.read_bytes())
    each = [*range(0, size, 1000)]
    assert asked == [(image.path.name, begins) for image in images for begins in each]
    assert world.run(30.0, lambda: registered(world, YEALINK))
    world.run(60.0)
    assert len(asked) == 2 * len(each), "it runs what it is told to"
    agents = [stamped.event.user_agent for stamped in seen(world, ConfigRequested)]
    assert [agent.split()[2] for agent in (agents[0], agents[-1])] == ["96.86.0.100", "97.86.0.15"]


def test_by_tftp_an_image_that_breaks_off_is_fetched_from_its_beginning(images):
    world, asked = rolled_out(images[:1], **{"provisioning.protocols": "tftp"})
    fetch, cut = world.provisioner.fetch, []

    def once(wanted: Fetch, *where: object) -> Fetched:
        answer = fetch(wanted, *where)
        if not wanted.name.endswith(".rom") or cut:
            return replace(answer, body=images[0].path.read_bytes(), cut=False) if answer.cut else answer
        cut.append(wanted.url)
        return answer

    world.provisioner.fetch = once
    on(world, YEALINK)
    phone = world.phone(YEALINK)
    assert world.run(120.0, lambda: phone.box.firmware == "97.84.0.15" and registered(world, YEALINK))
    assert cut == [f"tftp://{PROVISIONING_HOST}/{images[0].name}"]
    assert len(asked) == 2
    assert {stamped.event.protocol for stamped in seen(world, ConfigServed)} == {"tftp"}


def test_a_phone_restarts_with_its_new_firmware_when_nobody_talks(images):
    world, _ = rolled_out(images[:1])
    other = EXTENSION["grandstream/gxp"]
    world.provisioner.office.images = ()
    on(world, YEALINK, other)
    assert world.run(30.0, lambda: registered(world, YEALINK) and registered(world, other))
    devices = {device.id: device for device in LabBench(world).devices()}
    devices[other].do("dial", YEALINK)
    assert world.run(5.0, lambda: not devices[YEALINK].idle)
    devices[YEALINK].do("answer")
    world.provisioner.office.images = images[:1]
    world.provisioner.office.shelf.clear()
    world.command_switch(lambda switch, now: switch.resync(YEALINK, now))
    world.run(60.0)
    assert not devices[YEALINK].idle
    assert world.phone(YEALINK).box.firmware == "96.86.0.100"
    devices[YEALINK].do("hangup")
    assert world.run(30.0, lambda: world.phone(YEALINK).box.firmware == "97.84.0.15" and registered(world, YEALINK))


def test_an_image_that_is_gone_is_given_up_and_the_phone_goes_on_with_what_it_runs(images):
    world, asked = rolled_out(images)
    for image in images:
        image.path.unlink()
    world.provisioner.fetch = lambda wanted, *where, fetch=world.provisioner.fetch: (
        asked.append((wanted.name, 0)) or Fetched(404) if wanted.name.endswith(".rom") else fetch(wanted, *where)
    )
    on(world, YEALINK)
    assert world.run(30.0, lambda: registered(world, YEALINK))
    world.run(60.0)
    assert registered(world, YEALINK)
    assert len(asked) == MOST_TRIES


def test_what_dhcp_says_goes_before_a_makers_service():
    world = town(every_family())
    world.provisioner.desk.elsewhere[world.phone(POLY).box.mac] = "https://another.example/p"
    on(world, POLY)
    assert world.run(20.0, lambda: registered(world, POLY))
    assert seen(world, DiscoveryAnswered) == []


def test_credentials_are_rotated_while_phones_hold_the_old_ones():
    world = town(every_family())
    on(world, YEALINK, POLY)
    assert world.run(20.0, lambda: registered(world, POLY) and registered(world, YEALINK))
    world.run(300.0)
    before = {e: world.line(e).account.password for e in (YEALINK, POLY)}
    count = iter(range(100))
    directory = world.directory
    for extension in (YEALINK, POLY):
        mac = world.phone(extension).box.mac
        until = world.now.wall + timedelta(hours=1)
        directory = rotated(directory, shipped_families(), mac, lambda n: f"{next(count):0{n}x}", until)
    world.apply(directory)
    world.run(400.0)
    assert registered(world, POLY), "the old password still counts at a refresh"
    for extension in (YEALINK, POLY):
        world.command_switch(lambda switch, now, device=extension: switch.resync(device, now))
    world.run(5.0)
    after = {e: world.line(e).account.password for e in (YEALINK, POLY)}
    assert all(before[e] != after[e] for e in before)
    world.run(7200.0)
    assert registered(world, POLY)
    assert registered(world, YEALINK)


@pytest.mark.parametrize("challenge", ['Basic realm="p"', 'Digest realm="p", nonce="n", qop="auth", algorithm=MD5'])
def test_a_401_is_answered_with_the_login_twice_at_most(challenge):
    family = FAMILIES["cisco/spa"]
    fresh = boxed(family, "SPA504G", "000e08000001", typed_url="http://10.0.0.2/p")
    box = replace(fresh, login=("ana", "secret"))
    boot = Boot(family, box, {}, BootPace(0, 0, 0), 0.0)
    for at in range(1, 5):
        boot.tick(at / 1000)
    proofs = []
    for _ in range(3):
        number, wanted = boot.take_fetch()
        proofs.append(dict(wanted.headers).get("Authorization", ""))
        first = wanted.url
        boot.fetched(number, Fetched(401, challenge=challenge), 1.0)
    kind = challenge.partition(" ")[0]
    assert [proof.partition(" ")[0] for proof in proofs] == ["", kind, kind]
    following = boot.take_fetch()
    assert following is None or following[1].url != first, "it gives this file up"


def test_a_401_without_a_login_is_told_on_the_screen():
    world = town(every_family())
    world.provisioner.fetch = lambda *asked: Fetched(401, challenge='Basic realm="p"')
    on(world, POLY)
    assert world.run(20.0, lambda: world.phone(POLY).error == "Config 401")


def test_a_phone_sends_the_log_of_its_boot_back_where_that_is_allowed():
    domain = every_family().replaced(settings={"domain": {"provisioning.uploads": True}})
    world = town(domain, pace=BootPace(sends_back=True))
    on(world, POLY, YEALINK)
    assert world.run(20.0, lambda: registered(world, POLY) and registered(world, YEALINK))
    world.run(1.0)
    mac = world.phone(POLY).box.mac
    assert {name for _, name in world.provisioner.uploads} == {f"{mac}-boot.log", f"{mac}-app.log"}
    assert b"config    ok" in world.provisioner.uploads[mac, f"{mac}-boot.log"]


@pytest.mark.parametrize(("name", "words"), [("grandstream/gxp", "check-sync"), ("cisco/spa", "resync")])
def test_a_phone_that_challenges_a_resync_is_proved_to_and_its_answer_is_told(name, words):
    world, extension = town(every_family()), EXTENSION[name]
    phone = world.phone(extension)
    phone.box = replace(phone.box, challenges_notify=True)
    on(world, extension)
    assert world.run(20.0, lambda: registered(world, extension))
    world.command_switch(lambda switch, now: switch.resync(extension, now, event=words))
    assert world.run(5.0, lambda: phone.boots == 2)
    assert [stamped.event.status for stamped in seen(world, ResyncAnswered)] == [200]


def test_a_phone_that_takes_no_proof_or_says_nothing_is_told_as_that():
    world, extension = town(every_family()), EXTENSION["grandstream/gxp"]
    phone = world.phone(extension)
    phone.box = replace(phone.box, challenges_notify=True)
    on(world, extension)
    assert world.run(20.0, lambda: registered(world, extension))
    changed = world.directory.devices_by_id[extension].with_credentials("another", "0" * 32)
    devices = tuple(changed if device.id == extension else device for device in world.directory.devices)
    world.apply(world.directory.replaced(devices=devices))
    world.command_switch(lambda switch, now: switch.resync(extension, now))
    world.run(5.0)
    world.power(False, [phone])
    world.command_switch(lambda switch, now: switch.resync(extension, now))
    world.run(40.0)
    assert [stamped.event.status for stamped in seen(world, ResyncAnswered)] == [401, 408]
    assert phone.boots == 1


def test_a_plan_says_a_value_for_once_and_the_next_fetch_has_the_phones_own_again():
    world = town(every_family())
    on(world, POLY)
    assert world.run(20.0, lambda: registered(world, POLY))
    bench, own = LabBench(world), world.line(POLY).account.label
    bench.pbx("once", {"device": POLY, "setting": "lines.1.label", "value": "Drill"})
    bench.pbx("resync", {"device": POLY})
    assert world.run(20.0, lambda: world.line(POLY).account.label == "Drill" and registered(world, POLY))
    world.run(20.0)
    bench.pbx("resync", {"device": POLY})
    assert world.run(20.0, lambda: world.line(POLY).account.label == own and registered(world, POLY))
    with pytest.raises(CannotDo, match="lable nowhere"):
        bench.pbx("once", {"device": POLY, "setting": "lines.1.lable", "value": "x"})
