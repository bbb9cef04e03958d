"""Checks on one learner before the offline assessment of the class (docs/rules.md section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from detectors.batch_facts import (
    CheckOutcome,
    CheckResult,
    ClassFacts,
    InPerson,
    LearnerFacts,
    Mode,
    Training,
)
from detectors.check_sheet import CheckSheet, Rulebook
from detectors.dates import first_day_after
from detectors.qualifications import Certificate, certificate_of, level_of, without_level


def enough_class_hours(learner: LearnerFacts, klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B5: valid class-hours where only a 培训合格证书 is issued. The text excepts training with an
    explicit rule on hours (有明确学时规定的除外): where the authority recorded one, it holds."""
    policy = book.checks["B5"]
    explicit = klass.explicit_hours
    least = policy["min_class_hours"] if explicit is None else explicit
    sheet = CheckSheet(policy, learner.learner_id)
    certificate = (klass.certificate_type or "").strip()
    if not certificate:
        return sheet.absent("certificate_type")
    kind = certificate_of(certificate)
    if kind is None:
        return sheet.open("unknown_certificate", certificate, certificate=certificate)
    if kind is not Certificate.TRAINING:
        return sheet.not_applicable("other_certificate", certificate=certificate)
    valid = learner.valid_hours
    if valid is None:
        return sheet.absent("valid_hours")
    found = f"{valid:g}"
    said, numbers = "counted", dict[str, Any](valid=valid)
    if explicit is not None:
        said, numbers = "counted_by_own_rule", dict[str, Any](valid=valid, least=explicit)
    if valid >= least:
        return sheet.judged(True, "", found, said, **numbers)
    if valid + learner.open_hours >= least:
        undecided = learner.open_hours
        return sheet.open("class_hours_undecided", found, valid=valid, undecided=undecided)
    return sheet.judged(False, "too_few_class_hours", found, said, **numbers)


