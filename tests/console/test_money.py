"""What a class's learners are paid by the county's standard, what not, and what comes back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError
from sqlalchemy import select, update

import models
from app.domain.policy import subsidy_texts
from app.domain.review import (
    acts,
    funds,
    notices,
    recoveries,
    stage_money,
    subsidies,
    subsidy_standards,
)
from app.domain.review.recoveries import Recovered, RecoveryState
from app.domain.review.stages import StepState
from app.domain.review.subsidies import Standing
from app.domain.review.subsidy_standards import StandardTerms
from app.errors import BadInput, Conflict, NotAllowed
from app.services import Services
from app.settings import Settings
from app.store.catalogue import catalogue, class_file, people
from app.store.money import payments
from app.store.scope import EVERYTHING
from tests.console.conftest import Clock, Desk, application, settle
from tests.console.county import HERE, NOW, add
from tests.console.offices import BEFORE_NOTICE, DAY_MS, FIELDS, Desks
from tests.console.test_tables import hand_in, row_of

TERMS = {
    "teachers": 2,
    "starts_on": "2026-04-01",
    "ends_on": "2026-04-20",
    "occupation": "保育员",
    "level": "五级/初级工",
    "institution": "潢川县阳光职业培训学校",
    "applicant": {"type": "enterprise", "name": "某企业"},
}
STANDARD: dict[str, Any] = {
    "county": HERE,
    "amount_yuan": Decimal("1200.50"),
    "document": "潢人社〔2026〕1号",
    "dated": "2026-01-05",
    "from_on": "2026-01-01",
}
CLAIM = FIELDS["claim_filed"] | {"people": 2, "amount_yuan": Decimal("2401.00")}


class Treasury(Desks):
    """The offices of a county whose class ended: two learners passed, one may not be assessed."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        with desk.services.database.write() as connection:
            self.class_id = desk.county.classes["HC-2026-014"]
            add(connection, models.County, name=HERE, created_ms=NOW)
            self.teach(connection, self.class_id)
            found = update(models.Finding).where(models.Finding.class_id == self.class_id)
            connection.execute(found.values(status="overturned"))
            self.learners = self.assess(connection, self.class_id)

    def teach(self, connection: Any, class_id: int) -> None:
        classes = update(models.TrainingClass).where(models.TrainingClass.id == class_id)
        connection.execute(classes.values(terms=TERMS, occupation="保育员"))

    def assess(self, connection: Any, class_id: int) -> list[int]:
        enrolled = select(models.Enrolment).where(models.Enrolment.class_id == class_id)
        rows = connection.execute(enrolled.order_by(models.Enrolment.learner_id)).all()
        for place, it in enumerate(rows):
            outcome = "eligible" if place < 2 else "ineligible"
            self.conclude(connection, class_id, it.id, outcome)
            if place < 2:
                self.passes(connection, class_id, it.learner_id)
        return [it.learner_id for it in rows]

    def passes(self, connection: Any, class_id: int, learner: int) -> None:
        values = {"held_on": "2026-04-07", "passed": True, "created_ms": NOW}
        who = {"class_id": class_id, "learner_id": learner}
        add(connection, models.AssessmentRecord, **who, **values)

    def conclude(self, connection: Any, class_id: int, enrolment_id: int, outcome: str) -> None:
        add(
            connection,
            models.Verdict,
            subject_kind="enrolment",
            subject_id=enrolment_id,
            hour=0,
            class_id=class_id,
            outcome=outcome,
            pack="huangchuan-2021-graded@1.0.0",
            created_ms=NOW,
        )

    def enter(self, **said: Any) -> int:
        terms = StandardTerms.model_validate(STANDARD | said)
        with self.desk.services.database.write() as connection:
            number = subsidy_standards.enter(connection, self.people["root"], terms, self.clock())
        self.decide("jin", number)
        return number

    def decide(self, who: str, number: int, *, agreed: bool = True) -> None:
        with self.desk.services.database.write() as connection:
            user, now_ms = self.people[who], self.clock()
            subsidy_standards.decide(
                connection, user, number, agreed=agreed, reason="同意", now_ms=now_ms
            )

    @property
    def subsidy(self) -> subsidies.ClassSubsidy:
        with self.desk.services.database.read() as connection:
            return subsidies.of_class(connection, catalogue.class_by_id(connection, self.class_id))

    def standings(self) -> list[Standing]:
        return [it.standing for it in sorted(self.subsidy.shares, key=lambda it: it.learner.id)]

    def publish_and_review(self) -> None:
        self.finish(*BEFORE_NOTICE[:6])
        self.claim()

    def claim(self, **said: Any) -> None:
        today = {"filed_on": self.today.isoformat()}
        self.does("zhao", "claim_filed", **CLAIM | today | said)
        self.finish("claim_industry")
        self.publish()
        self.clock.now_ms += 7 * DAY_MS
        self.does("sun", "publication", "second")
        self.finish("claim_labour")

    def signs_payment(self, amount: str = "2401") -> None:
        paid: dict[str, Any] = {"paid_on": self.today.isoformat(), "fund": "skills"}
        self.does("zhao", "payment", amount_yuan=Decimal(amount), **paid)

    def pay(self, amount: str = "2401") -> None:
        self.signs_payment(amount)
        self.does("sun", "payment", "second")

    def pay_from_the_start(self) -> None:
        """All steps, with the standard and the results."""
        self.enter()
        self.publish_and_review()
        self.pay()

    def overturn(self, learner: int) -> None:
        """A finding on somebody who was paid is upheld."""
        with self.desk.services.database.write() as connection:
            enrolment = catalogue.enrolments(connection, self.class_id)[learner]
            self.conclude(connection, self.class_id, enrolment, "ineligible")

    def admit(self, learner: int) -> None:
        """Somebody who was not eligible is, and passed."""
        with self.desk.services.database.write() as connection:
            enrolment = catalogue.enrolments(connection, self.class_id)[learner]
            self.conclude(connection, self.class_id, enrolment, "eligible")
            self.passes(connection, self.class_id, learner)

    def recover(self, who: str, learners: int | list[int], deed: str, **said: Any) -> int:
        body = {"happened_on": self.today.isoformat(), "document": "潢人社追〔2026〕1号"} | said
        chosen = learners if isinstance(learners, list) else [learners]
        with self.desk.services.database.write() as connection:
            return recoveries.record(
                connection,
                self.class_id,
                self.people[who],
                Recovered.model_validate({"learners": chosen, "deed": deed} | body),
                "",
                self.clock(),
            )

    def states(self) -> set[RecoveryState]:
        with self.desk.services.database.read() as connection:
            klass = catalogue.class_by_id(connection, self.class_id)
            return {it.state for it in recoveries.of_class(connection, klass)}

    def case(self) -> recoveries.Recovery:
        with self.desk.services.database.read() as connection:
            klass = catalogue.class_by_id(connection, self.class_id)
            (found,) = recoveries.of_class(connection, klass)
        return found


