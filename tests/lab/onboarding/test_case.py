"""The way from forms to live: its gates, its clocks, who has the next move."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from lab.onboarding.case import NotYet, configuration_from, partner_may_log_in
from lab.onboarding.packet import Packet
from lab.onboarding.progress import bar, business_day_after, clocks, next_moves, port_window
from tests.lab.onboarding.story import ADMIN, BEGUN, BILLING, IT, PACKET, WAY, Story


def with_documents(**changes: object) -> Packet:
    return PACKET.model_copy(update={"documents": PACKET.documents.model_copy(update=changes)})


def with_porting(**changes: object) -> Packet:
    assert PACKET.porting is not None
    return PACKET.model_copy(update={"porting": PACKET.porting.model_copy(update=changes)})


def refused(story: Story, step: str, **told: str) -> str:
    with pytest.raises(NotYet) as error:
        story.take(step, **told)  # type: ignore[arg-type]
    return "; ".join(f"{lack.owner}: {lack.sentence}" for lack in error.value.lacks)


def test_the_whole_way_can_be_gone():
    story = Story().until("live")
    assert [mark.step for mark in story.case.marks] == [step for step, _, _ in WAY]
    assert {stage.state for stage in bar(story.case, story.around.now)} == {"done"}
    assert next_moves(story.case, story.around) == ()


@pytest.mark.parametrize("place", range(1, len(WAY)))
def test_no_step_comes_before_the_one_it_needs(place):
    story = Story()
    story.at(timedelta(days=30))
    step, _, about = WAY[place]
    assert refused(story, step, about=about).partition(": ")[2].startswith("first comes: ")


@pytest.mark.parametrize(
    ("packet", "sentence"),
    [
        (with_documents(card_or_ach=False), "client: no card or ACH authorisation is on file"),
        (with_documents(tax_exemption="awaited"), "client: tax exemption is claimed"),
        (with_documents(bill_dated=None), "client: no phone bill has been handed in"),
        (with_documents(bill_dated=date(2026, 10, 3)), "client: the phone bill is of 2026-10-03; the port needs one"),
        (PACKET.model_copy(update={"users": ()}), "client: the account set-up form lists no users"),
        (PACKET.model_copy(update={"porting": None}), "client: the porting form is missing"),
        (PACKET.model_copy(update={"contacts": PACKET.contacts[1:]}), "client: nobody is named as admin contact"),
        (PACKET.model_copy(update={"contacts": PACKET.contacts[:1]}), "client: nobody is named as billing contact"),
    ],
)
def test_the_order_waits_for_each_document(packet, sentence):
    story = Story(packet).until("forms returned")
    assert sentence in refused(story, "order complete")


@pytest.mark.parametrize(
    ("packet", "sentence"),
    [
        (with_documents(letter_of_authorisation=""), "client: the letter of authorisation is not signed"),
        (with_porting(account_number=""), "client: the account number is missing"),
        (with_porting(authorised_title=""), "client: that person's title is missing"),
        (with_porting(staying=("14165550199",)), "client: a partial port takes the pilot number along"),
    ],
)
def test_the_port_waits_for_each_paper(packet, sentence):
    story = Story(packet).until("test passed")
    assert sentence in refused(story, "port requested")


def test_a_port_is_requested_after_the_test_week_and_not_before():
    story = Story().until("test begun")
    assert "first comes: test passed" in refused(story, "port requested")
    story.at(timedelta(days=6))
    assert "this is day 5 of 7" in refused(story, "test passed")
    story.at(timedelta(days=9), plan_passed=False)
    assert refused(story, "test passed") == "partner: the Deployment Test Plan has not passed on this domain"


def test_a_bill_grows_old_while_one_waits_for_the_port():
    story = Story().until("test passed")
    story.at(timedelta(days=25))
    assert "the phone bill is of 2026-10-20" in refused(story, "port requested")


def test_the_partner_logs_in_once_the_welcome_mail_is_out():
    story = Story().until("domain created")
    assert not partner_may_log_in(story.case)
    assert "first comes: welcome sent" in refused(story, "configured")
    story.at(timedelta(hours=22))
    story.take("welcome sent")
    assert partner_may_log_in(story.case)
    assert "configuration begins at 2026-11-03 08:00" in refused(story, "configured")


def test_who_starts_at_once_configures_with_the_welcome_mail():
    story = Story(PACKET.model_copy(update={"start": "asap"})).until("domain created")
    assert configuration_from(story.case) is None
    story.take("welcome sent")
    for step in ("flow approved", "brand registered", "campaign submitted"):
        story.take(step)
    story.take("configured")


def test_a_rejected_port_is_resubmitted_before_anything_else():
    story = Story().until("port requested")
    assert refused(story, "port resubmitted") == "carrier: first comes: port rejected"
    story.take("port rejected", note="account number wrong")
    assert "has to be resubmitted" in refused(story, "foc received", about="2026-11-25")
    story.take("port resubmitted")
    assert "has not rejected it" in refused(story, "port resubmitted")
    story.take("foc received", about="2026-11-25")


@pytest.mark.parametrize(
    ("about", "sentence"), [("soon", "carrier: 'soon' is no day"), ("2026-11-01", "carrier: 2026-11-01 is over")]
)
def test_the_carrier_names_a_day_that_is_to_come(about, sentence):
    assert sentence in refused(Story().until("port requested"), "foc received", about=about)


def test_numbers_move_on_their_day_with_every_line_good_or_attested():
    story = Story().until("foc received")
    assert refused(story, "numbers moved") == "carrier: the numbers move on 2026-11-20"
    story.at(timedelta(days=18), open_lines=("hardware online",))
    assert "partner: the audit has an open line: hardware online" in refused(story, "numbers moved")
    assert "no open line" in refused(story, "line attested", about="native fax", note="seen")
    assert "says why" in refused(story, "line attested", about="hardware online")
    story.take("line attested", by="A. Roy", about="hardware online", note="two phones in a box until Monday")
    story.at(timedelta(days=18), open_lines=())
    story.take("numbers moved")


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        ("flow approved", "client: the approximate call flow is not approved"),
        ("campaign submitted", "partner: numbers for texts wait for 10DLC"),
    ],
)
def test_configuration_waits_for_the_approved_flow_and_for_10dlc(step, sentence):
    story = Story().until("hardware shipped", without=(step,))
    story.at(timedelta(days=1, hours=6))
    assert sentence in refused(story, "configured")
    story.take(step)
    story.take("configured")


def test_who_has_no_numbers_for_texts_files_no_10dlc():
    story = Story(PACKET.model_copy(update={"texts": (), "brand": None, "campaign": None}))
    story.until("configured", without=("brand registered", "campaign submitted"))
    assert "client: the brand's form (10DLC) is missing" in refused(story, "brand registered")
    assert "Texts (10DLC)" not in [stage.title for stage in bar(story.case, story.around.now)]


@pytest.mark.parametrize(
    ("campaign", "sentence"),
    [
        (None, "client: the campaign's form (10DLC) is missing"),
        ({"help_reply": ""}, "client: the campaign does not say what HELP is answered with"),
        ({"stop_reply": ""}, "client: the campaign does not say what STOP is answered with"),
    ],
)
def test_a_campaign_says_all_that_carriers_ask(campaign, sentence):
    assert PACKET.campaign is not None
    told = PACKET.campaign.model_copy(update=campaign) if campaign is not None else None
    story = Story(PACKET.model_copy(update={"campaign": told})).until("brand registered")
    assert sentence in refused(story, "campaign submitted")


def test_a_training_session_is_booked_for_a_moment_and_held_then():
    story = Story().until("configured")
    assert "'soon' is no moment" in refused(story, "training booked", about="soon")
    assert "2026-11-01 10:00 is over" in refused(story, "training booked", about="2026-11-01 10:00")
    story.take("training booked", about="2026-11-04 10:00")
    assert "booked for 2026-11-04 10:00" in refused(story, "training held")
    assert [clock.what for clock in clocks(story.case, story.around.now)] == ["training session"]
    story.at(timedelta(days=2, hours=2))
    story.take("training held")


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        ("training held", "client: the training session has not been held"),
        ("hardware received", "client: the hardware has not arrived"),
    ],
)
def test_one_tests_after_the_training_with_the_hardware_that_was_asked_for(step, sentence):
    story = Story().until("training held", without=(step,))
    assert refused(story, "test begun") == sentence


def test_a_statement_is_of_a_month_and_of_the_whole_account():
    story = Story().until("live")
    assert "separate ones need separate domains" in refused(story, "statement sent", about="site Laval")
    story.take("statement sent", about="2026-11")
    assert "the statement of 2026-11 has been sent" in refused(story, "statement sent", about="2026-11")


def test_contacts_do_what_their_right_is():
    story = Story().until("welcome sent")
    story.take("change requested", by=ADMIN, note="a new extension")
    story.take("network assessed", by=IT)
    assert f"{BILLING} is no admin contact" in refused(story, "flow approved", by=BILLING)
    assert f"{BILLING} is no admin contact" in refused(story, "change requested", by=BILLING)
    assert f"{BILLING} is no it or admin contact" in refused(story, "network assessed", by=BILLING)


def test_without_a_port_two_stages_fall_away():
    story = Story(PACKET.model_copy(update={"porting": None, "start": "asap"})).until("test passed")
    assert [stage.title for stage in bar(story.case, story.around.now)][-2:] == ["Tested", "Live"]
    story.take("live")


def test_late_says_so_in_a_word():
    story = Story().until("forms sent")
    story.at(timedelta(hours=40))
    assert [(clock.what, clock.late) for clock in clocks(story.case, story.around.now)] == [("forms returned", "soon")]
    story.at(timedelta(hours=49))
    assert [clock.late for clock in clocks(story.case, story.around.now)] == ["late"]


def test_the_test_week_is_told_by_its_days():
    story = Story().until("test begun")
    story.at(timedelta(days=4, hours=8))
    assert next(stage.note for stage in bar(story.case, story.around.now) if stage.title == "Tested") == "day 4 of 7"


def test_the_next_move_has_an_owner():
    story = Story(with_documents(card_or_ach=False)).until("forms returned")
    assert [(lack.owner, lack.sentence) for lack in next_moves(story.case, story.around)] == [
        ("client", "no card or ACH authorisation is on file; nothing moves before it is")
    ]
    moves = next_moves(Story().until("port requested").case, Story().until("port requested").around)
    assert [(lack.owner, lack.sentence) for lack in moves] == [("carrier", "next: foc received")]


def test_a_port_takes_five_to_seven_business_days_or_two_weeks():
    case = Story().case
    assert port_window(case, date(2026, 11, 11)) == (date(2026, 11, 18), date(2026, 11, 20))
    oit = case.model_copy(update={"packet": PACKET.model_copy(update={"preset": "oit"})})
    assert port_window(oit, date(2026, 11, 11))[0] == date(2026, 11, 25)
    assert business_day_after(date(2026, 11, 13), 1) == date(2026, 11, 16)
    assert BEGUN.weekday() == 0