def offline_practice(learner: LearnerFacts, klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B18: class-hours in person for the occupations whose row of the catalogue asks for them."""
    policy = book.checks["B18"]
    ordinary = policy["min_offline_hours"]
    sheet = CheckSheet(policy, learner.learner_id)
    if klass.mode is None:
        return sheet.absent("mode")
    if klass.mode is Mode.OFFLINE:
        return sheet.not_applicable("offline")
    if not klass.occupation:
        return sheet.absent("occupation")
    listing = book.listing(klass)
    if listing is None or not listing.hours_in_person(ordinary, lenient=False):
        return sheet.not_applicable("no_offline_practice")
    lenient = book.checks["B19"].word("reading") == "lenient"
    least = listing.hours_in_person(ordinary, lenient=lenient)
    if not least:
        return sheet.not_applicable("lenient_reading")
    hours = learner.offline_hours
    if hours is None:
        return sheet.absent("offline_hours")
    if hours - learner.unsaid_hours < least <= hours:
        return sheet.open("practice_unsaid", f"{hours:g}", hours=hours, unsaid=learner.unsaid_hours)
    said, numbers = "counted", dict[str, Any](hours=hours)
    if least != ordinary:
        said, numbers = "counted_by_row", numbers | {"least": least}
    return sheet.judged(
        hours >= least, "too_little_offline_practice", f"{hours:g}", said, **numbers
    )


def month_since_assessment(learner: LearnerFacts, klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B20: the previous project was assessed, a full calendar month before this class opened.

    The previous project is the latest one opened until this class opened. The month counts from the
    last assessment of any of them: assessed on 2026-04-10, the earliest opening is 2026-05-11. What
    only another platform says bars nobody by itself: the authority decides.
    """
    policy = book.checks["B20"]
    months = round(policy["min_months"])
    sheet = CheckSheet(policy, learner.learner_id)
    opening = klass.starts_on
    if opening is None:
        return sheet.absent("opening")
    if learner.history is None:
        return sheet.absent("history")
    earlier = [it for it in _others(learner, klass) if it.opened_on <= opening]
    if not earlier:
        return sheet.judged(True, "", "-", "none_earlier")
    result = _since_assessment(sheet, earlier, opening, months)
    told_here = [it for it in earlier if not it.elsewhere]
    if result.result is not CheckOutcome.FAIL or len(told_here) == len(earlier):
        return result
    by_that = _since_assessment(sheet, told_here, opening, months) if told_here else None
    if by_that is not None and by_that.result is CheckOutcome.FAIL:
        return by_that
    said = f"{result.said}_elsewhere"
    return sheet.needs_authority(result.reason, result.found, said, **result.numbers)


def _since_assessment(
    sheet: CheckSheet, earlier: Sequence[Training], opening: date, months: int
) -> CheckResult:
    latest = max(it.opened_on for it in earlier)
    previous = [it for it in earlier if it.opened_on == latest]
    days = [it.assessed_on for it in earlier if it.assessed_on is not None]
    earliest = first_day_after(max(days), months) if days else None
    if earliest is not None and opening < earliest:
        return sheet.judged(
            False,
            "assessed_too_recently",
            max(days),
            "assessed_too_recently",
            next_on=earliest,
            assessed=max(days),
            opening=opening,
            earliest=earliest,
        )
    if any(it.assessed is False and it.assessed_on is None for it in previous):
        said = "previous_not_assessed"
        return sheet.judged(False, said, latest, said, opened=latest)
    if any(it.assessed_on is None for it in previous):
        return sheet.absent("assessment")
    return sheet.judged(
        True,
        "",
        max(days),
        "assessed",
        assessed=max(days),
        opening=opening,
    )


def leave_made_up(learner: LearnerFacts, klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B24: leave taken in writing and made up before the assessment counts towards attendance."""
    sheet = CheckSheet(book.checks["B24"], learner.learner_id)
    if not learner.leaves:
        return sheet.not_applicable("no_leave")
    unwritten = [it for it in learner.leaves if not (it.written and it.approved)]
    if unwritten:
        day = unwritten[0].first_day
        return sheet.judged(False, "leave_not_written", day, "leave_not_written", day=day)
    waiting = [it for it in learner.leaves if not it.accepted]
    if waiting:
        day = waiting[0].first_day
        return sheet.needs_authority("leave_not_accepted", day, "leave_not_accepted", day=day)
    made_up = [it.made_up_on for it in learner.leaves if it.made_up_on is not None]
    last = max(made_up, default=None)
    assessed = klass.assessment_planned_on
    if last and assessed and last >= assessed:
        said = "made_up_too_late"
        return sheet.judged(False, said, last, said, last=last, assessed=assessed)
    if len(made_up) < len(learner.leaves):
        left = len(learner.leaves) - len(made_up)
        return sheet.open("make_up_open", left, left=left)
    if assessed is None:
        return sheet.absent("assessment_date")
    return sheet.judged(True, "", last, "made_up", times=len(made_up))


def subsidies_of_the_year(learner: LearnerFacts, klass: ClassFacts, book: Rulebook) -> CheckResult:
    """D1: trainings in the calendar year of the opening, this one included, and repetitions of the
    same occupation at the same level. A level that nobody stated may be the same. Who left a class
    before its end has no subsidy from it."""
    policy = book.checks["D1"]
    most = policy["max_per_year"]
    sheet = CheckSheet(policy, learner.learner_id)
    if klass.starts_on is None:
        return sheet.absent("opening")
    if not klass.occupation:
        return sheet.absent("occupation")
    if learner.history is None:
        return sheet.absent("history")
    others = [it for it in _others(learner, klass) if not it.left]
    year = klass.starts_on.year
    count = 1 + sum(it.opened_on.year == year for it in others)
    repeated = [it for it in others if _same_subject(it, klass, book)]
    said = "counted"
    numbers: dict[str, Any] = {"year": year, "count": count}
    if repeated:
        said, numbers = "repeated", numbers | {"before": ", ".join(it.class_id for it in repeated)}
    if count <= most and not repeated:
        return sheet.judged(True, "", count, said, **numbers)
    reason = "repeated_subject" if repeated else "too_many_in_year"
    if policy["in_principle"]:
        return sheet.needs_authority(reason, count, said, **numbers)
    return sheet.judged(False, reason, count, said, **numbers)


def real_name(learner: LearnerFacts, _klass: ClassFacts, book: Rulebook) -> CheckResult:
    """D17: the learner stands in the system under real-name management. Of several accounts under
    one ID number none is settled: one person would be paid twice, or two stand under one name."""
    sheet = CheckSheet(book.checks["D17"], learner.learner_id)
    if learner.same_person:
        others = "、".join(learner.same_person)
        return sheet.open("identity_shared", others, others=others)
    verified = learner.real_name_verified
    if verified is None:
        return sheet.absent("real_name")
    said = "verified" if verified else "real_name_missing"
    return sheet.judged(verified, "real_name_missing", said, said)


def theory_offline(learner: LearnerFacts, klass: ClassFacts, book: Rulebook) -> CheckResult:
    """E1: practice and a share of the theory are attended offline, in class-hours of the plan."""
    policy = book.checks["E1"]
    sheet = CheckSheet(policy, learner.learner_id)
    if klass.mode is None:
        return sheet.absent("mode")
    if klass.mode is Mode.OFFLINE:
        return sheet.not_applicable("offline")
    if not klass.plan_hours or klass.practical_hours is None:
        return sheet.absent("plan_hours")
    if learner.offline_hours is None:
        return sheet.absent("offline_hours")
    theory = klass.plan_hours - klass.practical_hours
    hours: dict[bool | None, float] = {True: 0.0, False: 0.0, None: 0.0}
    for it in learner.in_person:
        hours[it.practical] += it.hours
    # Of hours of which nobody said what they were, the practice that is still wanting comes first.
    wanting = max(0.0, klass.practical_hours - hours[True])
    offline = hours[False] + max(0.0, hours[None] - wanting)
    return sheet.judged(
        offline >= policy["min_theory_share"] * theory,
        "too_little_theory_offline",
        f"{offline:g}/{theory:g}",
        "counted",
        offline=offline,
        theory=theory,
        practical=klass.practical_hours,
    )


def length_in_person(learner: LearnerFacts, klass: ClassFacts, book: Rulebook) -> CheckResult:
    """E2: a class-hour in person takes so many minutes, in each that was attended."""
    policy = book.checks["E2"]
    least = policy["min_minutes"]
    sheet = CheckSheet(policy, learner.learner_id)
    if klass.mode is None:
        return sheet.absent("mode")
    if klass.mode is Mode.ONLINE:
        return sheet.not_applicable("online")
    if learner.offline_hours is None:
        return sheet.absent("offline_hours")
    hours = sum(it.hours for it in learner.in_person)
    short = [it for it in learner.in_person if it.minutes is not None]
    short = [it for it in short if (it.minutes or 0.0) < least * it.hours]
    if short:
        too_short, found = sum(it.hours for it in short), min(_each(it) for it in short)
        numbers = dict[str, Any](hours=hours, short=too_short, minutes=found)
        return sheet.judged(False, "class_hour_too_short", f"{found:g}", "too_short", **numbers)
    untold = sum(it.hours for it in learner.in_person if it.minutes is None)
    if untold:
        return sheet.open("minutes_untold", f"{untold:g}", hours=hours, untold=untold)
    return sheet.judged(True, "", f"{hours:g}", "long_enough", hours=hours)


def _each(it: InPerson) -> float:
    """Minutes of one class-hour, to one decimal."""
    return round((it.minutes or 0.0) / it.hours, 1)


def _others(learner: LearnerFacts, klass: ClassFacts) -> list[Training]:
    """The learner's other trainings, each class once: histories from two sources overlap."""
    once = {it.class_id: it for it in learner.history or () if it.class_id != klass.class_id}
    return list(once.values())


def _same_subject(training: Training, klass: ClassFacts, book: Rulebook) -> bool:
    same = book.occupations.canonical(training.occupation)
    if same != book.occupations.canonical(klass.occupation or ""):
        return False
    levels = {
        _level(training.occupation, training.level),
        _level(klass.occupation or "", klass.level),
    }
    return len(levels) == 1 or "" in levels


def _level(occupation: str, said: str | None) -> int | str:
    """5 to 1, by any of its names, from the level or from behind the occupation's name; words that
    name none as they are, empty where nobody stated one."""
    words = (said or "").strip()
    return level_of(words) or words or without_level(occupation)[1] or ""
