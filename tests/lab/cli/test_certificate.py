from __future__ import annotations

import pytest
from cryptography import x509

from lab.cli.certificate import make
from lab.errors import UserError


def test_a_phones_certificate_has_its_mac_for_a_name_and_leaves_the_labs_own_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWITCHROOM_STORE__FOLDER", str(tmp_path / "data"))
    make("80:5e:c0:00:01:01", tmp_path / "one.pem")
    server = (tmp_path / "data/tls/server.pem").read_bytes()
    told = make("805ec0000102", tmp_path / "two.pem")
    assert "805EC0000102" in told
    found = x509.load_pem_x509_certificate((tmp_path / "two.pem").read_bytes())
    assert found.subject.rfc4514_string() == "CN=805EC0000102"
    assert (tmp_path / "two.pem").stat().st_mode & 0o077 == 0
    assert (tmp_path / "data/tls/server.pem").read_bytes() == server


def test_without_a_folder_of_its_own_there_is_no_authority_to_sign_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="no certificate is made"):
        make("805ec0000101", tmp_path / "one.pem")


def test_what_is_no_mac_gets_none(tmp_path):
    with pytest.raises(UserError, match="no certificate is made"):
        make("phone", tmp_path / "one.pem")