@pytest.fixture
def treasury(desk: Desk) -> Treasury:
    return Treasury(desk)


@pytest.fixture
def of_either(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Treasury]:
    """On the database that the test names."""
    services = Services.build(Settings(data_dir=tmp_path, database_url=database_url), clock)
    client = TestClient(application(services))
    yield Treasury(Desk(client, settle(services), services, clock, []))
    services.stop()


def test_who_passed_is_paid_by_the_standard_of_the_county(treasury: Treasury) -> None:
    assert treasury.subsidy.standard is None and treasury.subsidy.payable_fen == 0
    treasury.enter()
    assert treasury.standings() == [Standing.PAYABLE, Standing.PAYABLE, Standing.NOT_ELIGIBLE]
    assert treasury.subsidy.payable_fen == 240_100
    with treasury.desk.services.database.write() as connection:
        again = update(models.Finding).where(models.Finding.class_id == treasury.class_id)
        connection.execute(again.values(status="open"))
    assert treasury.standings()[1:] == [Standing.UNDECIDED] * 2  # nobody is paid under suspicion


def test_a_county_enters_and_corrects_its_standard_by_two_of_its_own_people(
    treasury: Treasury,
) -> None:
    desk = treasury.desk

    def send(who: str, path: str, form: dict[str, str]) -> None:
        desk.client.cookies.clear()
        data = form | {"csrf": desk.sign_in(who).csrf("/console")}
        answer = desk.client.post(f"/console/subsidies{path}", data=data, follow_redirects=False)
        assert answer.status_code == 303, answer.text

    form = {name: str(it) for name, it in STANDARD.items()} | {"certificate_type": ""}
    send("zhao", "", form)
    assert treasury.subsidy.standard is None  # nobody agreed yet
    assert "同意执行" not in desk.get("/console/subsidies")
    with pytest.raises(NotAllowed):
        treasury.decide("zhao", 1)
    with pytest.raises(NotAllowed):
        treasury.decide("hu", 1)  # of another office
    send("sun", "/1/decide", {"deed": "agree"})
    assert treasury.subsidy.each_fen == 120050
    refused = {"deed": "refuse", "reason": "金额有误"}
    wrong = form | {"amount_yuan": "900", "replaces": "1"}
    send("jin", "", wrong)
    send("cai", "/2/decide", refused)
    assert treasury.subsidy.each_fen == 120050
    send("jin", "", wrong | {"amount_yuan": "1000"})
    send("cai", "/3/decide", {"deed": "agree"})
    assert treasury.subsidy.each_fen == 100000
    page = desk.get("/console/subsidies")
    assert "已被更正，不再适用" in page and "未获同意，不适用" in page and "更正第1号" in page


