"""Why a verdict is not the best one, with what can still be done about it, and how it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from msgspec import UNSET, UnsetType

from app.domain.judging.check_sentences import sentence_of
from app.domain.judging.verdict_body import clause_body
from app.domain.policy.pack import Pack
from app.domain.policy.packs import found, rule_title
from app.languages import Text
from app.store.bodies import CureBody, ReasonBody
from detectors.batch_facts import CheckResult
from detectors.eligibility import Cure, Deadlines, VerdictReason

# code → Chinese, English. {n} how many, {o} of how many, {h} which class-hours, {r} the title of
# the rule.
SENTENCES: dict[str, tuple[str, str]] = {
    "hours_violation": (
        "{n}个课时不符合规则，无效：第{h}课时。",
        "{n} class-hours do not meet the rules and are invalid: {h}.",
    ),
    "hours_on_leave": (
        "请假缺课，{n}个课时尚未补课：第{h}课时。",
        "{n} class-hours were missed on leave and are not made up: {h}.",
    ),
    "hours_not_studied": (
        "{n}个课时没有学完：第{h}课时。",
        "{n} class-hours are not finished: {h}.",
    ),
    "hours_in_review": (
        "{n}个课时待人工复核：第{h}课时。",
        "{n} class-hours wait for a reviewer: {h}.",
    ),
    "hours_not_proven": (
        "{n}个课时未能证实，不作违规认定：第{h}课时。",
        "{n} class-hours are not proven; nobody is accused: {h}.",
    ),
    "violation_upheld": (
        "“{r}”违规{n}项，已经两人复核认定。",
        "{n} violations ({r}) were upheld by two reviewers.",
    ),
    "violation_awaits_reviewers": (
        "“{r}”{n}项，须经两人复核后认定。",
        "{n} findings ({r}) wait for two reviewers.",
    ),
    "violation_in_review": (
        "“{r}”{n}项，尚未人工复核。",
        "{n} findings ({r}) wait for a reviewer.",
    ),
    "appeal_waiting": (
        "“{r}”{n}项已提出申诉，尚未答复。",
        "{n} findings ({r}) were appealed against; the answer is due.",
    ),
    "finding_in_review": (
        "“{r}”存疑{n}项，待人工复核。",
        "{n} suspicions ({r}) wait for a reviewer.",
    ),
    "control_not_proven": (
        "没有证据表明平台有无“{r}”所涉管控，暂不认定。",
        "The evidence does not tell whether the platform has the control ({r}).",
    ),
    "control_missing": (
        "平台缺少“{r}”所涉管控，已经两人复核认定，影响全班。",
        "The platform lacks the control ({r}), as two reviewers upheld: it is the whole class's.",
    ),
    "control_missing_awaits_reviewers": (
        "平台疑缺“{r}”所涉管控，须经两人复核后认定。",
        "The platform seems to lack the control ({r}); two reviewers decide.",
    ),
    "hours_attested": (
        "{n}个课时只有平台日志佐证，须由主管部门登记认可后才能计入：第{h}课时。",
        "{n} class-hours rest on a platform's log alone and count once the authority has recorded "
        "that it accepts it: {h}.",
    ),
    "attested_not_accepted": (
        "全班{o}个有效课时中有{n}个只有平台日志佐证，须由主管部门登记认可后才能受理。",
        "{n} of the class's {o} valid class-hours rest on a platform's log alone; the authority "
        "has to record that it accepts it.",
    ),
    "attested_alone": (
        "全班的学习记录只有平台日志佐证，须由主管部门登记认可后才能受理。",
        "All of the class's study rests on a platform's log alone; the authority has to record "
        "that it accepts it.",
    ),
    "hours_platform_controls": (
        "{n}个课时的弹窗、抓拍和人脸比对由平台自行实施，须由主管部门登记认可后才能计入：第{h}课时。",
        "{n} class-hours rest on pop-ups, photos and face checks that the platform runs by itself, "
        "and count once the authority has recorded that it accepts these: {h}.",
    ),
    "platform_controls_not_accepted": (
        "全班{o}个有效课时中有{n}个的管控由平台自行实施，须由主管部门登记认可后才能受理。",
        "{n} of the class's {o} valid class-hours rest on controls that the platform runs by "
        "itself; the authority has to record that it accepts them.",
    ),
    "hours_made_up": (
        "{n}个课时因本人违规失去后补学，须由主管部门登记同意补课后才能计入：第{h}课时。",
        "{n} class-hours were lost to misconduct and studied again, and count once the authority "
        "has recorded that they may be made up: {h}.",
    ),
    "case_open": (
        "“{r}”涉及多名学员，{n}件待人工复核。",
        "{n} cases ({r}) about several learners wait for a reviewer.",
    ),
    "class_not_acceptable": (
        "所在班级不予受理。",
        "The class is not acceptable.",
    ),
    "class_pending": (
        "所在班级还有事项未审结。",
        "The class itself waits for a decision.",
    ),
}

CURES: dict[Cure, Text] = {
    Cure.AUTOMATIC: Text("可直接补课或补正", "may be made up"),
    Cure.AUTHORITY: Text("经主管部门书面同意可补", "may be made up with the authority's approval"),
    Cure.NONE: Text("不得补课", "cannot be made up"),
}

# Which class-hours stand behind a reason, by their outcome.
_HOURS = {
    "hours_violation": ("invalid",),
    "hours_on_leave": ("incomplete", "not_started"),
    "hours_not_studied": ("incomplete", "not_started"),
    "hours_in_review": ("pending_review",),
    "hours_not_proven": ("not_proven",),
    "hours_attested": ("attested",),
    "hours_platform_controls": ("platform_controls",),
    "hours_made_up": ("made_up",),
}


def reason_body(
    reason: VerdictReason,
    pack: Pack,
    checks: Sequence[CheckResult],
    due: Deadlines,
    hours: Mapping[str, tuple[int, ...]] | None = None,
) -> ReasonBody:
    """A reason as it is stored, without words. `hours` are the learner's class-hours by outcome."""
    named: list[int] | UnsetType = UNSET
    if reason.code in _HOURS:
        numbers = hours or {}
        named = sorted(n for it in _HOURS[reason.code] for n in numbers.get(it, ()))
    check = None
    if reason.code not in SENTENCES:
        check = next(it for it in checks if it.check == reason.source)
    return ReasonBody(
        code=reason.code,
        source=reason.source,
        clause=clause_body(pack.clauses[reason.clause]) if reason.clause else None,
        blocks=reason.blocks,
        count=reason.count,
        of=reason.of,
        cure=CureBody(
            how=reason.cure, until=_iso(due.cut_off) if reason.cure is not Cure.NONE else None
        ),
        class_hours=named,
        said=check.said if check else UNSET,
        numbers=dict(check.numbers) if check else UNSET,
    )


def reason_sentence(body: ReasonBody, pack: str) -> Text:
    """The sentence of a stored reason, by the pack (`<id>@<version>`) that judged."""
    if body.code not in SENTENCES:
        if body.said is not UNSET:
            return sentence_of(body.source, body.code, body.said, body.numbers or {}, found(pack))
        # Stored with its words, before they were written when read.
        return Text(body.code, body.code) if body.sentence is UNSET else body.sentence
    zh, en = SENTENCES[body.code]
    title = rule_title(body.source, pack)
    numbers = spans(body.class_hours or ())
    values = {"n": body.count, "o": body.of}
    return Text(
        zh.format(h=numbers, r=title.zh, **values),
        en.format(h=numbers.replace("、", ", "), r=title.en, **values),
    )


def spans(numbers: Sequence[int]) -> str:
    """Numbers in order, as people write them.

    >>> spans([1, 2, 3, 7])
    '1–3、7'
    """
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] == number - 1:
            parts[-1] = [parts[-1][0], number]
        else:
            parts.append([number])
    return "、".join("–".join(map(str, part)) for part in parts)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
