"""Secrets at rest: who has the database has no password, and another installation's secret opens nothing."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from lab.installation import installation_secret
from lab.vault import SEALED, CannotUnseal, Vault
from pbx.domain.directory import Directory
from tests.provisioning.provisioned import YEALINK, first, small_domain

VAULT = Vault(b"s" * 32)


def written(directory: Directory) -> str:
    return directory.model_dump_json(context={"secrets": VAULT.seal})


def test_what_is_written_holds_no_secret_and_is_read_back_whole():
    domain = small_domain()
    document = written(domain)
    assert "secret-of" not in document
    assert first(YEALINK) not in document
    assert Directory.model_validate_json(document, context={"unseal": VAULT.unseal}) == domain


def test_two_secrets_alike_do_not_look_alike_and_one_is_sealed_once():
    other = Vault(b"s" * 32)
    assert VAULT.seal("a") != other.seal("a")
    assert VAULT.seal("a") == VAULT.seal("a")
    assert other.unseal(VAULT.seal("a")) == "a"


def test_what_was_written_before_secrets_were_sealed_is_still_read():
    plain = small_domain().model_dump_json(context={"secrets": True})
    assert Directory.model_validate_json(plain, context={"unseal": VAULT.unseal}) == small_domain()


@pytest.mark.parametrize(
    "damage", [lambda s: s[:-6], lambda s: s[:20] + "AAAA" + s[24:], lambda s: SEALED, lambda s: SEALED + "%"]
)
def test_a_damaged_secret_is_told(damage):
    with pytest.raises(CannotUnseal):
        VAULT.unseal(damage(VAULT.seal("secret-of-101")))


def test_another_installation_cannot_read_it_and_the_error_shows_no_secret():
    with pytest.raises(ValidationError, match="sealed with another installation"):
        Directory.model_validate_json(written(small_domain()), context={"unseal": Vault(b"o" * 32).unseal})


def test_the_installations_secret_is_made_once_for_its_owner_alone(tmp_path):
    made = installation_secret(tmp_path)
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert installation_secret(tmp_path) == made


def test_it_may_lie_elsewhere_and_a_file_that_is_none_is_refused(tmp_path):
    elsewhere = tmp_path / "key"
    assert installation_secret(tmp_path / "nowhere", elsewhere) == elsewhere.read_bytes()
    elsewhere.write_bytes(b"short")
    with pytest.raises(ValueError, match="holds no secret"):
        installation_secret(tmp_path, elsewhere)