def test_a_standard_ends_by_two_people_and_waits_in_sight_of_the_second(treasury: Treasury) -> None:
    desk, number = treasury.desk, treasury.enter()

    def shown(who: str, page: str) -> str:
        desk.client.cookies.clear()
        desk.sign_in(who)
        return desk.get(page)

    with desk.services.database.write() as connection:
        root, jin, now_ms = treasury.people["root"], treasury.people["jin"], treasury.clock()
        subsidy_standards.propose_end(connection, root, number, "2026-03-31", now_ms, "文件废止")
        counted = [
            notices.waiting(connection, it, now_ms, now_ms)["standards"] for it in (root, jin)
        ]
        with pytest.raises(NotAllowed, match="somebody else"):
            subsidy_standards.decide_end(
                connection, root, number, agreed=True, reason="", now_ms=now_ms
            )
    assert counted == [0, 1]
    assert treasury.subsidy.standard is not None  # nobody agreed yet
    assert "等您同意的补贴标准" in shown("jin", "/console")
    assert "同意停止" in desk.get("/console/subsidies")
    assert "等您同意的补贴标准" not in shown("root", "/console")
    assert 'name="seen" value="2026-03-31"' in shown("jin", "/console/subsidies")
    with desk.services.database.write() as connection:
        agreed: dict[str, Any] = {"agreed": True, "reason": "", "now_ms": now_ms}
        with pytest.raises(Conflict):  # to another day than was shown
            subsidy_standards.decide_end(connection, jin, number, **agreed, seen="2026-02-28")
        subsidy_standards.decide_end(connection, jin, number, **agreed, seen="2026-03-31")
        with pytest.raises(Conflict):
            subsidy_standards.decide_end(
                connection, jin, number, agreed=True, reason="", now_ms=now_ms
            )
    assert treasury.subsidy.standard is None


def test_the_closest_standard_that_holds_on_the_first_day_is_taken(treasury: Treasury) -> None:
    treasury.enter()
    treasury.enter(amount_yuan=Decimal("900"), from_on="2026-04-02")
    treasury.enter(amount_yuan=Decimal("800"), until_on="2026-03-31")
    treasury.enter(amount_yuan=Decimal("1500"), level=5)
    treasury.enter(amount_yuan=Decimal("4000"), level=3, occupation="保育员")
    assert treasury.subsidy.each_fen == 150_000
    treasury.enter(amount_yuan=Decimal("1600"), occupation="保育员")
    assert treasury.subsidy.each_fen == 160_000


def test_only_who_keeps_a_countys_money_enters_a_standard_and_no_more_in_advance_than_any_text_says(
    treasury: Treasury,
) -> None:
    assert subsidy_texts.quoted().most_in_advance == 50
    with pytest.raises(ValidationError, match="advance_percent"):
        treasury.enter(advance_percent=60)
    with pytest.raises(ValidationError, match="amount_yuan"):
        treasury.enter(amount_yuan=Decimal("0.001"))
    treasury.people["root"] = treasury.people["hu"]  # of the trade's office
    with pytest.raises(NotAllowed):
        treasury.enter()


def test_a_claim_is_for_everybody_who_is_payable_and_for_what_the_standard_gives(
    treasury: Treasury,
) -> None:
    treasury.enter()
    treasury.finish(*BEFORE_NOTICE[:6])
    with pytest.raises(BadInput, match="people: 2 are payable"):
        treasury.does("zhao", "claim_filed", **CLAIM | {"people": 3})
    with pytest.raises(BadInput, match=r"by the standard it is 2401\.00"):
        treasury.does("zhao", "claim_filed", **CLAIM | {"amount_yuan": Decimal("2401.01")})
    treasury.does("zhao", "claim_filed", **CLAIM)


def test_nothing_is_paid_without_a_standard(treasury: Treasury) -> None:
    treasury.publish_and_review()
    with pytest.raises(Conflict, match="no standard"):
        treasury.pay()


