"""The table of permissions says what the role matrix of the reference says, and every answer says why."""

import itertools

import pytest

from pbx.access import (
    ACTIONS,
    KINDS,
    ROLES,
    SCOPES,
    Actor,
    Thing,
    appointable,
    changed_kinds,
    may,
    may_appoint,
    may_some,
    right_of,
    table,
    within,
)  # fmt: skip
from pbx.domain.tenancy import User

FIVE = ("Office Manager", "Call Center Supervisor", "Site Manager", "Call Center Agent", "Basic User")


def person(scope: str, extension: str = "101", **more: object) -> Actor:
    return Actor(f"{extension}@acme.lab", scope, "acme.lab", "North", extension, **more)  # type: ignore[arg-type]


def thing(kind: str, *owners: str, **more: object) -> Thing:
    sets = {name: frozenset({value}) for name, value in more.items() if name in ("sites", "queues")}
    return Thing(kind, "acme.lab", "North", "x", frozenset(owners), **{**more, **sets})  # type: ignore[arg-type]


# domain-features 2.2, written down once more: own, another's, another's of the own site, of the own queue.
# E edits, V views, - is refused; the columns are FIVE.
MATRIX = """
own        | profile           | E E E E E
own        | answering rule    | E E E E E
own        | time frame        | E E E E E
own        | greeting          | E E E E E
other      | profile           | E - - - -
other      | answering rule    | E - - - -
other      | time frame        | E - - - -
site       | profile           | E - E - -
site       | answering rule    | E - E - -
site       | time frame        | E - E - -
office     | shared time frame | E - V - -
office     | attendant         | E - - - -
site       | attendant         | E - E - -
office     | queue             | E - - - -
queue      | queue             | E E - - -
site       | queue             | E - E - -
own        | agent             | E - - E -
queue      | agent             | E E - - -
site       | agent             | E - E - -
office     | music             | E - - - -
office     | number            | E - - - -
office     | hardware          | E - - - -
own        | call record       | V V V V V
other      | call record       | V - - - -
site       | call record       | V - V - -
queue      | call record       | V V - - -
own        | recording         | V V V V V
queue      | recording         | V V - - -
own        | conference        | E E E E E
site       | conference        | E - E - -
office     | shared contact    | E V V V V
own        | contact           | E E E E E
office     | emergency address | E - - - -
office     | billing           | E - - - -
office     | sites feature     | V - - - -
"""


def cells() -> list[tuple[str, str, str, str]]:
    rows = [[part.strip() for part in line.split("|")] for line in MATRIX.strip().splitlines()]
    return [(*row[:2], scope, cell) for row in rows for scope, cell in zip(FIVE, row[2].split(), strict=True)]


@pytest.mark.parametrize(("whose", "kind", "scope", "cell"), cells())
def test_a_cell_of_the_role_matrix(whose, kind, scope, cell):
    actor = person(scope, site="Laval", queues=frozenset({"500"}), roles="n2p")
    what = {
        "own": thing(kind, "101"),
        "other": thing(kind, "102", sites="Toronto"),
        "site": thing(kind, "102", sites="Laval"),
        "queue": thing(kind, "102", queues="500", sites="Toronto"),
        "office": thing(kind),
    }[whose]
    assert bool(may(actor, "view", what)) == (cell in "EV")
    assert bool(may(actor, "edit", what)) == (cell == "E")


@pytest.mark.parametrize(
    ("kind", "action", "n2p", "b1"),
    [
        ("user", "create", False, True),
        ("attendant", "edit", True, False),
        ("shared time frame", "view", True, False),
        ("queue", "create", False, True),
        ("hardware", "edit", False, True),
        ("music", "edit", False, True),
    ],
)
def test_the_presets_differ_in_what_the_sources_say_of_site_managers(kind, action, n2p, b1):
    of_site = thing(kind, sites="Laval")
    for roles, allowed in (("n2p", n2p), ("b1", b1)):
        assert bool(may(person("Site Manager", site="Laval", roles=roles), action, of_site)) == allowed


@pytest.mark.parametrize(("roles", "reseller"), [("generic", True), ("n2p", False)])
def test_sites_are_enabled_and_site_managers_appointed_by_support_alone(roles, reseller):
    feature, user = thing("sites feature"), thing("scope", "102")
    for scope in FIVE:
        assert not may(person(scope, roles=roles), "edit", feature)
        assert not may_appoint(person(scope, roles=roles), user, "Basic User", "Site Manager")
    partner = Actor("partner", "Reseller", "north.lab", "North", "900", roles=roles)
    assert bool(may(partner, "edit", feature)) == reseller
    assert bool(may_appoint(partner, user, "Basic User", "Site Manager")) == reseller
    support = Actor("support", "Super User", roles=roles)
    assert may(support, "edit", feature)
    assert may_appoint(support, user, "Basic User", "Site Manager")


