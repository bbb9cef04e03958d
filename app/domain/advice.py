"""What a platform is to do about a judged sitting: codes that a program reads, and their words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from app.languages import Text
from app.store.bodies import FindingBody, SessionVerdict
from detectors import unseen_play
from detectors.assess import Decision, SessionOutcome
from detectors.finding import Fault, Outcome
from detectors.policy import Status

_SLACK_MS = 1_000  # less than this of what was played is a matter of rounding


class Advice(StrEnum):
    """nothing       all that was played counts
    mend_platform    something that the platform sends, or runs, is wrong or missing
    watch_again      the learner is to watch what did not count, in a new sitting
    wait_for_review  people decide; the learner may appeal meanwhile
    wait_for_photos  photos wait to be compared, or proof is missing that may still come
    take_lists       the lists of a class are signed: take them, and tell the learners
    take_corrected_lists  signed lists hold otherwise from now on
    """

    NOTHING = "nothing"
    MEND_PLATFORM = "mend_platform"
    WATCH_AGAIN = "watch_again"
    WAIT_FOR_REVIEW = "wait_for_review"
    WAIT_FOR_PHOTOS = "wait_for_photos"
    TAKE_LISTS = "take_lists"
    TAKE_CORRECTED_LISTS = "take_corrected_lists"


WORDS: Mapping[Advice, Text] = {
    Advice.NOTHING: Text(
        "播放的都已计入，无需处理。", "All that was played counts: nothing to do."
    ),
    Advice.MEND_PLATFORM: Text(
        "原因在平台：请按各条发现的说明改正上报或管控，再让学员补学。",
        "The platform's doing: mend what it sends or runs as the findings say, then let the "
        "learner watch again.",
    ),
    Advice.WATCH_AGAIN: Text(
        "请学员重新打开本课，补看没有计入的部分。",
        "Let the learner open the lesson anew and watch what did not count.",
    ),
    Advice.WAIT_FOR_REVIEW: Text(
        "等待人工复核，学员可以申诉；复核前不必重学。",
        "People decide; the learner may appeal, and need not repeat anything before.",
    ),
    Advice.WAIT_FOR_PHOTOS: Text(
        "证据还不足以证实，影像比对完成后会重新判定；仍不足的须补学。",
        "Not proven yet: judged again once photos are compared; what is still not proven then has "
        "to be studied again.",
    ),
    Advice.TAKE_LISTS: Text(
        "名单已由两人签发：请取回，安排准予的学员考核；不接受和未审结的，告知本人原因、"
        "补救办法和最晚日期，学员可以申诉。",
        "Two persons signed the lists: take them and let who is admitted sit the assessment; tell "
        "the others why, what mends it and until when. They may appeal.",
    ),
    Advice.TAKE_CORRECTED_LISTS: Text(
        "已签发的名单作了更正：请取回更正后的名单，以它为准，并告知改到另一张名单的学员。",
        "Signed lists were corrected: take the corrected ones, which hold from now on, and tell "
        "the learners who moved from one list to another.",
    ),
}


def of_sitting(body: SessionVerdict, stands: str) -> list[Advice]:
    """What to do about a sitting as it stands now, the first thing first; never empty."""
    standing = acting(body.findings)
    found: list[Advice] = []
    if any(it.fault is Fault.PLATFORM for it in standing):
        found.append(Advice.MEND_PLATFORM)
    if stands == SessionOutcome.PENDING_REVIEW:
        found.append(Advice.WAIT_FOR_REVIEW)
    if stands == SessionOutcome.NOT_PROVEN and not standing:
        found.append(Advice.WAIT_FOR_PHOTOS)
    if stands == SessionOutcome.INVALID or body.credited_ms + _SLACK_MS < body.played_ms:
        found.append(Advice.WATCH_AGAIN)
    return found or [Advice.NOTHING]


def of_finding(body: FindingBody) -> Advice:
    if body.outcome is Outcome.REVIEW:
        return Advice.WAIT_FOR_REVIEW
    return Advice.MEND_PLATFORM if body.fault is Fault.PLATFORM else Advice.WATCH_AGAIN


def withholding(findings: Iterable[FindingBody]) -> list[FindingBody]:
    """Findings that accuse nobody and took time all the same: what was played then counts not."""
    return [
        it
        for it in findings
        if it.rule_status is Status.ACTIVE
        and it.outcome is Outcome.CLEAR
        and (it.voids or it.rule == unseen_play.RULE)
    ]


def acting(findings: Iterable[FindingBody]) -> list[FindingBody]:
    """Findings that a sitting suffers from: of rules that act, not overturned, not clear."""
    return [
        it
        for it in findings
        if it.rule_status is Status.ACTIVE
        and it.outcome is not Outcome.CLEAR
        and it.decision != Decision.OVERTURNED
    ]