def test_a_class_goes_all_the_way_and_everything_is_in_the_audit_log(treasury: Treasury) -> None:
    treasury.pay_from_the_start()
    states = {it.step.id: it.state for it in treasury.views().values()}
    assert states.pop("advance") is StepState.NOT_YET
    assert set(states.values()) == {StepState.DONE}
    assert not treasury.overdue()
    with treasury.desk.services.database.read() as connection:
        acted = connection.scalars(
            select(models.AuditEntry.action).where(models.AuditEntry.action.like("stage.%"))
        ).all()
        assert len(acted) == len(connection.scalars(select(models.StageEvent.id)).all()) == 19


def test_nobody_is_paid_twice_for_one_occupation_and_level(treasury: Treasury) -> None:
    treasury.pay_from_the_start()
    assert treasury.standings()[:2] == [Standing.PAID, Standing.PAID]
    other = treasury.desk.county.classes["GS-2026-003"]
    with treasury.desk.services.database.write() as connection:
        treasury.teach(connection, other)
        again = add(connection, models.Enrolment, class_id=other, learner_id=treasury.learners[0])
        treasury.conclude(connection, other, again, "eligible")
        found = subsidies.of_class(connection, catalogue.class_by_id(connection, other))
    share = next(it for it in found.shares if it.learner.id == treasury.learners[0])
    assert (share.standing, share.paid_in) == (Standing.PAID_BEFORE, "HC-2026-014")


def paid_elsewhere(connection: Any, treasury: Treasury, learner: int) -> int:
    """Three other classes pay the learner's trainings of the year; the person."""
    person: int = people.by_id(connection, learner).person_id
    mine = connection.execute(
        select(models.TrainingClass).where(models.TrainingClass.id == treasury.class_id)
    ).one()
    event = connection.scalars(select(models.StageEvent.id)).first()
    for number in range(3):
        copy = dict(mine._mapping) | {"external_id": f"HC-2026-9{number}"}
        copy.pop("id")
        other = add(connection, models.TrainingClass, **copy)
        values = {"amount_fen": 100, "paid_on": "2026-04-09", "event_id": event}
        held = f"{person}:职业{number}:5"
        who = {"class_id": other, "learner_id": learner, "held": held}
        add(connection, models.SubsidyPayment, **who, **values)
    return person


def test_a_fourth_paid_training_of_the_year_is_found_at_the_payment(treasury: Treasury) -> None:
    treasury.enter()
    treasury.publish_and_review()
    treasury.signs_payment()
    learner = treasury.learners[0]
    with treasury.desk.services.database.write() as connection:  # meanwhile
        person = paid_elsewhere(connection, treasury, learner)
    assert treasury.standings()[:2] == [Standing.YEAR_FULL, Standing.PAYABLE]
    with pytest.raises(Conflict, match="1 are to be paid for now, not 2"):
        treasury.does("sun", "payment", "second")
    with treasury.desk.services.database.write() as connection:  # nor one whose level is unknown
        first = update(models.SubsidyPayment).where(models.SubsidyPayment.held.like("%职业0:5"))
        connection.execute(first.values(held=f"{person}:保育员:"))
    share = next(it for it in treasury.subsidy.shares if it.learner.id == learner)
    assert (share.standing, share.paid_in) == (Standing.PAID_BEFORE, "HC-2026-90")


@pytest.mark.both_databases
def test_who_pays_waits_for_another_class_that_pays_the_same_people(of_either: Treasury) -> None:
    treasury = of_either
    treasury.enter()
    treasury.publish_and_review()
    treasury.signs_payment()
    with ThreadPoolExecutor(1) as sun:
        with treasury.desk.services.database.write() as connection:
            payments.lock_people(connection, payments.candidates(connection, treasury.class_id))
            paid_elsewhere(connection, treasury, treasury.learners[0])
            asked = sun.submit(treasury.does, "sun", "payment", "second")
            wait([asked], timeout=0.5)
        with pytest.raises(Conflict, match="1 are to be paid for now, not 2"):
            asked.result(20)


def test_one_person_under_two_accounts_is_paid_once_also_once_it_is_known_who_it_is(
    treasury: Treasury,
) -> None:
    treasury.enter()
    first, second, _ = treasury.learners
    with treasury.desk.services.database.write() as connection:
        person = people.by_id(connection, first).person_id
        people.update_learner(connection, second, person_id=person)
    assert treasury.standings()[:2] == [Standing.PAYABLE, Standing.PAID_BEFORE]
    treasury.finish(*BEFORE_NOTICE[:6])
    treasury.claim(people=1, amount_yuan=Decimal("1200.50"))
    treasury.pay("1200.50")
    with treasury.desk.services.database.write() as connection:  # another person after all
        other = people.new_person(connection)
        people.move_person(connection, people.by_id(connection, first), other)
        people.update_learner(connection, first, person_id=other)
        people.update_learner(connection, second, person_id=other)
    assert treasury.standings()[:2] == [Standing.PAID, Standing.PAID_BEFORE]


