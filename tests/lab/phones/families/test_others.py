"""Grandstream, Linphone and the lab's own JSON."""

from __future__ import annotations

import json

import pytest

from lab.phones.discovery import find_server
from lab.phones.families import FAMILIES
from lab.phones.families.grandstream import FAMILY as GRANDSTREAM
from lab.phones.families.json import FAMILY as JSON
from lab.phones.families.linphone import FAMILY as LINPHONE
from lab.phones.family import BootFailed, Fetched, Resync, boxed
from tests.lab.phones.families.shelf import names, serve

ATA = boxed(GRANDSTREAM, "HT802", "EC-74-D7-00-01-02")
TWO_PORTS = """<?xml version="1.0"?><gs_provision version="1"><mac>ec74d7000102</mac><config version="1">
<P271>1</P271><P47>acme.lab</P47><P48>10.0.0.1:5160</P48><P35>111</P35><P36>111</P36><P34>one</P34><P3>Lobby</P3>
<P32>2</P32><P99>1</P99><P33>5001</P33>
<P401>1</P401><P747>10.0.0.1:5170</P747><P735>112</P735><P734>two</P734><P830>1</P830></config></gs_provision>"""

SOFT = boxed(LINPHONE, "Desktop", "", typed_url="http://10.0.0.2/p/abc/107.xml")
LPCONFIG = """<?xml version="1.0"?><config xmlns="http://www.linphone.org/xsds/lpconfig.xsd">
<section name="proxy_0"><entry name="reg_identity" overwrite="true">"Gus Roy" &lt;sip:107@acme.lab&gt;</entry>
<entry name="reg_proxy">&lt;sip:10.0.0.1:5160;transport=tcp&gt;</entry><entry name="reg_expires">600</entry>
<entry name="mwi_server_uri">sip:107@acme.lab</entry></section>
<section name="auth_info_0"><entry name="username">107</entry><entry name="passwd">pw</entry>
<entry name="domain">acme.lab</entry></section>
<section name="auth_info_1"><entry name="username">107</entry><entry name="passwd">no</entry>
<entry name="domain">other.lab</entry></section></config>"""

PLAIN = boxed(JSON, "pyVoIP", "02:00:00:00:01:09")


def test_an_adapter_reads_both_ports_from_one_file():
    config, asked = serve(GRANDSTREAM.boot(ATA, "tftp://10.0.0.2:6969"), {"cfgec74d7000102.xml": TWO_PORTS})
    assert asked == ["tftp://10.0.0.2:6969/cfgec74d7000102", "tftp://10.0.0.2:6969/cfgec74d7000102.xml"]
    one, two = config.accounts
    assert (one.port, one.user, one.password, one.domain) == (1, "111", "one", "acme.lab")
    assert (one.server_host, one.server_port, one.expires_s, one.subscribe_mwi) == ("10.0.0.1", 5160, 120, True)
    assert (two.port, two.user, two.auth_user, two.server_port, two.transport) == (2, "112", "112", 5170, "tcp")


def test_an_adapter_falls_back_to_the_models_and_the_common_file():
    _, asked = serve(GRANDSTREAM.boot(ATA, "http://h"), {"cfg.xml": TWO_PORTS})
    assert names(asked) == ["cfgec74d7000102", "cfgec74d7000102.xml", "cfght802.xml", "cfg.xml"]
    fetch = next(GRANDSTREAM.boot(ATA, "http://h"))
    assert fetch.user_agent == "Grandstream Model HW HT802 V1.0A SW 1.0.5.4 DevId ec74d7000102"


@pytest.mark.parametrize(
    "body",
    [
        "no xml",
        "<html/>",
        "<gs_provision/>",
        TWO_PORTS.replace("ec74d7000102", "ec74d7000199"),
        TWO_PORTS.replace("<P47>acme.lab</P47>", ""),
    ],
)
def test_an_adapter_refuses_garbage_and_files_of_another_device(body):
    with pytest.raises(BootFailed, match="Config bad"):
        serve(GRANDSTREAM.boot(ATA, "http://h"), {"cfgec74d7000102.xml": body})


