"""Checks on a class before its offline assessment (rules.md section 5)."""

from __future__ import annotations

from datetime import timedelta

from detectors.batch_facts import Applicant, CheckResult, ClassFacts, Mode, Survey
from detectors.check_sheet import Rulebook, Sheet
from detectors.dates import first_day_after, months_later, window_after


def official_class_number(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B1: the class carries the official system's class number. None at all is a failure too."""
    sheet = Sheet(book.checks["B1"], klass.class_id, "官方系统班级编号")
    number = (klass.official_class_no or "").strip()
    if number:
        return sheet.judged(True, "", number, f"官方班级编号{number}", f"official number {number}")
    return sheet.judged(
        False,
        "no_official_number",
        "-",
        "没有官方系统班级编号",
        "no class number of the official system",
    )


def learners_per_teacher(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B10: learners to a teacher. The clause also names workplaces, which no platform reports."""
    policy = book.checks["B10"]
    most = policy["max_learners_per_teacher"]
    sheet = Sheet(policy, klass.class_id, f"≤ {most:g}")
    if klass.roster is None:
        return sheet.absent("roster", "花名册", "roster")
    if klass.teachers is None:
        return sheet.absent("teachers", "教师人数", "number of teachers")
    return sheet.judged(
        klass.roster <= most * klass.teachers,
        "too_few_teachers",
        f"{klass.roster}:{klass.teachers}",
        f"学员{klass.roster}人，教师{klass.teachers}人",
        f"{klass.roster} learners, {klass.teachers} teachers",
    )


def class_size(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B11: persons on the roster."""
    policy = book.checks["B11"]
    most = policy["max_learners"]
    sheet = Sheet(policy, klass.class_id, f"≤ {most:g}")
    if klass.roster is None:
        return sheet.absent("roster", "花名册", "roster")
    return sheet.judged(
        klass.roster <= most,
        "class_too_large",
        klass.roster,
        f"花名册{klass.roster}人，上限{most:g}人",
        f"{klass.roster} on the roster, at most {most:g}",
    )


def practical_share(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B13: share of practical class-hours, for offline and blended plans outside 附件3."""
    policy = book.checks["B13"]
    least = policy["min_practical_share"]
    sheet = Sheet(policy, klass.class_id, f"≥ {least:.0%}")
    if klass.mode is None:
        return sheet.absent("mode", "培训方式", "mode of teaching")
    if klass.mode is Mode.ONLINE:
        return sheet.not_applicable("online", "纯线上培训，不适用", "wholly online")
    if not klass.occupation:
        return sheet.absent("occupation", "培训职业（工种）", "occupation")
    if book.listing(klass) is not None:
        return sheet.not_applicable("annex_3", "附件3职业，不适用", "an occupation of annex 3")
    if not klass.plan_hours or klass.practical_hours is None:
        return sheet.absent("plan_hours", "总课时与实操课时", "planned and practical class-hours")
    # One correctly rounded division: it equals the limit exactly when the true quotient does.
    share = klass.practical_hours / klass.plan_hours
    counts = f"{klass.practical_hours:g}/{klass.plan_hours:g}"
    return sheet.judged(
        share >= least,
        "too_little_practice",
        f"{share:.2%} ({counts})",
        f"实操{klass.practical_hours:g}课时，共{klass.plan_hours:g}课时",
        f"{klass.practical_hours:g} practical of {klass.plan_hours:g} class-hours",
    )


def in_catalogue(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B17: an online class trains an occupation of 附件3. Of others the text says nothing."""
    sheet = Sheet(book.checks["B17"], klass.class_id, "附件3")
    if klass.mode is None:
        return sheet.absent("mode", "培训方式", "mode of teaching")
    if klass.mode is Mode.OFFLINE:
        return sheet.not_applicable("offline", "线下培训，不适用", "offline training")
    if not klass.occupation:
        return sheet.absent("occupation", "培训职业（工种）", "occupation")
    listing = book.listing(klass)
    if listing is not None:
        exact = listing.online_name or listing.offline_name or ""
        how_zh, how_en = ("（按别名匹配）", " (by alias)") if listing.by_alias else ("", "")
        zh, en = f"附件3列有“{exact}”{how_zh}", f"annex 3 names {exact}{how_en}"
        return sheet.judged(True, "", exact, zh, en)
    if klass.mode is Mode.BLENDED:
        return sheet.not_applicable(
            "blended", "线上线下融合培训，附件3未列", "blended, not in annex 3", klass.occupation
        )
    return sheet.needs_authority(
        "not_in_annex_3",
        klass.occupation,
        f"附件3未列“{klass.occupation}”，纯线上培训由主管部门认定",
        f"annex 3 does not name {klass.occupation}: the authority decides on online training",
    )


def annex_conflict(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B19: both rows of 附件3 name the occupation; which reading the pack applies is shown."""
    policy = book.checks["B19"]
    reading = policy.word("reading")
    sheet = Sheet(policy, klass.class_id, reading)
    if klass.mode is None:
        return sheet.absent("mode", "培训方式", "mode of teaching")
    if not klass.occupation:
        return sheet.absent("occupation", "培训职业（工种）", "occupation")
    listing = book.listing(klass)
    if klass.mode is Mode.OFFLINE or listing is None or not listing.conflict:
        return sheet.not_applicable("no_conflict", "附件3两行无冲突", "no conflict in annex 3")
    both = f"{listing.online_name}（全线上培训）/ {listing.offline_name}（不少于8个学时）"
    reading_zh = "从严" if reading == "stricter" else "从宽"
    return sheet.judged(
        True,
        "",
        both,
        f"附件3两行均列有该职业，{reading_zh}适用",
        f"both rows of annex 3 name it; the {reading} reading applies",
    )


def assessment_month(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """C1: the month of the assessment; a wrong one is refused with the next window."""
    policy = book.checks["C1"]
    months = policy.numbers("months")
    sheet = Sheet(policy, klass.class_id, "、".join(f"{month}月" for month in months))
    planned = klass.assessment_planned_on
    if planned is None:
        return sheet.absent("assessment_date", "考核日期", "date of the assessment")
    if planned.month in months:
        zh, en = f"考核日期{planned}", f"assessment on {planned}"
        return sheet.judged(True, "", planned, zh, en)
    window = window_after(planned, months)
    return sheet.judged(
        False,
        "not_an_assessment_month",
        planned,
        f"考核日期{planned}不在考核月份，下一考核期{window.first}至{window.last}",
        f"{planned} is in no assessment month; the next is {window.first} to {window.last}",
        next_on=window.first,
    )


def assessment_offline(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """C2: the assessment is offline."""
    sheet = Sheet(book.checks["C2"], klass.class_id, Mode.OFFLINE)
    mode = klass.assessment_mode
    if mode is None:
        return sheet.absent("assessment_mode", "考核方式", "mode of the assessment")
    return sheet.judged(
        mode is Mode.OFFLINE,
        "assessment_not_offline",
        mode,
        f"考核方式：{_MODE_ZH[mode]}",
        f"mode of the assessment: {mode}",
    )


def enterprise_applies(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """C3: for training of 附件3 only an enterprise applies. Offline training of such an occupation
    is outside the words of the annex, so there another applicant is for the authority to decide."""
    sheet = Sheet(book.checks["C3"], klass.class_id, Applicant.ENTERPRISE)
    if not klass.occupation:
        return sheet.absent("occupation", "培训职业（工种）", "occupation")
    if book.listing(klass) is None:
        return sheet.not_applicable("not_annex_3", "非附件3职业", "not an occupation of annex 3")
    if klass.applicant is None:
        return sheet.absent("applicant", "申请主体类型", "type of the applicant")
    zh = f"申请主体：{_APPLICANT_ZH[klass.applicant]}"
    en = f"applicant: {klass.applicant}"
    if klass.applicant is Applicant.ENTERPRISE:
        return sheet.judged(True, "", klass.applicant, zh, en)
    if klass.mode is None:
        return sheet.absent("mode", "培训方式", "mode of teaching")
    if klass.mode is Mode.OFFLINE:
        return sheet.needs_authority("offline_annex_3", klass.applicant, zh, en)
    return sheet.judged(False, "applicant_not_enterprise", klass.applicant, zh, en)


def applied_ahead(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """C7: application date ≤ assessment date - 3 days."""
    policy = book.checks["C7"]
    ahead = round(policy["days_ahead"])
    sheet = Sheet(policy, klass.class_id, f"≥ {ahead}天")
    planned, applied = klass.assessment_planned_on, klass.assessment_applied_on
    if planned is None:
        return sheet.absent("assessment_date", "考核日期", "date of the assessment")
    if applied is None:
        return sheet.absent("application_date", "考核申请日期", "date of the application")
    days = (planned - applied).days
    return sheet.judged(
        days >= ahead,
        "applied_too_late",
        f"{days}天",
        f"{applied}提出申请，{planned}考核，提前{days}天",
        f"applied on {applied} for {planned}: {days} days ahead",
        next_on=None if days >= ahead else applied + timedelta(days=ahead),
    )


def satisfaction(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """C11: satisfied among valid answers. A low share blocks the institution's next openings."""
    policy = book.checks["C11"]
    least = policy["min_satisfaction"]
    sheet = Sheet(policy, klass.class_id, f"≥ {least:.0%}")
    survey = klass.survey
    if survey is None or survey.valid_answers == 0:
        return sheet.absent("survey", "满意度调查有效答卷", "valid answers to the survey")
    share = survey.satisfied / survey.valid_answers
    zh = f"满意{survey.satisfied}人，有效答卷{survey.valid_answers}份"
    en = f"{survey.satisfied} satisfied of {survey.valid_answers} valid answers"
    found = f"{share:.2%} ({survey.satisfied}/{survey.valid_answers})"
    if share >= least or survey.closed_on is None:
        return sheet.judged(share >= least, "satisfaction_low", found, zh, en)
    opens = first_day_after(survey.closed_on, round(policy["block_months"]))
    return sheet.judged(
        False,
        "satisfaction_low",
        found,
        f"{zh}；停止开班整改，{opens}起方可开班",
        f"{en}; no class opens before {opens}",
        next_on=opens,
    )


def opened_outside_rectification(klass: ClassFacts, book: Rulebook) -> CheckResult:
    """C11, opening: no class opens in the month after a low survey of the same institution."""
    survey_policy = book.checks["C11"]
    least, months = survey_policy["min_satisfaction"], round(survey_policy["block_months"])
    sheet = Sheet(book.checks["C11_opening"], klass.class_id, f"整改期{months}个月")
    opening = klass.starts_on
    if opening is None:
        return sheet.absent("opening", "开班日期", "date of the opening")
    if klass.institution_surveys is None:
        return sheet.absent("institution_surveys", "机构历次满意度", "the institution's surveys")
    low = [it for it in klass.institution_surveys if it.valid_answers and _share(it) < least]
    blocks = [it.closed_on for it in low if it.closed_on is not None]
    hit = [day for day in blocks if day < opening <= months_later(day, months)]
    if hit:
        first = first_day_after(max(hit), months)
        return sheet.judged(
            False,
            "opened_during_rectification",
            opening,
            f"{opening}开班，处于整改期内，{first}起方可开班",
            f"opened on {opening} during rectification; {first} is the first day allowed",
            next_on=first,
        )
    if len(blocks) < len(low):
        return sheet.absent("survey_date", "满意度调查日期", "date of a low survey")
    zh, en = f"{opening}开班，不在整改期", f"opened on {opening}, outside rectification"
    return sheet.judged(True, "", opening, zh, en)


def _share(survey: Survey) -> float:
    return survey.satisfied / survey.valid_answers


_MODE_ZH = {Mode.ONLINE: "线上", Mode.BLENDED: "线上线下融合", Mode.OFFLINE: "线下"}
_APPLICANT_ZH = {
    Applicant.ENTERPRISE: "企业",
    Applicant.INSTITUTION: "培训机构",
    Applicant.INDIVIDUAL: "个人",
}