@pytest.mark.both_databases
def test_nobody_is_paid_for_an_assessment_that_is_yet_to_be_held(of_either: Treasury) -> None:
    """A platform tells that somebody passed, on a day of next year."""
    treasury = of_either
    treasury.enter()
    treasury.publish_and_review()

    def passes(held_on: str) -> None:
        mine = models.AssessmentRecord.learner_id == treasury.learners[1]
        with treasury.desk.services.database.write() as connection:
            connection.execute(update(models.AssessmentRecord).where(mine).values(held_on=held_on))

    passes("2027-04-07")
    with pytest.raises(BadInput, match="somebody passes on 2027-04-07 only"):
        treasury.signs_payment()
    passes("2026-04-07")
    treasury.signs_payment()
    passes("2027-04-07")  # told anew between the signatures
    with pytest.raises(BadInput, match="somebody passes on 2027-04-07 only"):
        treasury.does("sun", "payment", "second")
    passes("2026-04-07")
    treasury.does("sun", "payment", "second")
    assert treasury.standings()[:2] == [Standing.PAID, Standing.PAID]


def test_what_two_people_signed_for_must_still_be_payable(treasury: Treasury) -> None:
    treasury.enter()
    treasury.publish_and_review()
    treasury.signs_payment()
    treasury.overturn(treasury.learners[0])
    with pytest.raises(Conflict, match="1 are to be paid for now, not 2"):
        treasury.does("sun", "payment", "second")
    treasury.does("sun", "payment", "returned", "有一人不再合格")
    treasury.pay("1200.50")
    assert treasury.subsidy.paid_fen == 120_050


def test_as_many_as_were_signed_for_but_others_are_not_paid(treasury: Treasury) -> None:
    treasury.enter()
    treasury.publish_and_review()
    treasury.signs_payment()
    treasury.overturn(treasury.learners[0])
    treasury.admit(treasury.learners[2])
    assert treasury.standings() == [Standing.NOT_ELIGIBLE, Standing.PAYABLE, Standing.PAYABLE]
    with pytest.raises(Conflict, match="others are to be paid for now"):
        treasury.does("sun", "payment", "second")
    treasury.does("sun", "payment", "returned", "应付的人换了一人")
    treasury.pay()
    assert treasury.standings() == [Standing.NOT_ELIGIBLE, Standing.PAID, Standing.PAID]


def test_an_advance_is_a_share_of_the_whole_and_is_taken_off_the_payment(
    treasury: Treasury,
) -> None:
    treasury.enter(advance_percent=40)
    treasury.finish("opening_filed", "opening_industry", "opening_labour")
    page = treasury.desk.sign_in("jin").get(f"/console/classes/{treasury.class_id}/stages")
    assert "先行拨付最多1440.60元" in page
    ahead: dict[str, Any] = {
        "paid_on": "2026-04-08",
        "fund": "skills",
        "basis": "enterprise",
    }
    with pytest.raises(BadInput, match=r"1440\.60 at most"):
        treasury.does("zhao", "advance", amount_yuan=Decimal("1440.61"), **ahead)
    treasury.does("zhao", "advance", amount_yuan=Decimal("1440.60"), **ahead)
    treasury.does("sun", "advance", "second")
    treasury.finish("supervision", "assessment_filed", "assessment")
    treasury.does("zhao", "claim_filed", **CLAIM)
    treasury.finish("claim_industry")
    treasury.publish()
    treasury.clock.now_ms += 7 * DAY_MS
    treasury.does("sun", "publication", "second")
    treasury.finish("claim_labour")
    with pytest.raises(BadInput, match=r"by the standard it is 960\.40"):
        treasury.pay()
    treasury.pay("960.40")
    assert treasury.subsidy.paid_fen == 240_100
    assert treasury.view("payment").state is StepState.DONE


def test_a_result_of_who_was_not_admitted_is_taken_and_told(treasury: Treasury) -> None:
    desk, names = treasury.desk.sign_in("zhao"), {}
    with desk.services.database.read() as connection:
        for it in class_file.roster(connection, treasury.class_id):
            names[it.id] = it.name, it.external_id
    admitted, refused, _ = (names[it] for it in treasury.learners)
    treasury.overturn(treasury.learners[1])
    rows = [[*names[it], "2026-04-07", "合格"] for it in treasury.learners]
    titles = ["姓名", "学员编号", "考核日期", "是否合格"]
    page = f"/console/classes/{treasury.class_id}/tables"
    shown = hand_in(desk, page, [titles, *rows], "assessments")
    assert "不在准予考核的人之中" in row_of(shown, refused[0])
    assert "不在准予考核的人之中" not in row_of(shown, admitted[0])
    early = [titles, [*admitted, "2026-03-31", "合格"]]
    assert "早于开班日期" in row_of(hand_in(desk, page, early, "assessments"), admitted[0])


