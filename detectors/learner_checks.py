"""Checks on one learner before the offline assessment of the class (rules.md section 5)."""

from __future__ import annotations

from detectors.batch_facts import CheckResult, ClassFacts, LearnerFacts, Mode, Training
from detectors.check_sheet import Rulebook, Sheet
from detectors.dates import first_day_after

TRAINING_CERTIFICATE = "培训合格证书"


def enough_class_hours(learner: LearnerFacts, klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B5: valid class-hours where only a 培训合格证书 is issued. The text excepts training with an
    explicit rule on hours (有明确学时规定的除外); whether one exists, the authority says."""
    policy = book.checks["B5"]
    least = policy["min_class_hours"]
    sheet = Sheet(policy, learner.learner_id, f"≥ {least:g}")
    certificate = (klass.certificate_type or "").strip()
    if not certificate:
        return sheet.absent("certificate_type", "证书类型", "type of the certificate")
    if certificate != TRAINING_CERTIFICATE:
        return sheet.not_applicable(
            "other_certificate", f"证书类型：{certificate}", f"certificate: {certificate}"
        )
    valid = learner.valid_hours
    if valid is None:
        return sheet.absent("valid_hours", "有效学时", "valid class-hours")
    zh, en = f"有效学时{valid:g}", f"{valid:g} valid class-hours"
    if valid >= least:
        return sheet.judged(True, "", f"{valid:g}", zh, en)
    if klass.explicit_hours_rule:
        return sheet.needs_authority("explicit_hours_rule", f"{valid:g}", zh, en)
    if valid + learner.open_hours >= least:
        undecided = learner.open_hours
        zh, en = f"{zh}，另有{undecided:g}学时未定", f"{en}, {undecided:g} undecided"
        return sheet.open("class_hours_undecided", f"{valid:g}", zh, en)
    return sheet.judged(False, "too_few_class_hours", f"{valid:g}", zh, en)


def offline_practice(learner: LearnerFacts, klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B18: offline class-hours for the occupations of the second row of 附件3."""
    policy = book.checks["B18"]
    least = policy["min_offline_hours"]
    sheet = Sheet(policy, learner.learner_id, f"≥ {least:g}")
    if klass.mode is None:
        return sheet.absent("mode", "培训方式", "mode of teaching")
    if klass.mode is Mode.OFFLINE:
        return sheet.not_applicable("offline", "线下培训，不适用", "offline training")
    if not klass.occupation:
        return sheet.absent("occupation", "培训职业（工种）", "occupation")
    listing = book.listing(klass)
    if listing is None or listing.offline_name is None:
        return sheet.not_applicable(
            "no_offline_practice", "附件3未要求线下实训", "annex 3 asks for no offline practice"
        )
    if listing.conflict and book.checks["B19"].word("reading") == "lenient":
        return sheet.not_applicable(
            "lenient_reading", "两行冲突，从宽适用全线上培训", "both rows name it, read leniently"
        )
    hours = learner.offline_hours
    if hours is None:
        return sheet.absent("offline_hours", "线下实训考勤", "offline attendance")
    return sheet.judged(
        hours >= least,
        "too_little_offline_practice",
        f"{hours:g}",
        f"线下实训{hours:g}学时",
        f"{hours:g} class-hours of offline practice",
    )


def month_since_assessment(learner: LearnerFacts, klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B20: the previous project was assessed, a full calendar month before this class opened.

    The previous project is the latest one opened until this class opened. The month counts from the
    last assessment of any of them: assessed on 2026-04-10, the earliest opening is 2026-05-11.
    """
    policy = book.checks["B20"]
    months = round(policy["min_months"])
    sheet = Sheet(policy, learner.learner_id, f"满{months}个月")
    opening = klass.starts_on
    if opening is None:
        return sheet.absent("opening", "开班日期", "date of the opening")
    if learner.history is None:
        return sheet.absent("history", "以往培训记录", "earlier trainings")
    earlier = [it for it in _others(learner, klass) if it.opened_on <= opening]
    if not earlier:
        return sheet.judged(True, "", "-", "此前无补贴性培训", "no earlier subsidised training")
    latest = max(it.opened_on for it in earlier)
    previous = [it for it in earlier if it.opened_on == latest]
    days = [it.assessed_on for it in earlier if it.assessed_on is not None]
    earliest = first_day_after(max(days), months) if days else None
    if earliest is not None and opening < earliest:
        return sheet.judged(
            False,
            "assessed_too_recently",
            max(days),
            f"上次考核{max(days)}，{opening}开班，最早可于{earliest}开班",
            f"assessed on {max(days)}, opened on {opening}; {earliest} is the earliest",
            next_on=earliest,
        )
    if any(it.assessed is False and it.assessed_on is None for it in previous):
        zh, en = (
            f"{latest}开班的上一个项目未考核",
            f"the project opened on {latest} is not assessed",
        )
        return sheet.judged(False, "previous_not_assessed", latest, zh, en)
    if any(it.assessed_on is None for it in previous):
        return sheet.absent("assessment", "上一个项目的考核日期", "date of the previous assessment")
    return sheet.judged(
        True,
        "",
        max(days),
        f"上次考核{max(days)}，{opening}开班",
        f"assessed on {max(days)}, opened on {opening}",
    )


def leave_made_up(learner: LearnerFacts, klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B24: leave taken in writing and made up before the assessment counts towards attendance."""
    sheet = Sheet(book.checks["B24"], learner.learner_id, "书面请假，结业考核前补课")
    if not learner.leaves:
        return sheet.not_applicable("no_leave", "无请假登记", "no leave on record")
    unwritten = [it for it in learner.leaves if not (it.written and it.approved)]
    if unwritten:
        day = unwritten[0].first_day
        zh, en = f"{day}缺课未履行书面请假手续", f"absence of {day} without approved written leave"
        return sheet.judged(False, "leave_not_written", day, zh, en)
    made_up = [it.made_up_on for it in learner.leaves if it.made_up_on is not None]
    last = max(made_up, default=None)
    assessed = klass.assessment_planned_on
    if last and assessed and last >= assessed:
        zh, en = f"{last}补课，不早于考核日{assessed}", f"made up on {last}, not before {assessed}"
        return sheet.judged(False, "made_up_too_late", last, zh, en)
    if len(made_up) < len(learner.leaves):
        left = len(learner.leaves) - len(made_up)
        return sheet.open("make_up_open", left, f"{left}次请假尚未补课", f"{left} not made up yet")
    if assessed is None:
        return sheet.absent("assessment_date", "考核日期", "date of the assessment")
    zh, en = f"请假{len(made_up)}次，均已补课", f"{len(made_up)} leaves, all made up"
    return sheet.judged(True, "", last, zh, en)


def subsidies_of_the_year(learner: LearnerFacts, klass: ClassFacts, book: Rulebook) -> CheckResult:
    """D1: trainings in the calendar year of the opening, this one included, and repetitions of the
    same occupation at the same level. A level that nobody stated may be the same."""
    policy = book.checks["D1"]
    most = policy["max_per_year"]
    sheet = Sheet(policy, learner.learner_id, f"≤ {most:g}")
    if klass.starts_on is None:
        return sheet.absent("opening", "开班日期", "date of the opening")
    if not klass.occupation:
        return sheet.absent("occupation", "培训职业（工种）", "occupation")
    if learner.history is None:
        return sheet.absent("history", "以往培训记录", "earlier trainings")
    others = _others(learner, klass)
    year = klass.starts_on.year
    count = 1 + sum(it.opened_on.year == year for it in others)
    zh, en = f"{year}年第{count}次补贴性培训", f"training no. {count} of {year}"
    repeated = [it for it in others if _same_subject(it, klass, book)]
    if repeated:
        before = ", ".join(it.class_id for it in repeated)
        zh, en = f"{zh}；同职业同等级重复：{before}", f"{en}; same occupation and level: {before}"
    if count <= most and not repeated:
        return sheet.judged(True, "", count, zh, en)
    reason = "repeated_subject" if repeated else "too_many_in_year"
    if policy["in_principle"]:
        return sheet.needs_authority(reason, count, zh, en)
    return sheet.judged(False, reason, count, zh, en)


def real_name(learner: LearnerFacts, klass: ClassFacts, book: Rulebook) -> CheckResult:
    """D17: the learner stands in the system under real-name management."""
    sheet = Sheet(book.checks["D17"], learner.learner_id, "已实名")
    verified = learner.real_name_verified
    if verified is None:
        return sheet.absent("real_name", "实名认证状态", "real-name status")
    zh, en = ("已实名", "verified") if verified else ("未实名", "not verified")
    return sheet.judged(verified, "real_name_missing", zh, zh, en)


def _others(learner: LearnerFacts, klass: ClassFacts) -> list[Training]:
    """The learner's other trainings, each class once: histories from two sources overlap."""
    once = {it.class_id: it for it in learner.history or () if it.class_id != klass.class_id}
    return list(once.values())


def _same_subject(training: Training, klass: ClassFacts, book: Rulebook) -> bool:
    same = book.occupations.canonical(training.occupation)
    if same != book.occupations.canonical(klass.occupation or ""):
        return False
    levels = {(training.level or "").strip(), (klass.level or "").strip()}
    return len(levels) == 1 or "" in levels
