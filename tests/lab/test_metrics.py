"""What `GET /metrics` says after what has happened, in a form Prometheus reads."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import aiohttp
import pytest

from lab.bench import LabBench
from lab.exposition import MOST_SETS, Histogram, Metric, text
from lab.lab_settings import LabSettings
from lab.metrics import LAG_EVERY_S, Metrics
from lab.office import Office
from lab.phones.boot import BootPace
from lab.seeds.load import load_seed
from lab.service import Lab
from pbx import events as e

AT = LabSettings(pyvoip=False, pace=BootPace(0.02, 0.02, 0.02))
_VALUE = r'"(?:[^"\\\n]|\\["\\n])*"'
LINE = re.compile(rf"[a-z_]+(?:\{{[a-z]+={_VALUE}(?:,[a-z]+={_VALUE})*\}})? (?:[0-9.e+-]+|\+Inf)")


def read(document: str) -> dict[str, float]:
    """Return the samples by name and labels; every line must be one Prometheus takes."""
    samples = [line for line in document.splitlines() if not line.startswith("# ")]
    assert [line for line in samples if not LINE.fullmatch(line)] == []
    return {name: float(number) for name, _, number in (line.rpartition(" ") for line in samples)}


def counted(*happened: e.Event) -> dict[str, float]:
    """What is counted of events: of a lab that is not running."""
    lab = Lab(load_seed())
    metrics = Metrics(lab)
    for event in happened:
        lab.publish(event)
    return {name: number for name, number in read(text(metrics.all())).items() if number}


PHONE = ("101", "101", "sip:101@10.0.0.5")
HERE = "udp:10.0.0.5:5060"
SERVED = e.ConfigServed("tftp", "/x", "x", "", "", "f", "x", "device", "", 1, True, "")
REFUSED = e.ConfigRefused("http", "/x", "x", "", "", "wrong token", 404)
RECORD = e.CallRecordWritten("c-1", "101", "102", "101", "102", "ANSWERED", 3.0, 16, "internal")
REPORT = e.MediaReport("c-1", "a", "101", "PCMU", 98, 100, 2, 3.0, 4.3, 2.0)
COUNTED = [
    (e.DeviceRegistered(*PHONE, HERE, 60, "x"), 'registrations_total{outcome="added"}'),
    (e.DeviceRefreshed(*PHONE, HERE, 60, "x"), 'registrations_total{outcome="refreshed"}'),
    (e.DeviceUnregistered(*PHONE), 'registrations_total{outcome="removed"}'),
    (e.RegistrationExpired(*PHONE), 'registrations_total{outcome="expired"}'),
    (e.RegistrationRefused("101", HERE, 403, "no"), 'registrations_total{outcome="refused"}'),
    (e.GuessingSlowed("user", "101", HERE), 'guessing_slowed_total{by="user"}'),
    (e.SipRequest("in", "INVITE", "x", "1", "", b""), 'sip_requests_total{direction="in",method="INVITE"}'),
    (e.SipRequest("in", "HACK", "x", "1", "", b""), 'sip_requests_total{direction="in",method="other"}'),
    (e.SipResponse("out", "INVITE", 486, "x", "1", "", b""), 'sip_responses_total{direction="out",class="4xx"}'),
    (e.InputIgnored("sip", "x", "bad Via", 400), 'input_ignored_total{protocol="sip",status="400"}'),
    (e.InputIgnored("rtp", "x", "stranger", 0), 'input_ignored_total{protocol="rtp",status="none"}'),
    (RECORD, 'calls_total{disposition="ANSWERED",direction="internal"}'),
    (SERVED, 'provisioning_served_total{protocol="tftp",kind="device"}'),
    (REFUSED, 'provisioning_refused_total{protocol="http",reason="wrong token"}'),
    (replace(REFUSED, reason="no model 7"), 'provisioning_refused_total{protocol="http",reason="other"}'),
    (e.MediaOneWay("c-1", "101", "102", "nothing", ""), "one_way_audio_total"),
    (e.TlsRefused("tls:x", "a", "b", "c", "d"), "tls_refused_total"),
    (e.ServerFault("media", "", "gone"), 'faults_total{where="media"}'),
]


@pytest.mark.parametrize(("event", "sample"), COUNTED, ids=[sample for _, sample in COUNTED])
def test_an_event_is_counted_once_under_its_name(event, sample):
    assert counted(event) == {f"switchroom_{sample}": 1}


def test_a_stream_tells_its_loss_jitter_and_mos_and_one_of_which_nothing_came_only_that_it_was():
    seen = counted(REPORT, replace(REPORT, received=0, lost=0))
    assert seen['switchroom_media_streams_total{codec="PCMU"}'] == 2
    assert seen["switchroom_media_loss_ratio_sum"] == 0.02
    assert 'switchroom_media_loss_ratio_bucket{le="0.01"}' not in seen
    assert seen['switchroom_media_loss_ratio_bucket{le="0.02"}'] == 1
    assert seen['switchroom_media_jitter_seconds_bucket{le="0.005"}'] == 1
    assert 'switchroom_media_mos_bucket{le="4.2"}' not in seen
    assert seen['switchroom_media_mos_bucket{le="4.4"}'] == seen["switchroom_media_mos_count"] == 1


def test_whatever_strangers_send_the_document_stays_small_and_can_be_read():
    metric = Metric("counter", "odd", "Odd.", ["said"])
    for number in range(1000):
        metric.add(f'"\n\\{number}\udcff')
    seen = read(text([metric]))
    assert len(seen) == MOST_SETS + 1
    assert seen['odd{said="other"}'] == 1000 - MOST_SETS


def test_a_histogram_counts_what_is_at_most_each_bound():
    histogram = Histogram("wait_seconds", "Waits.", (0.1, 1))
    for seconds in (0.1, 0.5, 7):
        histogram.observe(seconds)
    assert text([histogram]) == (
        "# HELP wait_seconds Waits.\n# TYPE wait_seconds histogram\n"
        'wait_seconds_bucket{le="0.1"} 1\nwait_seconds_bucket{le="1"} 2\nwait_seconds_bucket{le="+Inf"} 3\n'
        "wait_seconds_sum 7.6\nwait_seconds_count 3\n"
    )


@pytest.mark.realtime
async def test_a_running_office_is_measured():
    async with Office(load_seed(), AT) as office:
        lab = office.lab
        assert await lab.boot_phones(30)
        device = {item.id: item for item in LabBench(lab).devices()}
        device["101"].do("dial", "102")
        assert await lab.until(lambda: not device["102"].idle, 10)
        device["102"].do("answer")
        assert await lab.until(lambda: any(h.sound == "signature:102" for h in device["101"].heard()), 10)
        during = await scraped(office)
        device["101"].do("hangup")
        call = next(iter(office.source.book.entries()))
        assert await lab.until(lambda: call.disposition == "ANSWERED" and not any(lab.switch.live().values()), 40)
        unmeasured = "switchroom_loop_lag_seconds_count 0"
        assert await lab.until(lambda: unmeasured not in office.metrics.lag.samples(), 10)  # twice a second
        after = await scraped(office)
        served = [s.event for s in lab.bus.since(0) if isinstance(s.event, e.ConfigServed)]
        lab.restart_switch()
        away = await scraped(office)
        assert await lab.until(lambda: lab.alive, 10)
    assert during['switchroom_live{what="calls"}'] == 1
    assert during['switchroom_live{what="legs"}'] == 2
    assert during["switchroom_registered_devices"] == 12
    assert {number for name, number in after.items() if name.startswith("switchroom_live")} == {0}
    assert after['switchroom_calls_total{disposition="ANSWERED",direction="internal"}'] == 1
    assert after["switchroom_media_mos_count"] == 2
    assert after['switchroom_registrations_total{outcome="added"}'] == 12
    of_devices = [one for one in served if (one.protocol, one.file_kind) == ("http", "device")]
    assert after['switchroom_provisioning_served_total{protocol="http",kind="device"}'] == len(of_devices) > 0
    assert after["switchroom_loop_lag_seconds_count"] >= 1
    assert away["switchroom_registered_devices"] == 0


async def scraped(office: Office) -> dict[str, float]:
    async with aiohttp.ClientSession(office.console_url) as session, session.get("/metrics") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return read(await answer.text())


async def test_the_loop_is_measured_until_the_end():
    metrics = Metrics(Lab(load_seed()))
    metrics.start()
    later = asyncio.Event()
    asyncio.get_running_loop().call_later(LAG_EVERY_S + 0.05, later.set)
    await later.wait()
    metrics.close()
    assert read(text([metrics.lag]))["switchroom_loop_lag_seconds_count"] == 1
