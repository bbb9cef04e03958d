"""Checks on a class before its offline assessment (docs/rules.md section 5)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from detectors import recordings
from detectors.batch_facts import (
    ApplicantKind,
    CheckResult,
    ClassFacts,
    Mode,
    Survey,
    TrainingKind,
)
from detectors.check_sheet import CheckSheet, Rulebook
from detectors.dates import first_day_after, months_later, window_after
from detectors.recordings import Recorded, RecordedHour, Teaching


def official_class_number(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B1: the class carries the official system's class number. None at all is a failure too."""
    sheet = CheckSheet(book.checks["B1"], klass.class_id)
    number = (klass.official_class_no or "").strip()
    if number:
        return sheet.judged(True, "", number, "numbered", number=number)
    return sheet.judged(False, "no_official_number", "-", "no_official_number")


def learners_per_teacher(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B10: learners to a teacher, and to a workplace where somebody said how many there are; a
    class that is wholly online needs none."""
    policy = book.checks["B10"]
    most = policy["max_learners_per_teacher"]
    sheet = CheckSheet(policy, klass.class_id)
    if klass.roster is None:
        return sheet.absent("roster")
    if klass.teachers is None:
        return sheet.absent("teachers")
    places = klass.workplaces
    if places is not None and klass.mode is not Mode.ONLINE and klass.roster > most * places:
        return sheet.judged(
            False,
            "too_few_workplaces",
            f"{klass.roster}:{places}",
            "places",
            learners=klass.roster,
            places=places,
        )
    return sheet.judged(
        klass.roster <= most * klass.teachers,
        "too_few_teachers",
        f"{klass.roster}:{klass.teachers}",
        "counted",
        learners=klass.roster,
        teachers=klass.teachers,
    )


def class_size(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B11: persons on the roster."""
    policy = book.checks["B11"]
    most = policy["max_learners"]
    sheet = CheckSheet(policy, klass.class_id)
    if klass.roster is None:
        return sheet.absent("roster")
    return sheet.judged(
        klass.roster <= most,
        "class_too_large",
        klass.roster,
        "counted",
        learners=klass.roster,
        most=most,
    )


def practical_share(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B13: share of practical class-hours, for offline and blended plans outside the catalogue."""
    policy = book.checks["B13"]
    least = policy["min_practical_share"]
    sheet = CheckSheet(policy, klass.class_id)
    if klass.mode is None:
        return sheet.absent("mode")
    if klass.mode is Mode.ONLINE:
        return sheet.not_applicable("online")
    if not klass.occupation:
        return sheet.absent("occupation")
    if book.listing(klass) is not None:
        return sheet.not_applicable("annex_3")
    if not klass.plan_hours or klass.practical_hours is None:
        return sheet.absent("plan_hours")
    # One correctly rounded division: it equals the limit exactly when the true quotient does.
    share = klass.practical_hours / klass.plan_hours
    counts = f"{klass.practical_hours:g}/{klass.plan_hours:g}"
    return sheet.judged(
        share >= least,
        "too_little_practice",
        f"{share:.2%} ({counts})",
        "counted",
        practical=klass.practical_hours,
        planned=klass.plan_hours,
    )


def theory_recorded(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B6: theory in person is recorded throughout. The text says what has to be, not what follows
    where it is not: a shortfall is left to the authority."""
    return _recorded(klass, book, "B6", practical=False)


def practice_recorded(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B7: every class-hour of practice in person is recorded for some minutes without a break."""
    return _recorded(klass, book, "B7", practical=True)


def _recorded(klass: ClassFacts, book: Rulebook, check: str, *, practical: bool) -> CheckResult:
    sheet = CheckSheet(book.checks[check], klass.class_id)
    if klass.mode is Mode.ONLINE and klass.teaching is None:
        return sheet.not_applicable("online")
    if klass.teaching is None:
        return sheet.absent("offline_attendance")
    mine = [it for it in recorded_hours(klass.teaching, book) if it.practical is practical]
    if not mine:
        return sheet.not_applicable("none_taught")
    passed = sum(it.result is Recorded.PASS for it in mine)
    counts: dict[str, Any] = {"recorded": passed, "taught": len(mine)}
    found = f"{passed}/{len(mine)}"
    if passed == len(mine):
        return sheet.judged(True, "", found, "recorded", **counts)
    return sheet.needs_authority("not_recorded", found, **counts)


def recorded_hours(teaching: Teaching, book: Rulebook) -> list[RecordedHour]:
    """Every class-hour that was taught in person, by the minutes of the pack's checks."""
    return recordings.hours(
        teaching,
        hour_minutes=book.checks["B6"]["min_minutes"],
        continuous_minutes=book.checks["B7"]["min_continuous_minutes"],
    )


def apprentices_per_teacher(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B14: apprentices of one occupation to its full-time teachers at the institution. The text
    does not say over what time: beyond the limit on one day fails, beyond it over the year only is
    left to the authority, and so is an institution that has no teachers on file."""
    policy = book.checks["B14"]
    sheet = CheckSheet(policy, klass.class_id)
    if klass.training_kind is None:
        return sheet.absent("training_kind")
    if klass.training_kind is not TrainingKind.APPRENTICESHIP:
        return sheet.not_applicable("no_apprenticeship")
    there = klass.apprentices
    if there is None:
        return sheet.absent("apprentices")
    if there.teachers is None:
        return sheet.needs_authority("teachers_not_filed", there.of_year, people=there.of_year)
    counts: dict[str, Any] = {
        "people": there.at_once,
        "year": there.of_year,
        "teachers": there.teachers,
    }
    found = f"{there.at_once}({there.of_year}):{there.teachers}"
    most = policy["max_apprentices_per_teacher"] * there.teachers
    if there.at_once <= most < there.of_year:
        return sheet.needs_authority("many_apprentices_of_year", found, **counts)
    within = there.at_once <= most
    return sheet.judged(within, "too_many_apprentices", found, "counted", **counts)


def in_catalogue(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B17: an online class trains an occupation of the catalogue. Of others no text tells."""
    sheet = CheckSheet(book.checks["B17"], klass.class_id)
    if klass.mode is None:
        return sheet.absent("mode")
    if klass.mode is Mode.OFFLINE:
        return sheet.not_applicable("offline")
    if not klass.occupation:
        return sheet.absent("occupation")
    listing = book.listing(klass)
    if listing is not None:
        exact = listing.name
        said = "listed_by_alias" if listing.by_alias else "listed"
        return sheet.judged(True, "", exact, said, name=exact)
    if klass.mode is Mode.BLENDED:
        return sheet.not_applicable("blended", klass.occupation)
    return sheet.needs_authority("not_in_annex_3", klass.occupation, name=klass.occupation)


def annex_conflict(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B19: rows of the catalogue that contradict each other name the occupation; which reading the
    pack applies is shown."""
    policy = book.checks["B19"]
    reading = policy.word("reading")
    sheet = CheckSheet(policy, klass.class_id)
    if klass.mode is None:
        return sheet.absent("mode")
    if not klass.occupation:
        return sheet.absent("occupation")
    listing = book.listing(klass)
    if klass.mode is Mode.OFFLINE or listing is None or not listing.conflict:
        return sheet.not_applicable("no_conflict")
    rows = "/ ".join(f"{name}（{row.title}）" for row, name in listing.rows)
    return sheet.judged(True, "", rows, reading)


def assessment_month(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """C1: the month of the assessment; a wrong one is refused with the next window."""
    policy = book.checks["C1"]
    months = policy.numbers("months")
    sheet = CheckSheet(policy, klass.class_id)
    planned = klass.assessment_planned_on
    if planned is None:
        return sheet.absent("assessment_date")
    if planned.month in months:
        return sheet.judged(True, "", planned, "planned", planned=planned)
    window = window_after(planned, months)
    return sheet.judged(
        False,
        "not_an_assessment_month",
        planned,
        "not_an_assessment_month",
        next_on=window.first,
        planned=planned,
        first=window.first,
        last=window.last,
    )


def assessment_offline(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """C2: the assessment is offline."""
    sheet = CheckSheet(book.checks["C2"], klass.class_id)
    mode = klass.assessment_mode
    if mode is None:
        return sheet.absent("assessment_mode")
    return sheet.judged(mode is Mode.OFFLINE, "assessment_not_offline", mode, mode)


def enterprise_applies(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """C3: for training of the catalogue only an enterprise applies. Training of such an occupation
    in person is outside its words, so there another applicant is for the authority to decide."""
    sheet = CheckSheet(book.checks["C3"], klass.class_id)
    if not klass.occupation:
        return sheet.absent("occupation")
    if book.listing(klass) is None:
        return sheet.not_applicable("not_annex_3")
    if klass.applicant is None:
        return sheet.absent("applicant")
    applicant = klass.applicant
    if applicant is ApplicantKind.ENTERPRISE:
        return sheet.judged(True, "", applicant, applicant)
    if klass.mode is None:
        return sheet.absent("mode")
    if klass.mode is Mode.OFFLINE:
        return sheet.needs_authority("offline_annex_3", applicant, applicant)
    return sheet.judged(False, "applicant_not_enterprise", applicant, applicant)


def applied_ahead(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """C7: application date ≤ assessment date - 3 days."""
    policy = book.checks["C7"]
    ahead = round(policy["days_ahead"])
    sheet = CheckSheet(policy, klass.class_id)
    planned, applied = klass.assessment_planned_on, klass.assessment_applied_on
    if planned is None:
        return sheet.absent("assessment_date")
    if applied is None:
        return sheet.absent("application_date")
    days = (planned - applied).days
    return sheet.judged(
        days >= ahead,
        "applied_too_late",
        days,
        "applied",
        next_on=None if days >= ahead else applied + timedelta(days=ahead),
        applied=applied,
        planned=planned,
        days=days,
    )


def satisfaction(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """C11: satisfied among valid answers. A low share blocks the institution's next openings."""
    policy = book.checks["C11"]
    least = policy["min_satisfaction"]
    sheet = CheckSheet(policy, klass.class_id)
    survey = klass.survey
    if survey is None or survey.valid_answers == 0:
        return sheet.absent("survey")
    if klass.roster is not None and survey.valid_answers > klass.roster:
        found = f"{survey.valid_answers}/{klass.roster}"
        numbers = {"answers": survey.valid_answers, "learners": klass.roster}
        return sheet.open("more_answers_than_learners", found, **numbers)
    share = survey.satisfied / survey.valid_answers
    counts: dict[str, Any] = {"satisfied": survey.satisfied, "answers": survey.valid_answers}
    found = f"{share:.2%} ({survey.satisfied}/{survey.valid_answers})"
    if share >= least or survey.closed_on is None:
        return sheet.judged(share >= least, "satisfaction_low", found, "counted", **counts)
    opens = first_day_after(survey.closed_on, round(policy["block_months"]))
    return sheet.judged(
        False,
        "satisfaction_low",
        found,
        "rectification",
        next_on=opens,
        opens=opens,
        **counts,
    )


def opened_outside_rectification(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """C11, opening: no class opens in the month after a low survey of the same institution."""
    survey_policy = book.checks["C11"]
    least, months = survey_policy["min_satisfaction"], round(survey_policy["block_months"])
    sheet = CheckSheet(book.checks["C11_opening"], klass.class_id)
    opening = klass.starts_on
    if opening is None:
        return sheet.absent("opening")
    if klass.institution_surveys is None:
        return sheet.absent("institution_surveys")
    low = [it for it in klass.institution_surveys if it.valid_answers and _share(it) < least]
    blocks = [it.closed_on for it in low if it.closed_on is not None]
    hit = [day for day in blocks if day < opening <= months_later(day, months)]
    if hit:
        first = first_day_after(max(hit), months)
        return sheet.judged(
            False,
            "opened_during_rectification",
            opening,
            "opened_during_rectification",
            next_on=first,
            opening=opening,
            first=first,
        )
    if len(blocks) < len(low):
        return sheet.absent("survey_date")
    return sheet.judged(True, "", opening, "opened", opening=opening)


def _share(survey: Survey) -> float:
    return survey.satisfied / survey.valid_answers