def test_a_claim_for_nobody_says_why_there_is_nobody(treasury: Treasury) -> None:
    treasury.enter()
    for learner in treasury.learners:
        treasury.overturn(learner)
    treasury.finish(*BEFORE_NOTICE[:6])
    with pytest.raises(Conflict) as refused:
        treasury.does("zhao", "claim_filed", **CLAIM)
    assert refused.value.code == "nobody_payable"
    page = treasury.desk.sign_in("wei").get(f"/console/classes/{treasury.class_id}/stages")
    assert "现在没有可以申请补贴的人" in page


def test_what_annex_2_lacks_is_told_with_the_place_to_enter_it(treasury: Treasury) -> None:
    page = treasury.desk.sign_in("zhao").get(f"/console/classes/{treasury.class_id}/stages")
    terms = f'<a href="/console/classes/{treasury.class_id}/terms">开班批次（官方班号）</a>'
    assert terms in page.split("附件2还空着：")[1].split("</p>")[0]


def test_money_to_come_back_leads_there_from_overview_and_class_and_keeps_what_was_typed(
    treasury: Treasury,
) -> None:
    treasury.pay_from_the_start()
    treasury.overturn(treasury.learners[0])
    zhao, klass = treasury.desk.sign_in("zhao"), f"/console/classes/{treasury.class_id}"
    assert f"{klass}/stages#recoveries" in zhao.get("/console")
    assert f"{klass}/stages#recoveries" in zhao.get(klass)
    form = {"csrf": zhao.csrf("/console"), "deed": "demanded", "document": "追〔2026〕3号"}
    form |= {"learners": str(treasury.learners[0]), "happened_on": "2026-01-01"}
    refused = zhao.client.post(f"{klass}/recoveries", data=form)
    assert refused.status_code == 422 and "不能早于前面步骤的日期" in refused.text
    assert 'value="追〔2026〕3号"' in refused.text and 'value="2026-01-01"' in refused.text


def test_a_standard_does_not_end_before_it_begins(treasury: Treasury) -> None:
    treasury.enter()
    desk = treasury.desk.sign_in("jin")
    page = desk.client.get("/console/subsidies/1/end?until_on=2025-12-31").text
    assert "停止执行的日期不能早于开始执行的日期" in page and "对谁" not in page


def test_a_finding_after_the_payment_makes_a_recovery_that_ends_with_the_money(
    treasury: Treasury,
) -> None:
    treasury.pay_from_the_start()
    learner = treasury.learners[0]
    with pytest.raises(Conflict, match="nothing"):
        treasury.recover("zhao", learner, "demanded")
    with pytest.raises(Conflict, match="recovered"):
        treasury.does("sun", "payment", "returned", "付错了，退回")
    treasury.overturn(learner)
    assert (treasury.case().state, treasury.case().left_fen) == (RecoveryState.DUE, 120_050)
    with pytest.raises(NotAllowed):
        treasury.recover("jin", learner, "demanded")
    early = (treasury.today - timedelta(days=1)).isoformat()
    with pytest.raises(BadInput, match="before the payment"):
        treasury.recover("zhao", learner, "demanded", happened_on=early)
    treasury.recover("zhao", learner, "demanded")
    with pytest.raises(BadInput, match=r"1200\.50 at most"):
        treasury.recover("jin", learner, "returned", amount_yuan=Decimal("1200.51"))
    treasury.recover("jin", learner, "returned", amount_yuan=Decimal("200"))
    assert (treasury.case().state, treasury.case().left_fen) == (RecoveryState.DEMANDED, 100_050)
    treasury.recover("jin", learner, "returned", amount_yuan=Decimal("1000.50"))
    assert (treasury.case().state, treasury.case().left_fen) == (RecoveryState.RETURNED, 0)
    with treasury.desk.services.database.read() as connection:
        held = connection.scalars(
            select(models.SubsidyPayment.held).order_by(models.SubsidyPayment.learner_id)
        ).all()
        acted = connection.scalars(
            select(models.AuditEntry.action).where(models.AuditEntry.action.like("recovery.%"))
        ).all()
    assert held[0] is None and held[1] is not None
    assert sorted(acted) == ["recovery.demanded", "recovery.returned", "recovery.returned"]


