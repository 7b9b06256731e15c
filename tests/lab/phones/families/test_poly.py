from __future__ import annotations

import pytest

from lab.phones.families.poly import FAMILY
from lab.phones.family import BootFailed, Resync, boxed
from tests.lab.phones.families.shelf import names, serve

BOX = boxed(FAMILY, "VVX450", "64167f000102")
URL = "http://10.0.0.2/p/abc/"
MASTER = """<?xml version="1.0" standalone="yes"?>
<APPLICATION APP_FILE_PATH="sip.ld"
 CONFIG_FILES="site-[PHONE_MODEL].cfg, [PHONE_MAC_ADDRESS]-reg.cfg" MISC_FILES=""/>"""
REG = """<?xml version="1.0"?><polycomConfig><reg reg.1.address="102" reg.1.auth.userId="102"
 reg.1.auth.password="a&lt;b"
 reg.1.label="Bob" reg.1.displayName="Bob &quot;the&quot; Roy" reg.1.server.1.address="acme.lab" reg.1.server.1.port="0"
 reg.1.server.1.transport="TCPOnly" reg.1.server.1.expires="300" reg.2.address=""/>
 <msg msg.mwi.1.subscribe="102" msg.mwi.1.callBack="5001" msg.mwi.1.callBackMode="contact"/></polycomConfig>"""
PROXY = """<x reg.1.outboundProxy.address="10.0.0.1" \
reg.1.outboundProxy.port="5160" reg.1.outboundProxy.transport="UDPOnly"/>"""
SHELF = {"64167f000102.cfg": MASTER, "site-VVX450.cfg": "<a b.c='1'/>", "64167f000102-reg.cfg": REG}


def test_the_master_file_is_a_list_whose_macros_the_phone_expands():
    config, asked = serve(FAMILY.boot(BOX, URL), SHELF)
    assert names(asked) == [
        "64167f000102.cfg",
        "3111-48840-001.sip.ld",
        "sip.ld",
        "64167f000102-license.cfg",
        "000000000000-license.cfg",
        "site-VVX450.cfg",
        "64167f000102-reg.cfg",
        "64167f000102-phone.cfg",
        "64167f000102-web.cfg",
        "64167f000102-directory.xml",
        "000000000000-directory.xml",
    ]
    (account,) = config.accounts
    assert (account.user, account.password, account.display_name) == ("102", "a<b", 'Bob "the" Roy')
    assert (account.server_host, account.server_port, account.transport) == ("acme.lab", 5060, "tcp")
    assert (account.expires_s, account.voicemail, account.subscribe_mwi) == (300, "5001", True)
    assert config.values["b.c"] == "1"


def test_a_master_file_without_firmware_makes_it_ask_for_none_and_its_own_licence_is_enough():
    shelf = {**SHELF, "64167f000102.cfg": MASTER.replace("sip.ld", ""), "64167f000102-license.cfg": "<l/>"}
    _, asked = serve(FAMILY.boot(BOX, URL), shelf)
    assert names(asked)[:3] == ["64167f000102.cfg", "64167f000102-license.cfg", "site-VVX450.cfg"]


def test_the_common_master_file_serves_when_the_own_is_missing():
    shelf = {**SHELF, "000000000000.cfg": MASTER}
    del shelf["64167f000102.cfg"]
    config, asked = serve(FAMILY.boot(BOX, URL), shelf)
    assert names(asked)[:2] == ["64167f000102.cfg", "000000000000.cfg"]
    assert config.accounts[0].user == "102"


def test_a_url_that_ends_in_a_file_is_asked_for_first():
    _, asked = serve(FAMILY.boot(BOX, "http://10.0.0.2/p/abc/vvx.cfg"), {**SHELF, "vvx.cfg": MASTER})
    assert asked[0] == "http://10.0.0.2/p/abc/vvx.cfg"
    assert "http://10.0.0.2/p/abc/site-VVX450.cfg" in asked
    assert "64167f000102.cfg" not in names(asked)


def test_changes_made_on_the_phone_and_the_outbound_proxy_win():
    config, _ = serve(FAMILY.boot(BOX, URL), {**SHELF, "64167f000102-phone.cfg": PROXY})
    (account,) = config.accounts
    assert (account.domain, account.server_host, account.server_port) == ("acme.lab", "10.0.0.1", 5160)
    assert account.transport == "udp"


@pytest.mark.parametrize(
    ("device", "url", "asks_dhcp"),
    [
        ('device.set="1" device.prov.serverName.set="1" device.prov.serverName="http://h/p"', "http://h/p", True),
        ('device.set="1" device.prov.serverName="http://h/p"', "", True),
        ('device.prov.serverName.set="1" device.prov.serverName="http://h/p"', "", True),
        (
            'device.set="1" device.prov.serverName.set="1" device.prov.serverName="h/p" '
            'device.prov.serverType.set="1" device.prov.serverType="HTTPS" '
            'device.dhcp.bootSrvUseOpt.set="1" device.dhcp.bootSrvUseOpt="Static"',
            "https://h/p",
            False,
        ),
        ('device.set="1" device.prov.serverName.set="1" device.prov.serverName="h"', "ftp://h", True),
        ('device.set="1" device.dhcp.bootSrvUseOpt="Static"', "", True),
    ],
)
def test_a_setting_of_the_device_counts_only_when_it_is_set(device, url, asks_dhcp):
    shelf = {**SHELF, "site-VVX450.cfg": f"<a {device}/>"}
    config, _ = serve(FAMILY.boot(BOX, URL), shelf)
    assert (config.server_url, config.asks_dhcp) == (url, asks_dhcp)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("64167f000102.cfg", "<APPLICATION/>"),
        ("64167f000102.cfg", "not xml"),
        ("64167f000102-reg.cfg", "<a><b></a>"),
        ("64167f000102-reg.cfg", '<x reg.1.address="102"/>'),
        ("site-VVX450.cfg", '<!DOCTYPE a [<!ENTITY b "c">]><a b="&b;"/>'),
    ],
)
def test_garbage_stops_the_boot_visibly(name, body):
    with pytest.raises(BootFailed, match="Config bad"):
        serve(FAMILY.boot(BOX, URL), {**SHELF, name: body})


def test_a_listed_file_that_is_missing_stops_the_boot():
    with pytest.raises(BootFailed, match="Config 404"):
        serve(FAMILY.boot(BOX, URL), {"64167f000102.cfg": MASTER})
    with pytest.raises(BootFailed, match="Config 404"):
        serve(FAMILY.boot(BOX, URL), {})


def test_it_names_itself_as_the_vendor_does_and_reloads_on_check_sync():
    fetch = next(FAMILY.boot(BOX, URL))
    assert fetch.user_agent == "FileTransport PolycomVVX-VVX_450-UA/6.4.3.1019 Type/Application"
    assert FAMILY.user_agent(BOX) == "PolycomVVX-VVX_450-UA/6.4.3.1019"
    assert FAMILY.resync("check-sync") is Resync.RELOAD
