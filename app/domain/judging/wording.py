"""Verdicts and findings with their words, as they are read: nothing of it is stored.

A stored body holds rules, reasons, numbers and times. Here the sentences are added, by the pack
that judged; a verdict stored before that brings words along, and they stay where no number tells
how to write them anew. Where that pack is not on the shelf, checks stand with their ids and without
limits.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from msgspec import UNSET

from app.domain.judging.check_sentences import limit_of, sentence_of
from app.domain.judging.reasons import CURES, reason_sentence
from app.domain.judging.sentences import sentences
from app.domain.judging.views import (
    CheckView,
    ClassVerdictView,
    CureAdvice,
    EnrolmentVerdictView,
    FindingView,
    ReasonView,
    ScaleVerdictView,
)
from app.domain.policy import packs
from app.domain.policy.pack import Pack
from app.languages import Text
from app.store.bodies import (
    CheckBody,
    ClassVerdict,
    Conclusion,
    EnrolmentVerdict,
    FindingBody,
    PackBody,
    ReasonBody,
    ScaleVerdict,
    extended,
)


def finding(body: FindingBody) -> FindingView:
    """A finding with its `sentence` in both languages.

    A sitting on another platform is not named: its ids are that platform's. People of the authority
    follow it in the console, and in the audit package.
    """
    known = body.rival_session_id if body.rival_elsewhere is False else None
    return extended(FindingView, body, rival_session_id=known, sentence=sentences(body))


def findings(bodies: Iterable[FindingBody]) -> list[FindingView]:
    return [finding(it) for it in bodies]


def enrolment(body: EnrolmentVerdict, judged_ms: int, today: date) -> EnrolmentVerdictView:
    """A verdict on an enrolment, worded; `today` tells whether its cut-off has passed."""
    return extended(
        EnrolmentVerdictView,
        body,
        class_id=body.subject.class_id,
        learner_id=body.subject.learner_id,
        **_concluded(body, judged_ms, today),
    )


def of_class(body: ClassVerdict, judged_ms: int, today: date) -> ClassVerdictView:
    """A verdict on a class, worded; `today` tells whether its cut-off has passed."""
    klass = body.subject.class_id
    return extended(ClassVerdictView, body, class_id=klass, **_concluded(body, judged_ms, today))


def _concluded(body: Conclusion, judged_ms: int, today: date) -> dict[str, Any]:
    """Reasons on both scales, and the checks."""
    scales = {"graded": _scale(body.graded), "literal": _scale(body.literal)}
    applied = scales.get(body.scale)
    own = applied.pack if applied else body.pack
    pack = _pack(own)
    return {
        **scales,
        "reasons": applied.reasons if applied else _reasons(body.reasons, own),
        "checks": [_check(it, pack) for it in body.checks],
        "cut_off_passed": body.cut_off and today > date.fromisoformat(body.cut_off),
        "judged_ms": judged_ms,
    }


def _scale(body: ScaleVerdict | None) -> ScaleVerdictView | None:
    if body is None:
        return None
    return extended(ScaleVerdictView, body, reasons=_reasons(body.reasons, body.pack))


def _reasons(bodies: Iterable[ReasonBody], pack: PackBody) -> list[ReasonView]:
    return [_reason(it, pack) for it in bodies]


def _reason(body: ReasonBody, pack: PackBody) -> ReasonView:
    cure = CURES[body.cure.how]
    advice = extended(CureAdvice, body.cure, zh=cure.zh, en=cure.en)
    return extended(
        ReasonView, body, cure=advice, sentence=reason_sentence(body, f"{pack.id}@{pack.version}")
    )


def _check(body: CheckBody, pack: Pack | None) -> CheckView:
    # Gone where another pack was tried or chosen since.
    own = pack.table.checks.get(body.check) if pack else None
    title = Text(own.title.zh, own.title.en) if own else Text(body.check, body.check)
    sentence = body.sentence
    if body.said is not UNSET:
        sentence = sentence_of(body.check, body.reason, body.said, body.numbers or {}, pack)
    limit = limit_of(body.check, pack) if pack else ""
    return extended(CheckView, body, title=title, limit=limit, sentence=sentence)


def _pack(named: PackBody) -> Pack | None:
    return packs.found(named.id, named.version)
