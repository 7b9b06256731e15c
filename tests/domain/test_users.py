"""What a user may be: every attribute with its range, and what is told to who breaks the rule."""

import pytest

from pbx.domain.directory import Directory
from pbx.domain.seed import BadSeed, read_directory


def with_users(*users: dict[str, object], **domain: object) -> Directory:
    return read_directory({
        "domain": {"name": "acme.lab", **domain},
        "sites": [{"name": "Toronto"}],
        "users": [{"extension": 101 + place, "first_name": "Ana", **user} for place, user in enumerate(users)],
    })  # fmt: skip


@pytest.mark.parametrize(
    ("user", "told"),
    [
        ({"extension": "12"}, "extension is '12': an extension has 3 to 5 digits, the first not 0, as 101"),
        ({"extension": "0101"}, "extension is '0101': an extension has 3 to 5 digits"),
        ({"voicemail_pin": "123"}, "voicemail_pin is wrong: a PIN has four digits or more and nothing else"),
        ({"voicemail_pin": "12a4"}, "voicemail_pin is wrong: a PIN has four digits or more"),
        ({"email": "ana@acme.lab; ben"}, "email is wrong: 'ben' is no mail address, as ana@acme.lab"),
        ({"ring_s": 3601}, "ring_s is 3601: it must be 3600 or less"),
        ({"ring_s": -1}, "ring_s is -1: it must be 0 or more"),
        ({"dial_by_name": "099"}, "a dial-by-name code is 100 to 999"),
        ({"caller_id_name": "Chloé"}, "at most 15 plain ASCII characters; shorten it and leave accents out"),
        ({"caller_id_name": "Acme Dental Clinic"}, "at most 15 plain ASCII characters"),
        ({"caller_id": "555-0100"}, "is '555-0100': a number is written with 11 digits, as 14165550100"),
        ({"emergency_caller_id": "00000000000"}, "is '00000000000': a number is written with 11 digits"),
        ({"area_code": "911"}, "an area code has 3 digits, as 416, and is no service code"),
        ({"time_zone": "Toronto"}, "'Toronto' is no time zone of the IANA database"),
        ({"scope": "Boss"}, "scope is 'Boss': it must be one of 'Basic User', 'Simple User'"),
        ({"status": "locked"}, "status is 'locked': it must be one of 'standard', 'new'"),
        ({"service_code": "queue"}, "a service code begins with system-, as system-queue"),
        ({"max_calls": -1}, "max_calls is -1: it must be 0 or more"),
        ({"department": "Toronto"}, "user 101: department Toronto: there is a site Toronto; call the department"),
    ],
)
def test_what_breaks_a_rule_is_told_with_field_value_rule_and_remedy(user, told):
    with pytest.raises(BadSeed) as refused:
        with_users(user)
    assert told in str(refused.value)


def test_a_pin_is_never_told():
    with pytest.raises(BadSeed) as refused:
        with_users({"voicemail_pin": "87x5"})
    assert "87x5" not in str(refused.value)


def test_a_login_is_the_extension_at_the_domain_and_belongs_to_one_user():
    directory = with_users({}, {"login": "ben@acme.test"})
    assert [directory.login_of(user) for user in directory.users] == ["101@acme.lab", "ben@acme.test"]
    with pytest.raises(BadSeed, match=r"login 101@acme\.lab exists twice"):
        with_users({}, {"login": "101@ACME.lab"})


def test_several_mail_addresses_are_separated_by_semicolons():
    assert with_users({"email": "ana@acme.lab; office@acme.lab"}).users[0].emails == ("ana@acme.lab", "office@acme.lab")
    assert with_users({}).users[0].emails == ()


@pytest.mark.parametrize(
    ("names", "code"),
    [
        ({"last_name": "Silva"}, "745"),
        ({"last_name": "Élan"}, "352"),
        ({"first_name": "Workshop"}, "967"),
        ({"last_name": "O'Hara"}, "642"),
        ({"last_name": "Li"}, "540"),
        ({"first_name": "7", "last_name": ""}, ""),
        ({"last_name": "Silva", "dial_by_name": "100"}, "100"),
    ],
)
def test_a_dial_by_name_code_is_the_keys_of_three_letters(names, code):
    assert with_users(names).users[0].name_code == code


def test_who_is_hidden_stands_in_no_directory():
    directory = with_users(
        {"last_name": "Silva"}, {"last_name": "Silva", "service_code": "system-queue"},
        {"last_name": "Adams", "audio_directory": False}, {"last_name": "Silver", "visual_directory": False},
    )  # fmt: skip
    assert [user.extension for user in directory.people()] == ["103", "101"]
    assert [user.extension for user in directory.people_by_name("745")] == ["101", "104"]


@pytest.mark.parametrize(
    ("limit", "users"),
    [
        ("max_users", [{}, {}]),
        ("max_departments", [{"department": "Sales"}, {"department": "Care"}]),
    ],
)
def test_a_domain_holds_no_more_than_its_limit(limit, users):
    with_users(*users, **{limit: 2})
    kind = limit.removeprefix("max_")
    with pytest.raises(BadSeed, match=f"domain acme.lab: 2 {kind}, and {limit} allows 1; raise it or remove some"):
        with_users(*users, **{limit: 1})


def test_seven_digits_are_completed_by_the_users_own_area_code_first():
    directory = with_users({"area_code": "819"}, {})
    assert [directory.area_code_of(user) for user in (*directory.users, None)] == ["819", "416", "416"]