def test_money_that_came_back_is_recorded_once_however_often_its_form_is_sent(
    treasury: Treasury,
) -> None:
    treasury.pay_from_the_start()
    treasury.overturn(treasury.learners[0])
    treasury.recover("zhao", treasury.learners[0], "demanded")
    desk, klass = treasury.desk.sign_in("jin"), f"/console/classes/{treasury.class_id}"
    (seen,) = re.findall(r'name="seen" value="(\d+)"', desk.get(f"{klass}/stages"))
    form = {"csrf": desk.csrf("/console"), "deed": "returned", "document": "缴款书7号"}
    form |= {"learners": str(treasury.learners[0]), "amount_yuan": "200", "seen": seen}
    form["happened_on"] = treasury.today.isoformat()
    assert desk.client.post(f"{klass}/recoveries", data=form).status_code == 200
    again = desk.client.post(f"{klass}/recoveries", data=form)
    assert again.status_code == 409 and "不要重复登记" in again.text
    assert treasury.case().returned_fen == 20_000


def test_one_paper_demands_back_what_was_paid_for_several_who_are_ticked(
    treasury: Treasury,
) -> None:
    treasury.pay_from_the_start()
    several = treasury.learners[:2]
    for learner in several:  # the class turned: everybody in it does
        treasury.overturn(learner)
    desk, klass = treasury.desk.sign_in("zhao"), f"/console/classes/{treasury.class_id}"
    form: dict[str, Any] = {"csrf": desk.csrf("/console"), "deed": "demanded", "document": "追3号"}
    form |= {"happened_on": treasury.today.isoformat(), "step": "look"}
    nobody = desk.client.post(f"{klass}/recoveries", data=form)
    assert nobody.status_code == 422 and "请勾选要追缴的学员" in nobody.text
    form["learners"] = [str(it) for it in several]
    looked = desk.client.post(f"{klass}/recoveries", data=form).text.split('id="looked"')[1]
    assert "向2人追缴" in looked and "2,401.00" in looked and looked.count("1,200.50") >= 2
    assert treasury.states() == {RecoveryState.DUE}
    with pytest.raises(Conflict, match="nothing"):
        treasury.recover("zhao", treasury.learners, "demanded")
    assert treasury.states() == {RecoveryState.DUE}
    desk.client.post(f"{klass}/recoveries", data=form | {"step": ""})
    assert treasury.states() == {RecoveryState.DEMANDED}
    with desk.services.database.read() as connection:
        acted = select(models.AuditEntry.detail).where(
            models.AuditEntry.action == "recovery.demanded"
        )
        assert [it["learner"] for it in connection.scalars(acted)] == several
    with pytest.raises(Conflict, match="nothing"):
        treasury.recover("jin", several, "returned", amount_yuan=Decimal("1"))


def test_who_did_not_pass_after_all_is_to_give_back_what_they_were_paid(treasury: Treasury) -> None:
    treasury.pay_from_the_start()
    learner = treasury.learners[0]

    def passed(yes: bool) -> None:
        mine = models.AssessmentRecord.learner_id == learner
        with treasury.desk.services.database.write() as connection:
            connection.execute(update(models.AssessmentRecord).where(mine).values(passed=yes))

    passed(False)
    assert (treasury.case().state, treasury.case().left_fen) == (RecoveryState.DUE, 120_050)
    treasury.recover("zhao", learner, "demanded")
    passed(True)
    assert treasury.case().state is RecoveryState.SETTLED
    passed(False)
    treasury.recover("jin", learner, "returned", amount_yuan=Decimal("1200.50"))
    assert treasury.case().state is RecoveryState.RETURNED


def test_who_was_paid_does_not_leave_the_class_in_which_it_may_have_to_come_back(
    treasury: Treasury,
) -> None:
    """Who left is judged no more: their payment would stand whatever is upheld afterwards."""
    treasury.enter()
    treasury.publish_and_review()

    def leaves(learner: int) -> int:
        with treasury.desk.services.database.write() as connection:
            return acts.record(
                connection,
                catalogue.class_by_id(connection, treasury.class_id),
                kind="left_class",
                learner=people.by_id(connection, learner).external_id,
                body={"last_on": treasury.today.isoformat()},
                reason="学员本人书面申请",
                document="",
                actor="platform:1",
                user=None,
                now_ms=treasury.clock(),
                vault=treasury.desk.services.vault,
            )

    treasury.pay()
    paid, _, unpaid = treasury.learners
    with pytest.raises(Conflict, match="was paid for this class"):
        leaves(paid)
    leaves(unpaid)
    treasury.overturn(paid)
    assert treasury.case().state is RecoveryState.DUE


