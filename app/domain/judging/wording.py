"""Verdicts and findings with their words, as they are read: nothing of it is stored.

A stored body holds rules, reasons, numbers and times. Here the sentences are added, by the pack
that judged; a verdict stored before that brings words along, and they stay where no number tells
how to write them anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from app.domain.judging.check_words import limit_of, sentence_of
from app.domain.judging.reasons import CURES, reason_sentence
from app.domain.judging.sentences import sentences
from app.domain.judging.told import ToldFinding
from app.domain.policy import packs
from app.domain.policy.pack import Pack, Text
from app.store.bodies import ClauseBody, FindingBody, extended
from detectors.eligibility import Cure

Body = Mapping[str, Any]


def finding(body: FindingBody) -> ToldFinding:
    """A finding with its `sentence` in both languages.

    A sitting on another platform is not named: its ids are that platform's. People of the authority
    follow it in the console, and in the audit package.
    """
    known = body.rival_session_id if body.rival_elsewhere is False else None
    return extended(ToldFinding, body, rival_session_id=known, sentence=sentences(body))


def findings(bodies: Iterable[FindingBody]) -> list[ToldFinding]:
    return [finding(it) for it in bodies]


def conclusion(body: Body) -> dict[str, Any]:
    """A verdict on an enrolment or a class: reasons on both scales, and the checks, worded."""
    judged = _pack(body["pack"])
    scales = {name: _scale(body[name]) for name in ("graded", "literal") if body.get(name)}
    applied = scales.get(body["scale"])
    reasons = applied["reasons"] if applied else _reasons(body["reasons"], judged)
    own = _pack(body[body["scale"]]["pack"]) if applied else judged
    checks = [_check(it, own) for it in body["checks"]]
    return {**body, **scales, "reasons": reasons, "checks": checks}


def _scale(body: Body) -> dict[str, Any]:
    return {**body, "reasons": _reasons(body["reasons"], _pack(body["pack"]))}


def _reasons(bodies: Sequence[Body], pack: Pack) -> list[dict[str, Any]]:
    return [_reason(it, pack) for it in bodies]


def _reason(body: Body, pack: Pack) -> dict[str, Any]:
    cure = CURES[Cure(body["cure"]["how"])]
    return {
        **body,
        "clause": msgspec.convert(body["clause"], ClauseBody | None),
        "cure": {**body["cure"], "zh": cure.zh, "en": cure.en},
        "sentence": reason_sentence(body, pack),
    }


def _check(body: Body, pack: Pack) -> dict[str, Any]:
    own = pack.table.checks.get(body["check"])  # gone where another pack was tried or chosen since
    title = own.title if own else Text(body["check"], body["check"])
    worded = {
        **body,
        "title": {"zh": title.zh, "en": title.en},
        "limit": limit_of(body["check"], pack),
    }
    if "said" in body:
        worded["sentence"] = sentence_of(body["check"], body["said"], body["numbers"])
    return worded


def _pack(named: Body) -> Pack:
    return packs.load(named["id"], named["version"])
