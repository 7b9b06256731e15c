from __future__ import annotations

import pytest

from lab.phones.families.yealink import FAMILY, read_config
from lab.phones.family import BootFailed, Resync, boxed
from tests.lab.phones.families.shelf import names, serve

BOX = boxed(FAMILY, "T54W", "80:5e:c0:12:34:56")
URL = "http://10.0.0.2/p/abc"
OWN = """#!version:1.0.0.1
account.1.enable = 1
account.1.label = Ana Lima
account.1.display_name = 101 = Ana
account.1.user_name = 101
account.1.password = s3=cret
account.1.sip_server.1.address = acme.lab
account.1.sip_server.1.port = 5060
account.1.sip_server.1.expires = 120
account.1.outbound_proxy_enable = 1
account.1.outbound_proxy.1.address = 10.0.0.1
account.1.outbound_proxy.1.port = 5160
account.1.subscribe_mwi = 1
voice_mail.number.1 = 5001
account.2.enable = 0
account.3.label = %NULL%
"""


def test_without_a_boot_file_the_models_common_file_and_the_own_file_are_read():
    config, asked = serve(
        FAMILY.boot(BOX, URL), {"805ec0123456.cfg": OWN, "y000000000096.cfg": "#!version:1.0.0.1\nlang.gui = English"}
    )
    assert names(asked) == ["805ec0123456.boot", "y000000000000.boot", "y000000000096.cfg", "805ec0123456.cfg"]
    assert config.files == ("y000000000096.cfg", "805ec0123456.cfg")
    (account,) = config.accounts
    assert (account.user, account.auth_user, account.password, account.label) == ("101", "101", "s3=cret", "Ana Lima")
    assert (account.domain, account.server_host, account.server_port) == ("acme.lab", "10.0.0.1", 5160)
    assert (account.transport, account.expires_s, account.voicemail, account.subscribe_mwi) == (
        "udp",
        120,
        "5001",
        True,
    )
    assert config.values["account.1.display_name"] == "101 = Ana"
    assert config.values["account.3.label"] == ""
    assert config.values["lang.gui"] == "English"


def test_a_boot_file_decides_what_is_read_and_in_which_order():
    boot = (
        '#!version:1.0.0.1\n## a comment\ninclude:config <common.cfg>\ninclude:config "$MAC.cfg"\noverwrite_mode = 1\n'
    )
    shelf = {
        "805ec0123456.boot": boot,
        "common.cfg": "#!version:1.0.0.1\naccount.1.label = lost",
        "805ec0123456.cfg": OWN,
    }
    config, asked = serve(FAMILY.boot(BOX, URL), shelf)
    assert names(asked) == ["805ec0123456.boot", "common.cfg", "805ec0123456.cfg"]
    assert config.accounts[0].label == "Ana Lima"


def test_the_requests_name_model_firmware_and_mac():
    fetch = next(FAMILY.boot(BOX, URL))
    assert (fetch.url, fetch.user_agent) == (
        f"{URL}/805ec0123456.boot",
        "Yealink SIP-T54W 96.86.0.100 80:5e:c0:12:34:56",
    )
    assert FAMILY.user_agent(BOX) == "Yealink SIP-T54W 96.86.0.100"


def test_the_own_file_missing_is_an_error_on_the_screen():
    with pytest.raises(BootFailed, match="Config 404"):
        serve(FAMILY.boot(BOX, URL), {})


@pytest.mark.parametrize("text", ["", "account.1.enable = 1\n", "<html>404</html>", "\n#!version:1.0.0.1\n"])
def test_a_file_without_the_first_line_is_refused(text):
    with pytest.raises(BootFailed, match="Config bad"):
        read_config(text, "x.cfg")


def test_a_byte_that_is_no_text_is_refused():
    with pytest.raises(BootFailed, match="not text"):
        serve(FAMILY.boot(BOX, URL), {"805ec0123456.cfg": b"#!version:1.0.0.1\n\xff\xfe"})


def test_an_enabled_account_without_server_is_refused():
    text = "#!version:1.0.0.1\naccount.1.enable=1\naccount.1.user_name=101\n"
    with pytest.raises(BootFailed, match="Config bad"):
        serve(FAMILY.boot(BOX, URL), {"805ec0123456.cfg": text})


def test_a_line_break_in_a_value_cannot_add_a_setting_here():
    # What an injected display name would look like to the phone: the server must not have let it through.
    values = read_config("#!version:1.0.0.1\naccount.1.display_name = x\naccount.1.password = stolen\n", "x.cfg")
    assert values["account.1.password"] == "stolen"


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        ("check-sync;reboot=false", Resync.RELOAD),
        ("check-sync;reboot=true", Resync.REBOOT),
        ("Check-Sync; Reboot=False", Resync.RELOAD),
        ("check-sync", Resync.REBOOT),
        ("talk", Resync.NOTHING),
    ],
)
def test_a_notify_reloads_or_reboots(event, wanted):
    assert FAMILY.resync(event) is wanted