def test_a_county_sees_what_is_at_stake_paid_refused_and_to_come_back(treasury: Treasury) -> None:
    treasury.enter()
    treasury.publish_and_review()
    with treasury.desk.services.database.read() as connection:
        (stake,) = funds.stakes(connection, EVERYTHING)
    assert (stake.county, stake.open_fen, stake.refused_fen) == (HERE, 240_100, 120_050)
    here = treasury.desk.sign_in("luo")
    page = here.get("/console/standing?first=2026-04-20&last=2026-05-31")
    assert "¥2,401" in page and "¥1,200" in page and "2,401.00" in page
    later = here.get("/console/standing?first=2026-04-21&last=2026-05-31")
    assert "（估算）" in later and "2,401.00" not in later
    treasury.pay()
    treasury.overturn(treasury.learners[1])
    with treasury.desk.services.database.read() as connection:
        (stake,) = funds.stakes(connection, EVERYTHING)
    assert (stake.open_fen, stake.paid_fen, stake.recover_fen) == (0, 240_100, 120_050)


def test_the_public_is_told_sums_and_of_few_people_no_institution(treasury: Treasury) -> None:
    treasury.pay_from_the_start()
    with treasury.desk.services.database.read() as connection:
        (told,) = funds.public(connection)
    assert (told.institution, told.people, told.paid_fen) == ("", 2, 240_100)


def test_who_is_settled_after_the_payment_is_claimed_in_a_second_batch_and_nobody_paid_twice(
    treasury: Treasury,
) -> None:
    treasury.enter(advance_percent=40)
    treasury.finish("opening_filed", "opening_industry", "opening_labour")
    page = treasury.desk.sign_in("jin").get(f"/console/classes/{treasury.class_id}/stages")
    assert "先行拨付最多1440.60元" in page
    ahead: dict[str, Any] = {"paid_on": "2026-04-08", "fund": "skills", "basis": "enterprise"}
    treasury.does("zhao", "advance", amount_yuan=Decimal("1440.60"), **ahead)
    treasury.does("sun", "advance", "second")
    late = treasury.learners[1]
    treasury.overturn(late)  # an appeal is not decided yet
    treasury.finish("supervision", "assessment_filed", "assessment")
    treasury.claim(people=1, amount_yuan=Decimal("1200.50"))
    treasury.pay("0")  # 240.10 of the advance is left
    with pytest.raises(Conflict, match="nobody of the class"):
        treasury.does("zhao", "claim_filed", **CLAIM | {"filed_on": treasury.today.isoformat()})
    handed_out = [*treasury.view("advance").batches, *treasury.view("payment").batches]
    assert stage_money.beyond_fen(treasury.subsidy, handed_out) == 24_010

    with treasury.desk.services.database.write() as connection:
        enrolment = catalogue.enrolments(connection, treasury.class_id)[late]
        treasury.conclude(connection, treasury.class_id, enrolment, "eligible")
    treasury.claim(people=1, amount_yuan=Decimal("1200.50"))
    assert treasury.view("payment").state is StepState.TO_DO
    assert treasury.view("advance").state is StepState.DONE
    with pytest.raises(BadInput, match=r"by the standard it is 960\.40"):
        treasury.pay("1200.50")
    treasury.pay("960.40")
    step = treasury.view("payment")
    assert [str(it["amount_yuan"]) for it in step.batches] == ["0", "960.40"]
    assert (step.batch, treasury.subsidy.paid_fen) == (2, 240_100)
    with treasury.desk.services.database.read() as connection:
        paid = connection.scalars(select(models.SubsidyPayment.learner_id)).all()
    assert sorted(paid) == sorted(treasury.learners[:2])


def test_a_second_batch_that_is_returned_leaves_the_first_as_it_was_paid(
    treasury: Treasury,
) -> None:
    treasury.enter()
    treasury.overturn(treasury.learners[1])
    treasury.finish(*BEFORE_NOTICE[:6])
    one: dict[str, Any] = {"people": 1, "amount_yuan": Decimal("1200.50")}
    treasury.claim(**one)
    treasury.pay("1200.50")
    one |= {"filed_on": treasury.today.isoformat()}
    with treasury.desk.services.database.write() as connection:
        enrolment = catalogue.enrolments(connection, treasury.class_id)[treasury.learners[1]]
        treasury.conclude(connection, treasury.class_id, enrolment, "eligible")
    treasury.does("zhao", "claim_filed", **CLAIM | one)
    assert treasury.view("claim_industry").state is StepState.TO_DO
    treasury.does("zhao", "claim_filed", "returned", "登记错了，退回")
    step = treasury.view("claim_filed")
    assert (step.batch, step.state, step.earlier) == (1, StepState.DONE, ())
    assert treasury.view("payment").state is StepState.DONE
