"""Where the console listens: on this machine alone, unless it is told otherwise and has a password."""

import pytest

from lab.cli.up import console_host
from lab.errors import UserError
from pbx.settings import load_settings


def settings(tmp_path, **flags):
    return load_settings(tmp_path, {}, {name.replace("__", "."): value for name, value in flags.items()})[0]


@pytest.mark.parametrize(
    ("flags", "host"),
    [
        ({}, ""),
        ({"listen__address": "127.0.0.9"}, ""),
        ({"listen__address": "192.0.2.7"}, "127.0.0.1"),
        ({"listen__address": "192.0.2.7", "console__address": "127.0.0.3"}, "127.0.0.3"),
        ({"console__address": "192.0.2.7", "console__password": "a long word"}, "192.0.2.7"),
    ],
)
def test_phones_never_see_the_console_unless_it_is_told_to_listen_there(tmp_path, flags, host):
    assert console_host(settings(tmp_path, **flags)) == host


@pytest.mark.parametrize("address", ["192.0.2.7", "0.0.0.0", "::", "example.org"])
def test_an_address_others_reach_needs_a_password(tmp_path, address):
    with pytest.raises(UserError, match="open to everybody"):
        console_host(settings(tmp_path, console__address=address))


def test_an_address_others_reach_without_tls_is_warned_of(tmp_path, capsys):
    console_host(settings(tmp_path, console__address="192.0.2.7", console__password="a long word"))
    assert "without TLS" in capsys.readouterr().err