def test_an_office_manager_of_n2p_appoints_three_scopes_and_no_other_office_manager():
    manager, user = person("Office Manager", roles="n2p"), thing("scope", "102")
    given = {scope for scope in SCOPES if may_appoint(manager, user, "Basic User", scope)}
    assert given == {"Basic User", "Call Center Agent", "Call Center Supervisor"}
    demoted = may_appoint(manager, user, "Office Manager", "Basic User")
    assert demoted.status == 403
    assert demoted.others == ("Super User", "Reseller")


def test_nobody_appoints_above_the_own_scope():
    for roles, scope in itertools.product(ROLES, SCOPES):
        widest = min([SCOPES.index(one) for one in appointable(roles, scope)], default=len(SCOPES))
        assert scope == "Super User" or widest >= SCOPES.index(scope)


def test_nobody_changes_what_is_of_somebody_with_a_wider_scope():
    head = thing("profile", "102", sites="Laval", owner_scope="Office Manager")
    lead = person("Site Manager", site="Laval")
    assert may(lead, "view", head)
    refused = may(lead, "edit", head)
    assert refused.status == 403
    assert "wider" in refused.because[-1]
    assert not within(lead, "edit", "profile")(head)
    assert may(person("Site Manager", "102", site="Laval"), "edit", head)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("action", ACTIONS)
def test_a_thing_of_another_domain_is_there_for_nobody_of_this_one(scope, action):
    if scope in ("Super User", "Reseller", "NDP"):
        return
    actor = person(scope, site="Laval", queues=frozenset({"500"}))
    for kind in KINDS:
        foreign = Thing(kind, "other.lab", "North", "x", frozenset({"101"}), frozenset({"Laval"}), frozenset({"500"}))
        assert may(actor, action, foreign).status == 404
        assert may_some(actor, action, kind, "other.lab", "North").status == 404
        assert not within(actor, action, kind)(foreign)


def test_a_reseller_reaches_its_own_domains_alone():
    partner = Actor("partner", "Reseller", "north.lab", "North", "900")
    assert may(partner, "edit", thing("number"))
    assert may(partner, "edit", Thing("number", "acme.lab", "South")).status == 404


def test_what_may_not_be_known_is_404_and_what_may_not_be_changed_403():
    basic, lead = person("Basic User"), person("Site Manager", site="Laval", roles="b1")
    assert may(basic, "view", thing("call record", "102")).status == 404
    assert may(basic, "view", thing("number")).status == 403
    assert may(basic, "edit", thing("account", "101")).status == 403
    assert may(lead, "edit", thing("profile", "102", sites="Toronto")).status == 404


def test_the_filter_of_a_list_says_what_may_says_of_each():
    things = [thing("call record", one, sites=site, queues=queue)
              for one in ("101", "102") for site in ("Laval", "Toronto") for queue in ("500", "501")]  # fmt: skip
    for scope, action in itertools.product(SCOPES, ACTIONS):
        actor = person(scope, site="Laval", queues=frozenset({"500"}))
        fits = within(actor, action, "call record")
        assert [fits(one) for one in things] == [bool(may(actor, action, one)) for one in things]


def test_who_looks_with_anothers_eyes_changes_nothing():
    viewer = person("Office Manager", by="lab engineer", read_only="viewing as another is for looking")
    for kind, action in itertools.product(KINDS, ACTIONS[1:]):
        assert not may(viewer, action, thing(kind, "101"))
        assert not within(viewer, action, kind)(thing(kind, "101"))
    assert may(viewer, "view", thing("number"))


def test_an_answer_says_who_asks_what_the_table_says_and_how_the_thing_stands_to_it():
    actor = person("Site Manager", "105", site="Laval", roles="n2p")
    assert may(actor, "edit", thing("answering rule", "106", sites="Laval")).because == (
        "105@acme.lab is Site Manager of Laval in acme.lab",
        "a Site Manager may edit answering rules of own and own site"
        " (roles n2p: seed: site's users, not for supervisors)",
        "answering rule x is in site Laval",
    )
    refused = may(actor, "edit", thing("number"))
    assert refused.because[-1].startswith("a Site Manager may not edit numbers")
    assert refused.others == ("Super User", "Reseller", "Office Manager")


def test_every_row_of_every_preset_names_its_evidence_and_reaches_a_super_user():
    for roles in ROLES:
        for right in table(roles):
            assert right.evidence
            assert right.of("Super User") == {"a"}
            assert right.of("No Portal") == frozenset()
            if right.action != "view" and right_of(roles, right.kind, "view").evidence.startswith("not among") is False:
                viewers = right_of(roles, right.kind, "view")
                assert all(viewers.of(scope) for scope in right.scopes), f"{right.kind}: who changes it sees it"


def test_a_changed_user_is_told_by_what_was_edited():
    ana = User(extension="101", first_name="Ana", email="ana@acme.lab")
    edited = ana.model_copy(update={"scope": "Office Manager", "site": "Laval", "email": "a@acme.lab", "ring_s": 9})
    assert set(changed_kinds(ana, edited)) == {"scope", "site assignment", "profile", "answering rule"}
    assert changed_kinds(ana, ana) == ()
