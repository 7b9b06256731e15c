"""The things of a directory know whose they are."""

import pytest

from lab.seeds.load import load_seed
from pbx.access import may
from pbx.domain.directory import Directory
from pbx.domain.history import CallRecord
from pbx.ownership import (
    actor_of,
    agent_thing,
    device_thing,
    frame_thing,
    hardware_thing,
    queue_thing,
    record_thing,
    user_by_login,
    user_thing,
)  # fmt: skip


@pytest.fixture(scope="module")
def acme() -> Directory:
    office = load_seed().directory
    queues = tuple(one.model_copy(update={"supervisors": ("103",)}) if one is office.queues[0] else one
                   for one in office.queues)  # fmt: skip
    return office.replaced(queues=queues)


def record(device: str, path: str, answered_by: str = "") -> CallRecord:
    return CallRecord(
        "c-1", "101", "Ana", device, "102", answered_by, "ANSWERED", "internal", 1.0, 2.0, 3.0, 1.0, 16, path
    )


def test_a_supervisor_has_the_queues_that_name_the_supervisor(acme):
    chloe = actor_of(acme, acme.users_by_extension["103"])
    given = acme.queues[0]
    assert chloe.queues == {given.extension}
    assert may(chloe, "edit", queue_thing(acme, given))
    assert may(chloe, "edit", agent_thing(acme, given, given.agents[0]))
    others = [queue for queue in acme.queues if queue is not given]
    assert others
    assert not any(may(chloe, "view", queue_thing(acme, queue)) for queue in others)


def test_a_supervisor_who_is_no_user_is_told(acme):
    queue = acme.queues[0].model_copy(update={"supervisors": ("999",)})
    with pytest.raises(ValueError, match="supervisor 999 is no user"):
        acme.replaced(queues=(queue, *acme.queues[1:]))


def test_a_call_is_of_everybody_on_its_way_and_of_its_queues(acme):
    what = record_thing(acme, record("101", "attendant:400/main > queue:500 > user:106", "104"))
    assert what.owners == {"101", "104", "106"}
    assert what.queues == {"500"}
    assert {"Toronto", "Laval"} == what.sites
    assert record_thing(acme, record("", "external:14165550199")).owners == frozenset()


def test_devices_boxes_and_frames_are_of_their_user(acme):
    device = next(device for device in acme.devices if device.mac)
    assert device_thing(acme, device.id).owners == {device.extension}
    assert device.extension in hardware_thing(acme, device.mac).owners
    assert hardware_thing(acme, "000000000000").owners == frozenset()
    shared = next(frame for frame in acme.time_frames if not frame.owner)
    assert frame_thing(acme, shared).kind == "shared time frame"
    assert user_thing(acme, "101", "profile").owner_scope == acme.users_by_extension["101"].scope


def test_a_login_is_found_in_any_case_by_its_name_or_by_extension_and_domain(acme):
    assert user_by_login(acme, "101@ACME.lab") is acme.users_by_extension["101"]
    assert user_by_login(acme, "999@acme.lab") is None