def test_an_adapter_that_finds_nothing_says_so():
    with pytest.raises(BootFailed, match="Config 404"):
        serve(GRANDSTREAM.boot(ATA, "http://h"), {})
    assert GRANDSTREAM.resync("resync") is Resync.RELOAD


def test_linphone_reads_the_remote_configuration_at_the_url_it_was_given():
    config, asked = serve(LINPHONE.boot(SOFT, SOFT.typed_url), {"107.xml": LPCONFIG})
    assert asked == ["http://10.0.0.2/p/abc/107.xml"]
    (account,) = config.accounts
    assert (account.user, account.password, account.label, account.domain) == ("107", "pw", "107 Gus Roy", "acme.lab")
    assert (account.server_host, account.server_port, account.transport) == ("10.0.0.1", 5160, "tcp")
    assert (account.expires_s, account.subscribe_mwi, account.voicemail) == (600, True, "107")
    assert next(LINPHONE.boot(SOFT, SOFT.typed_url)).headers == (("X-Linphone-Provisioning", "1"),)
    assert LINPHONE.resync("check-sync") is Resync.NOTHING


@pytest.mark.parametrize("body", ["no", "<config/>", LPCONFIG.replace('"Gus Roy" &lt;sip:107@acme.lab&gt;', "nobody")])
def test_linphone_refuses_garbage(body):
    with pytest.raises(BootFailed, match="Config bad"):
        serve(LINPHONE.boot(SOFT, SOFT.typed_url), {"107.xml": body})


def test_linphone_fails_when_the_url_gives_nothing():
    with pytest.raises(BootFailed, match="Config 404"):
        serve(LINPHONE.boot(SOFT, SOFT.typed_url), {})


@pytest.mark.parametrize("body", ["no", "[]", "{}", json.dumps({"lines": [{"user": "109"}]})])
def test_the_json_phone_refuses_garbage(body):
    with pytest.raises(BootFailed, match="Config bad"):
        serve(JSON.boot(PLAIN, "http://h"), {"020000000109.json": body})


def test_the_json_phone_fails_when_nothing_is_served():
    with pytest.raises(BootFailed, match="Config 404"):
        serve(JSON.boot(PLAIN, "http://h"), {})


def discover(*told, **how):
    """Where a phone finds its server when the network and the makers' services are silent."""
    script = find_server(*told, **how)
    try:
        next(script)
        while True:
            script.send(Fetched(0))
    except StopIteration as done:
        return done.value


def test_discovery_takes_the_options_in_the_familys_own_order():
    yealink, poly = FAMILIES["yealink/t4x_t5x"], FAMILIES["poly/vvx"]
    box = boxed(yealink, "T54W", "805ec0123456")
    dhcp = {66: "10.0.0.2", 160: " http://a ", 161: "http://b"}
    assert discover(yealink, box, dhcp) == "http://a"
    assert discover(poly, box, {66: "10.0.0.2"}) == "tftp://10.0.0.2"
    assert discover(LINPHONE, SOFT, dhcp) == SOFT.typed_url
    with pytest.raises(BootFailed, match="No server"):
        discover(yealink, box, {150: "http://c"})


def test_dhcp_goes_before_what_the_flash_keeps_unless_that_is_switched_off():
    yealink = FAMILIES["yealink/t4x_t5x"]
    box = boxed(yealink, "T54W", "805ec0123456")
    assert discover(yealink, box, {66: "10.0.0.2"}, "http://kept") == "tftp://10.0.0.2"
    assert discover(yealink, box, {66: "10.0.0.2"}, "http://kept", asks_dhcp=False) == "http://kept"
    assert discover(yealink, box, {}, "http://kept") == "http://kept"
    assert discover(yealink, box, {66: "10.0.0.2"}, "", asks_dhcp=False) == "tftp://10.0.0.2"
