"""What the learner's own page says: words for somebody who never saw the console.

The engine's sentences are for reviewers. Here the same findings, class-hours and reasons are told
to whom they concern, without thresholds or the names of techniques.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.clock import at
from app.console.finding_view import sentence_of
from app.console.language import N_, Language
from app.console.words import Word, word
from app.domain.judging.reasons import spans
from app.domain.review.review import UNDECIDED

WAIT = N_("人工复核中，暂不需要补课。")

TITLES = {
    "fast_forward": N_("视频播得太快"),
    "multi_window": N_("同时在两个地方学习"),
    "popup_gap": N_("弹窗没有出现，或没有点"),
    "face_liveness": N_("没能确认是您本人"),
    "lesson_order": N_("没有按先后顺序学"),
    "photo_retention": N_("缺少学习照片"),
    "photo_reuse": N_("照片和以前的一样"),
    "forged_telemetry": N_("学习记录有疑问"),
    "contradicting_times": N_("学习记录的时间对不上"),
    "unseen_play": N_("页面没有显示"),
    "class_dates": N_("不在开班期间学习"),
    "one_face_several_accounts": N_("照片和另一个账号很像"),
}

_OUTRAN = N_("这段时间实际过了%(l)s，视频却前进了%(m)s，看起来像是快放或拖动。")
_NO_POPUP = N_("连续学了%(m)s，系统没有弹出窗口。")
_MISSED = N_("弹窗出来后没有点，之后的这段时间没有算进去。")
_UNLIKE = N_("学习时拍的照片和您登记的照片不太像。光线、眼镜、角度都可能有影响。")
_SCREEN = N_("学习时的画面看起来像是翻拍的照片或录像。")
_UNSEEN = N_("照片太暗、脸被挡住或没有拍到脸，没法确认是您本人。")
_REFUSED = N_("您没有同意使用人脸照片。请联系培训机构，换一种办法证明是您本人。")
_UNCHECKED = N_("这段学习没有拍照确认是您本人。")
_NO_PHOTO = N_("这一课时没有留下学习照片。")
_NO_FACE = N_("学习照片里没有看到人脸。")
_ORDER = N_("前一课还没有学完（学了%(share)s），就开始学这一课。")
_SAME_PHOTO = N_("交上来的照片和以前的照片一样，或几乎一样。")
_CLICKS = N_("弹窗看起来不像是人点的。")
_ODD = N_("手机或电脑传上来的学习记录前后对不上。")

# (rule, reason) → what is told. %(m)s what was found, %(l)s what it is held against, both as spans
# of time where they are seconds; %(share)s the former as a share.
SENTENCES: dict[tuple[str, str], str] = {
    ("fast_forward", "outran"): _OUTRAN,
    ("fast_forward", "micro_seeks"): _OUTRAN,
    ("fast_forward", "jump"): N_("视频一下子跳过了%(m)s没有看过的内容。"),
    ("fast_forward", "completion_told"): N_(
        "平台报了这课（%(m)s）已学完，但一共只学了%(l)s。这是平台报的，您播放过的照常算。"
    ),
    ("fast_forward", "completion_claimed"): N_(
        "报了播放到结尾，但有%(m)s没有播放过，其间只过了%(l)s。"
    ),
    ("fast_forward", "repeated_seeks"): N_("有%(m)s次把进度往后拖，跳过了没有看过的内容。"),
    ("multi_window", "overlap"): N_("您的账号在两个地方同时播放了%(m)s。"),
    ("multi_window", "two_names"): N_(
        "另有一个姓名不同的账号用着您的证件号码，两边同时播放了%(m)s。要由工作人员核对证件号码，"
        "不是认定您违规。"
    ),
    ("multi_window", "possible_overlap"): N_(
        "断网后补传的记录和另一处的学习时间重了，重复的部分只算一次。"
    ),
    ("popup_gap", "none_issued"): _NO_POPUP,
    ("popup_gap", "never_shown"): _NO_POPUP,
    ("popup_gap", "ignored"): N_("弹窗出来后没有点，视频一直在播，一共学了%(m)s。"),
    ("popup_gap", "shown_late"): N_("弹窗出来得晚了，这段时间没有算进去。这不是您的原因。"),
    ("popup_gap", "answered_late"): N_("弹窗点得晚了，点之前播的内容没有算进去，请补看。"),
    ("popup_gap", "offline_past_due"): N_("断网时弹窗出不来，这段时间没有算进去。"),
    ("popup_gap", "unanswered_play_stopped"): _MISSED,
    ("popup_gap", "unanswered"): _MISSED,
    ("popup_gap", "many_expiries"): N_("这次学习有%(m)s次弹窗没有按时点。"),
    ("face_liveness", "other_person"): _UNLIKE,
    ("face_liveness", "enrolled_never_seen"): N_(
        "学习时拍的照片和您登记的照片都不像。如果登记的照片不是您，请联系培训机构更正。"
    ),
    ("face_liveness", "single_mismatch"): _UNLIKE,
    ("face_liveness", "near_threshold"): _UNLIKE,
    ("face_liveness", "presentation_attack"): _SCREEN,
    ("face_liveness", "feed_not_live"): _SCREEN,
    ("face_liveness", "comparison_lost"): _UNSEEN,
    ("face_liveness", "comparison_unclear"): _UNSEEN,
    ("face_liveness", "check_pending"): N_("学习时拍的照片还没有核对完，请过一两天再来看。"),
    ("face_liveness", "no_consent"): _REFUSED,
    ("face_liveness", "no_reference_photo"): N_(
        "系统里没有您登记的照片，没法核对。请联系培训机构补拍。"
    ),
    ("face_liveness", "photos_lost"): N_("您的照片在系统里打不开了，没能核对。这不是您的原因。"),
    ("face_liveness", "no_face_check"): _UNCHECKED,
    ("face_liveness", "no_face_control"): _UNCHECKED,
    ("face_liveness", "check_not_met"): N_("系统多次要求拍照确认是您本人，都没有成功。"),
    ("face_liveness", "photos_late"): N_("照片来得太晚，没有算进去。"),
    ("face_liveness", "hour_not_checked"): N_("这一课时没有拍照确认是您本人。"),
    ("face_liveness", "hour_photos_lost"): N_("这一课时的照片打不开了。"),
    ("face_liveness", "never_compared"): N_("系统多次要求拍照确认是您本人，都没有成功。"),
    ("lesson_order", "ahead_of_order"): _ORDER,
    ("lesson_order", "no_lock"): _ORDER,
    ("photo_retention", "photo_missing"): N_("系统要求拍照，但没有收到照片。"),
    ("photo_retention", "photo_late"): N_("照片来得太晚，没有算进去。"),
    ("photo_retention", "photo_not_taken"): N_("系统要求拍照，但没有收到照片。"),
    ("photo_retention", "no_photo_control"): _NO_PHOTO,
    ("photo_retention", "no_photo"): _NO_PHOTO,
    ("photo_retention", "photo_lost"): N_("这一课时的照片打不开了。"),
    ("photo_retention", "no_consent"): _REFUSED,
    ("photo_retention", "no_face_visible"): _NO_FACE,
    ("photo_retention", "empty_photo"): _NO_FACE,
    ("photo_reuse", "identical_bytes"): _SAME_PHOTO,
    ("photo_reuse", "near_duplicate"): _SAME_PHOTO,
    ("forged_telemetry", "forged_answer"): _CLICKS,
    ("forged_telemetry", "scripted_answer"): _CLICKS,
    ("forged_telemetry", "instant_answers"): _CLICKS,
    ("forged_telemetry", "scripted_input"): _CLICKS,
    ("forged_telemetry", "seq_conflict"): _ODD,
    ("forged_telemetry", "chain_broken"): _ODD,
    ("forged_telemetry", "whole_seconds"): _ODD,
    ("forged_telemetry", "visibility_spoofed"): N_(
        "学习记录说课程页面开着，手机或电脑却显示没有开着。"
    ),
    ("forged_telemetry", "client_clock"): N_("您的手机或电脑的时间走得不正常。"),
    **dict.fromkeys(
        (
            ("contradicting_times", "before_the_start"),
            ("contradicting_times", "after_the_end"),
            ("contradicting_times", "popups_do_not_fit"),
            ("contradicting_times", "no_play_around"),
        ),
        N_("平台给的学习记录，时间前后对不上，还不能算数。这不是您的原因，请联系培训机构核对。"),
    ),
    ("unseen_play", "hidden"): N_(
        "页面在后台或被遮住时播放了%(m)s，没有算进去。如果您一直开着页面，请换浏览器，并告诉培训机构。"
    ),
    ("unseen_play", "unfocused"): N_("没有点在课程页面上时播放了%(m)s，没有算进去。"),
    ("class_dates", "before_the_class"): N_("班还没有开，就学了%(m)s，这段时间没有算进去。"),
    ("class_dates", "after_the_class"): N_(
        "班已经结束（或者已经考核）以后又学了%(m)s，这段时间没有算进去。"
    ),
    ("one_face_several_accounts", "faces_alike"): N_(
        "您的照片和另一个账号的照片很像，可能是双胞胎，也可能是碰巧。"
    ),
}
# What a learner is told of where a finding stands; who has spoken so far stays inside.
STANDING = {
    "open": Word(N_("人工复核中，还没有结论"), tone="review"),
    "first_review": Word(N_("人工复核中，还没有结论"), tone="review"),
    "upheld": Word(N_("经人工复核，认定成立"), tone="violation"),
    "overturned": Word(N_("经人工复核，已撤销，不影响您"), tone="clear"),
    "cured": Word(N_("已经补学，不影响您"), tone="clear"),
}
NOT_PROVEN = Word(N_("证据不够，不算违规"), tone="unproven")
NOT_YOURS = N_("这不是您的责任。")
STANDINGS = {
    "eligible": Word(N_("可以申请"), tone="clear"),
    "ineligible": Word(N_("目前还不能申请"), tone="violation"),
    "pending": Word(N_("还没有结论"), tone="review"),
}
IN_REVIEW = Word(N_("人工复核中，还没有结论"), tone="review")
HOURS = {
    "valid": Word(N_("算数"), "✓"),
    "invalid": Word(N_("不算数"), "✕"),
    "pending_review": Word(N_("人工复核中"), "…"),
    "not_proven": Word(N_("证据不够"), "?"),
    "incomplete": Word(N_("没学完"), N_("半")),
    "not_started": Word(N_("还没学"), "·"),
}
ANSWERS = {
    "waiting": Word(N_("等待答复"), tone="review"),
    "answered": Word(N_("已答复"), tone="clear"),
    "dismissed": Word(N_("已答复：维持原来的结论")),
    "reopened": Word(N_("已答复：换人重新审理"), tone="clear"),
}

_CURES = {
    "automatic": N_("补学这几课时就可以。"),
    "authority_approval": N_("要补课，须先经人社部门书面同意，请联系培训机构办理。"),
    "none": N_("不能补课。您仍然可以申诉。"),
}
_OF_HOURS = {
    "pending_review": (N_("第%(h)s课时有疑问，还没有结论。"), WAIT),
    "not_proven": (
        N_("第%(h)s课时证据不够，还不能算数。这不是违规。"),
        N_("重新学这几课时就可以。"),
    ),
    "incomplete": (N_("第%(h)s课时还没有学完。"), N_("请接着学完。")),
    "not_started": (N_("第%(h)s课时还没有学。"), N_("请按顺序学完。")),
}
_BELOW = N_("怎么办，请看下面写的每一条。")
_TO_CHECK = N_("需要补材料的，请联系培训机构。")
# Checks before the assessment that no paper mends.
_OF_CHECKS = {
    "too_few_class_hours": (
        N_("算数的课时还不够申请考核。"),
        N_("请把还没算数的课时学完。全都学完了还不够的，请联系培训机构。"),
    ),
    "class_hours_undecided": (
        N_("有的课时还没有结论，算数的课时够不够还不知道。"),
        N_("请先看上面的课时怎么办。"),
    ),
}
_PLATFORM = N_("请联系培训机构。")
# Reasons that class-hours or the findings below tell already.
_TOLD_ELSEWHERE = frozenset(
    {
        "hours_violation",
        "hours_on_leave",
        "hours_not_studied",
        "hours_in_review",
        "hours_not_proven",
        "finding_in_review",
        "violation_awaits_reviewers",
    }
)
_OF_REASONS = {
    "violation_upheld": N_("经人工复核认定：%(title)s。"),
    "hours_attested": N_("您的学习记录由平台提供，人社部门还在核对。这不是您的责任。"),
    "control_not_proven": N_("平台的管控措施还在核实。这不是您的责任。"),
    "control_missing": N_("平台没有做好管控，影响全班。这不是您的责任。"),
    "control_missing_awaits_reviewers": N_("平台可能没有做好管控，正在人工复核。这不是您的责任。"),
    "class_not_acceptable": N_("全班的申请目前还不能受理，原因在平台或培训机构，不在您。"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """Something that still stands between the learner and the assessment, and what to do."""

    told: str
    todo: str
    until: str  # empty when nothing has to be done by a day
    late: bool  # that day is over
    tone: str


def title(rule: str, lang: Language) -> str:
    return lang.say(TITLES.get(rule, N_("学习记录有疑问")))


def told_of(finding: Any, lang: Language) -> str:
    """What was noticed, for whom it concerns."""
    return _told(finding.body, finding.rule, finding.reason, lang)


def _told(body: Mapping[str, Any], rule: str, reason: str, lang: Language) -> str:
    source = SENTENCES.get((rule, reason))
    if source is None:
        return sentence_of(body, lang)
    values = {name: _amount(body[key], body["unit"], lang) for name, key in _AMOUNTS}
    return lang.say(source, **values, share=f"{lang.number(body['measured'])}%")


@dataclass(frozen=True, slots=True)
class Withheld:
    """Time of a class-hour that does not count, though nobody is accused of anything."""

    hour: int
    when: str
    told: str


def withheld(hours: Mapping[int, Mapping[str, Any]], lang: Language) -> list[Withheld]:
    """What of class-hours that are not complete was not counted, by their verdicts."""
    return [
        Withheld(
            number,
            when(it["start_ms"], it["end_ms"], lang),
            _told(it, it["rule"], it["reason"], lang),
        )
        for number, body in sorted(hours.items())
        for it in body.get("withheld", ())
    ]


_AMOUNTS = (("m", "measured"), ("l", "limit"))


def _amount(value: float, unit: str, lang: Language) -> str:
    return lang.span(round(value * 1000)) if unit == "s" else lang.number(value)


def standing(finding: Any) -> Word:
    if unproven(finding):
        return NOT_PROVEN
    return word(STANDING, finding.status)


def in_review(finding: Any) -> bool:
    """Whether people still have to decide on it; missing evidence waits for nobody."""
    return finding.status in UNDECIDED and finding.outcome != "not_proven"


def unproven(finding: Any) -> bool:
    """Whether evidence is missing, which nobody has to decide on."""
    return finding.outcome == "not_proven" and finding.status in UNDECIDED


def not_theirs(finding: Any) -> bool:
    faulty = finding.fault in ("platform", "institution", "environment")
    return faulty and finding.status not in ("overturned", "cured")


def hour_code(outcome: str, body: Mapping[str, Any], undecided: Collection[str]) -> str:
    """The outcome of a class-hour: it is not lost while people decide on what was found in it.

    `undecided` are keys of findings.
    """
    if outcome != "invalid":
        return outcome
    waits = any(it["key"] in undecided for it in body.get("findings", ()))
    return "pending_review" if waits else outcome


def steps(
    hours: Mapping[int, str],
    concluded: Mapping[str, Any] | None,
    today: date,
    lang: Language,
    *,
    below: bool = False,
) -> list[Step]:
    """What is missing: class-hours first, then what the checks before the assessment found.

    `below`: what is not proven is told one by one on the page, with what each asks for.
    """
    reasons = concluded[concluded["scale"]]["reasons"] if concluded else []
    last = concluded["cut_off"] if concluded else None
    cut_off, late = (day_of(last, lang), today.isoformat() > last) if last else ("", False)
    lost = next((it["cure"]["how"] for it in reasons if it["code"] == "hours_violation"), None)
    found = []
    for code, (told, todo) in {
        "invalid": (N_("第%(h)s课时不算数，原因见下面。"), _CURES[lost or "authority_approval"]),
        **_OF_HOURS,
    }.items():
        numbers = [number for number, outcome in hours.items() if outcome == code]
        if numbers:
            if code == "not_proven" and below:
                todo = _BELOW
            until = "" if todo is WAIT or (lost == "none" and code == "invalid") else cut_off
            tone = {"invalid": "violation", "not_proven": "unproven"}.get(code, "review")
            told_hours = lang.say(told, h=spans(numbers))
            found.append(Step(told_hours, lang.say(todo), until, late, tone))
    for it in reasons:
        if it["code"] not in _TOLD_ELSEWHERE:
            found.append(_step(it, late, lang))
    return found


def _step(reason: Mapping[str, Any], late: bool, lang: Language) -> Step:
    source, how = _OF_REASONS.get(reason["code"]), reason["cure"]["how"]
    tone = "violation" if reason["blocks"] else "review"
    if source is None:  # a check before the assessment, which has a plain sentence of its own
        until = reason["cure"]["until"] if how != "none" else None
        told, todo = _OF_CHECKS.get(reason["code"], (None, _TO_CHECK))
        return Step(
            lang.say(told) if told else reason["sentence"][lang.code],
            lang.say(todo),
            day_of(until, lang) if until else "",
            late,
            tone,
        )
    said = lang.say(source, title=title(reason["source"], lang))
    todo = _CURES[how] if reason["code"] == "violation_upheld" else _PLATFORM
    return Step(said, lang.say(todo), "", False, tone)


def day_of(iso: str, lang: Language) -> str:
    day = date.fromisoformat(iso)
    return f"{day.year}年{day.month}月{day.day}日" if lang.code == "zh" else iso


def month_of(iso: str, lang: Language) -> str:
    day = date.fromisoformat(iso)
    return f"{day.year}年{day.month}月" if lang.code == "zh" else f"{day:%B %Y}"


def when(start_ms: int | None, end_ms: int | None, lang: Language) -> str:
    """A stretch as people tell it: the day, and from when to when."""
    if start_ms is None or start_ms < 0:
        return ""
    start = at(start_ms)
    told = f"{day_of(start.date().isoformat(), lang)} {start:%H:%M}"
    if end_ms is None or end_ms <= start_ms:
        return told
    end = at(end_ms)
    same_day = end.date() == start.date()
    until = f"{end:%H:%M}" if same_day else f"{day_of(end.date().isoformat(), lang)} {end:%H:%M}"
    return lang.say(N_("%(since)s 到 %(until)s"), since=told, until=until)
