"""`/api/v1/mailboxes` over a lab on real sockets: sound, folders, sending on, deleting, unlocking, refusals."""

from __future__ import annotations

import json

import aiohttp
import pytest
import pytest_asyncio

from lab.lab_settings import LabSettings
from lab.office import Office
from lab.seeds.load import load_seed
from pbx.callflow.ports import BoxSaved, MessageSaved
from pbx.domain.history import Message
from pbx.domain.kept import BoxState
from pbx.events import VoicemailDeleted, VoicemailForwarded, VoicemailLeft, VoicemailRestored
from pbx.media.wav import write_wav

pytestmark = [pytest.mark.realtime, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office():
    async with Office(load_seed(), LabSettings(phones=False)) as made:
        yield made


async def ask(office, method, path="", **sent):
    url = f"{office.console_url}/api/v1/mailboxes{path}"
    async with aiohttp.ClientSession() as session, session.request(method, url, **sent) as answer:
        return answer.status, (await answer.json()) if "json" in answer.content_type else await answer.read()


def left(office, name: str, box: str = "101", folder: str = "new") -> Message:
    """Put a message of two seconds into a mailbox."""
    message = Message(name, box, folder, f"sound-of-{name}", 2.0, "14165550142", "signature:x", 1.0)
    write_wav(office.lab.recordings / f"sound-of-{name}.wav", b"\xff" * 16_000)
    office.lab.command_switch(lambda switch, now: switch.history.submit(MessageSaved(message)))
    return message


async def folders(office, box: str = "101") -> dict[str, int]:
    _, told = await ask(office, "GET", f"/{box}")
    return {folder: told[folder] for folder in ("new", "saved", "trash") if told[folder]}


async def test_a_message_is_listed_heard_moved_and_deleted(office):
    left(office, "one")
    _, told = await ask(office, "GET", "/101?folder=new")
    assert [message["id"] for message in told["messages"]] == ["one"]
    status, octets = await ask(office, "GET", "/101/one/sound")
    assert (status, octets[:4]) == (200, b"RIFF")
    assert (await ask(office, "PUT", "/101/one", json={"folder": "saved"}))[0] == 200
    assert await folders(office) == {"saved": 1}
    assert (await ask(office, "DELETE", "/101/one"))[0] == 204
    assert (await ask(office, "DELETE", "/101/one"))[0] == 404
    assert await folders(office) == {}


async def test_into_the_trash_and_out_of_it_is_told_as_by_telephone(office):
    left(office, "two")
    seen = []
    end = office.lab.bus.subscribe(lambda it: seen.append(type(it.event)), [VoicemailDeleted, VoicemailRestored])
    for folder in ("trash", "new"):
        assert (await ask(office, "PUT", "/101/two", json={"folder": folder}))[1]["folder"] == folder
    end()
    assert seen == [VoicemailDeleted, VoicemailRestored]
    await ask(office, "DELETE", "/101/two")


async def test_a_message_is_sent_on_into_another_mailbox(office):
    left(office, "three")
    seen = []
    end = office.lab.bus.subscribe(lambda it: seen.append(it.event), [VoicemailForwarded, VoicemailLeft])
    status, told = await ask(office, "POST", "/101/three/forward", json={"to": "102"})
    end()
    assert (status, told) == (201, {"to": "102"})
    assert {(type(event), event.box) for event in seen} >= {(VoicemailForwarded, "101")}
    _, boxed = await ask(office, "GET", "/102")
    assert [(message["forwarded_by"], message["recording"]) for message in boxed["messages"]] == [
        ("101", "sound-of-three")
    ]
    for path in ("/101/three", f"/102/{boxed['messages'][0]['id']}"):
        assert (await ask(office, "DELETE", path))[0] == 204


async def test_a_locked_mailbox_is_unlocked(office):
    later = office.lab.now.wall.timestamp() + 600
    office.lab.command_switch(
        lambda switch, now: switch.history.submit(BoxSaved(BoxState("103", failures=2, locked_until=later)))
    )
    _, boxes = await ask(office, "GET")
    assert [told["box"] for told in boxes if told["locked"]] == ["103"]
    assert (await ask(office, "DELETE", "/103/lock"))[0] == 204
    assert (await ask(office, "GET", "/103"))[1]["locked"] is False


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "named"),
    [
        ("GET", "/999", {}, 404, "no such mailbox"),
        ("GET", "/112", {}, 404, "no such mailbox"),
        ("GET", "/101?folder=attic", {}, 400, "attic"),
        ("PUT", "/101/four", {"json": {"folder": "attic"}}, 400, "attic"),
        ("PUT", "/101/four", {"data": b"\xff{"}, 400, "no folder"),
        ("PUT", "/101/four", {"json": [1]}, 400, "no folder"),
        ("PUT", "/101/none", {"json": {"folder": "saved"}}, 404, "no message"),
        ("POST", "/101/four/forward", {"json": {"to": "999"}}, 400, "not sent on"),
        ("POST", "/101/four/forward", {"json": {"to": "101"}}, 400, "not sent on"),
        ("POST", "/101/none/forward", {"json": {"to": "102"}}, 404, "no message"),
        ("GET", "/101/none/sound", {}, 404, "no message"),
        ("DELETE", "/999/lock", {}, 404, "no such mailbox"),
    ],
)
async def test_what_cannot_be_done_is_refused_in_four_parts(office, method, path, sent, status, named):
    left(office, "four")
    answer, told = await ask(office, method, path, **sent)
    assert answer == status
    if named:
        assert named in told["error"]["happened"]
        assert {"happened", "why", "remedy", "reference"} <= told["error"].keys()


async def test_a_sound_that_is_gone_from_disk_is_410(office):
    left(office, "five")
    (office.lab.recordings / "sound-of-five.wav").unlink()
    assert (await ask(office, "GET", "/101/five/sound"))[0] == 410


async def test_hot_desks_are_listed_with_who_is_there_and_freed(office):
    lab = office.lab
    devices = tuple(d.model_copy(update={"hot_desk": d.id == "103"}) for d in lab.directory.devices)
    lab.apply(lab.directory.replaced(devices=devices))
    lab.command_switch(lambda switch, now: switch.settings_of_users.take_desk("103", "101"))

    async def desks(method: str = "GET", path: str = "") -> tuple[int, bytes]:
        async with (
            aiohttp.ClientSession(office.console_url) as session,
            session.request(method, f"/api/v1/hot-desks{path}") as answer,
        ):
            return answer.status, await answer.read()

    assert json.loads((await desks())[1]) == [{"device": "103", "extension": "103", "guest": "101"}]
    assert (await desks("DELETE", "/103/guest"))[0] == 204
    assert [(await desks("DELETE", f"/{device}/guest"))[0] for device in ("103", "101", "x")] == [409, 404, 404]
    assert lab.directory.devices_by_id["103"].extension == "103"
