"""Four clients fetch the same bytes; strangers get nothing, and all the same nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.conftest import need
from tests.interop.office import Switchroom


def over_http(switchroom: Switchroom, device: str, name: str) -> bytes:
    with urlopen(switchroom.device(device)["config_url"] + name, timeout=10) as answer:
        return answer.read()


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, cwd=cwd, capture_output=True, timeout=30, check=False)


COMMON = "y000000000096.cfg"


def test_curl_gets_what_the_library_gets(switchroom, tmp_path):
    need("curl")
    url = switchroom.device("101")["config_url"] + "805ec0a10101.cfg"
    fetched = run("curl", "-sf", url, cwd=tmp_path)
    assert fetched.returncode == 0
    assert fetched.stdout == over_http(switchroom, "101", "805ec0a10101.cfg")
    assert b"account.1.user_name = 101" in fetched.stdout


@pytest.mark.parametrize("client", ["tftp", "atftp", "busybox"])
def test_each_tftp_client_gets_the_same_bytes_as_http(switchroom, tmp_path, client):
    need(client)
    port = str(switchroom.tftp_port)
    commands = {
        "tftp": ("tftp", "-m", "binary", "127.0.0.1", port, "-c", "get", COMMON),
        "atftp": ("atftp", "-g", "-r", COMMON, "-l", COMMON, "127.0.0.1", port),
        "busybox": ("busybox", "tftp", "-g", "-r", COMMON, "-l", COMMON, "127.0.0.1", port),
    }
    done = run(*commands[client], cwd=tmp_path)
    assert (tmp_path / COMMON).read_bytes() == over_http(switchroom, "101", COMMON), done.stderr


def test_a_window_and_a_block_size_change_nothing_of_the_bytes(switchroom, tmp_path):
    need("atftp")
    for options in (("blksize 8",), ("blksize 1428",), ("windowsize 4",), ("blksize 64", "windowsize 16")):
        flags = [part for option in options for part in ("--option", option)]
        run("atftp", *flags, "-g", "-r", COMMON, "-l", "out.cfg", "127.0.0.1", str(switchroom.tftp_port), cwd=tmp_path)
        assert (tmp_path / "out.cfg").read_bytes() == over_http(switchroom, "101", COMMON), options
        (tmp_path / "out.cfg").unlink()


@pytest.mark.parametrize(
    "path",
    [
        "p/ffffffffffffffffffffffffffffffff/805ec0a10101.cfg",
        "p/805ec0a99999.cfg",
        "p/nothing.cfg",
        "p/../../etc/passwd",
        "p/%2e%2e/%2e%2e/etc/passwd",
        "p/$mac.cfg",
        "%00",
    ],
)
def test_a_stranger_always_gets_the_same_answer(switchroom, tmp_path, path):
    need("curl")
    base = f"http://127.0.0.1:{switchroom.base + 1}/"
    answer = run("curl", "-s", "-i", "--path-as-is", base + path, cwd=tmp_path).stdout
    other = run("curl", "-s", "-i", base + "p/really-nothing", cwd=tmp_path).stdout
    assert answer.startswith(b"HTTP/1.1 404")
    assert _told(answer) == _told(other)


def _told(answer: bytes) -> bytes:
    return b"\n".join(line for line in answer.splitlines() if not line.lower().startswith(b"date:"))


def test_an_unchanged_file_is_not_sent_twice(switchroom):
    url = switchroom.device("101")["config_url"] + COMMON
    with urlopen(url, timeout=10) as answer:
        etag = answer.headers["ETag"]
    from urllib.error import HTTPError

    with pytest.raises(HTTPError) as unchanged:
        urlopen(Request(url, headers={"If-None-Match": etag}), timeout=10)
    assert unchanged.value.code == 304
