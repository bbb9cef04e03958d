"""A verdict is a decision, not its wording: words and rules on trial change no stored byte."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, insert, select

from app import rules
from app.canonical import canonical
from app.domain.judging import assess as judging
from app.domain.judging import check_sentences, eligibility, reasons, wording
from app.domain.policy import packs
from app.languages import Text
from app.reports import package
from app.reports.exports import ExportOptions
from app.reports.verify import verify
from app.services import Services
from app.store.bodies import (
    ClassVerdict,
    EnrolmentVerdict,
    FindingBody,
    HourVerdict,
    SessionVerdict,
    document,
)
from app.store.catalogue.catalogue import ClassRow
from app.store.scope import EVERYTHING
from detectors import assess, registry
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Status
from models import Finding as FindingRow
from models import Verdict, Webhook, WebhookDelivery

A_CLERK = ExportOptions("system:cli", named=True)


def judge(services: Services, klass: ClassRow) -> None:
    with services.database.write() as connection:
        judging.judge_sittings(connection, klass.id, services.clock())
        eligibility.conclude(connection, klass.id, services.clock())


def stored(services: Services) -> dict[str, Any]:
    """Every byte that a re-wording must leave alone, and how often a platform was told."""
    with services.database.read() as connection:
        findings = select(FindingRow.key, FindingRow.body, FindingRow.updated_ms)
        return {
            "verdicts": connection.execute(select(Verdict.id, Verdict.digest)).all(),
            "findings": connection.execute(findings.order_by(FindingRow.key)).all(),
            "told": connection.scalar(select(func.count()).select_from(WebhookDelivery)),
        }


@pytest.fixture
def listening(services: Services, klass: ClassRow) -> None:
    with services.database.write() as connection:
        connection.execute(
            insert(Webhook).values(
                platform_id=klass.platform_id,
                url="https://huang.example/hook",
                events=["session.verdict", "finding.opened", "class.validated"],
                secret_encrypted=b"x",
                created_ms=1,
            )
        )


def reword(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mend a full stop in every sentence that there is."""
    for key, (zh, en) in list(reasons.SENTENCES.items()):
        monkeypatch.setitem(reasons.SENTENCES, key, (f"{zh} ", en.removesuffix(".") + " ."))
    mended = {
        name: msgspec.structs.replace(
            rule,
            reasons={
                reason: msgspec.structs.replace(it, zh=f"{it.zh} ", en=f"{it.en} ")
                for reason, it in rule.reasons.items()
            },
        )
        for name, rule in rules.known().items()
    }
    monkeypatch.setattr(rules, "known", lambda: mended)
    for cure, text in list(reasons.CURES.items()):
        monkeypatch.setitem(reasons.CURES, cure, Text(f"{text.zh} ", f"{text.en} "))
    told = {key: Text(f"{it.zh} ", f"{it.en} ") for key, it in check_sentences.SENTENCES.items()}
    monkeypatch.setattr(check_sentences, "SENTENCES", told)
    limits = {key: f"{it} " for key, it in check_sentences.LIMITS.items()}
    monkeypatch.setattr(check_sentences, "LIMITS", limits)


def whisper(known: Any, policy: Any) -> list[Finding]:
    return [
        Finding(
            rule="whisper",
            outcome=Outcome.REVIEW,
            reason="faint",
            fault=Fault.UNDETERMINED,
            evidence=Evidence.STATISTIC,
            session=0,
            start_ms=1,
            end_ms=2,
        )
    ]


def test_a_typo_mended_changes_no_stored_byte_and_tells_nobody(
    services: Services, klass: ClassRow, listening: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge(services, klass)
    before = stored(services)
    assert len(before["verdicts"]) > 20 and before["findings"]
    reword(monkeypatch)
    judge(services, klass)
    assert stored(services) == before


def test_a_package_made_before_the_typo_was_mended_still_verifies(
    services: Services, klass: ClassRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = package.export(services, klass, A_CLERK, EVERYTHING)
    reword(monkeypatch)
    report = verify(made.file.data)
    assert report.problems == [] and report.checked["replayed"] > 20


def test_a_rule_that_no_pack_names_yet_changes_nothing(
    services: Services, klass: ClassRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = package.export(services, klass, A_CLERK, EVERYTHING)
    before = stored(services)
    more = (*registry.ALL, registry.Detector("whisper", "1", whisper))
    for module in (registry, assess, judging):
        monkeypatch.setattr(module, "ALL", more)
    judge(services, klass)
    assert stored(services) == before
    assert verify(made.file.data).problems == []


def test_a_rule_on_trial_stands_in_no_verdict() -> None:
    policy = packs.load("huangchuan-2021-graded").policy
    rule = replace(policy["marathon"], status=Status.SHADOW)
    on_trial = replace(policy, rules={**policy.rules, "marathon": rule})
    assert "marathon" in registry.versions_run(on_trial)
    assert "marathon" not in registry.versions_acting(on_trial)


def test_stored_bodies_hold_no_words_and_read_ones_hold_them_in_both_languages(
    services: Services, klass: ClassRow
) -> None:
    judge(services, klass)
    with services.database.read() as connection:
        bodies = connection.execute(select(Verdict.body)).scalars().all()
        findings = connection.execute(select(FindingRow.body)).scalars().all()
        told = eligibility.view(connection, klass, services.clock())
    assert not any(b'"sentence"' in it or b'"zh"' in it for it in bodies)
    assert not any("sentence" in it for it in findings)
    for it in findings:
        words = wording.finding(msgspec.convert(it, FindingBody)).sentence
        assert words.zh and words.en
    for reason in [it for learner in told.learners for it in learner.reasons]:
        assert reason.sentence.zh and reason.cure.zh and reason.cure.en
    for check in told.klass.checks:
        assert check.sentence and check.title.en and check.limit


def test_every_stored_body_is_written_again_byte_for_byte(
    services: Services, klass: ClassRow
) -> None:
    judge(services, klass)
    kinds = {
        "session": SessionVerdict,
        "class_hour": HourVerdict,
        "enrolment": EnrolmentVerdict,
        "class": ClassVerdict,
    }
    with services.database.read() as connection:
        rows = connection.execute(select(Verdict.subject_kind, Verdict.body)).all()
        findings = connection.execute(select(FindingRow.body)).scalars().all()
    assert {row.subject_kind for row in rows} == set(kinds)
    for row in rows:
        assert canonical(msgspec.json.decode(row.body, type=kinds[row.subject_kind])) == row.body
    for body in findings:
        assert document(msgspec.convert(body, FindingBody)) == body
