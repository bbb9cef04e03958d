"""What platforms are told of: messages enter the outbox with the change that they tell of.

Either both are committed or neither. A message has the same id however often the same thing is
entered, so nothing is told twice under two ids. It names what changed and carries no name, number
or photo of a person; whoever wants to know more asks the API for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection

from app.clock import at, day
from app.domain import advice, standing
from app.domain.advice import Advice
from app.languages import Text
from app.store.bodies import FindingBody, session_verdict
from app.store.exchange import webhooks as store
from app.store.exchange.webhooks import FindingNotice, VerdictNotice
from app.store.judging.unsettled import finding_keys
from app.store.judging.verdicts import CONTROL_MISSING


class WebhookEvent(StrEnum):
    """session.verdict    a sitting was judged, or judged otherwise than before
    finding.opened     the engine proposes a finding
    review.decided     people upheld or overturned one
    class.validated    all of a class was judged from stored evidence
    control.missing    a class shows no trace of a control that its platform runs
    face_check.requested  the authority wants to see a learner's face now, in a class whose
                       platform runs the controls
    evidence.lost      something that the platform sends counts for nobody; once a day for each
                       reason
    material.requested  the platform is asked to hand something in, or reminded of it
    lists.signed       two persons signed the lists of a class
    lists.corrected    they signed lists that take the place of signed ones
    webhook.test       somebody tries the address; sent to that one alone, whatever it listens to
    """

    SESSION_VERDICT = "session.verdict"
    FINDING_OPENED = "finding.opened"
    REVIEW_DECIDED = "review.decided"
    CLASS_VALIDATED = "class.validated"
    CONTROL_MISSING = "control.missing"
    FACE_CHECK_REQUESTED = "face_check.requested"
    EVIDENCE_LOST = "evidence.lost"
    MATERIAL_REQUESTED = "material.requested"
    LISTS_SIGNED = "lists.signed"
    LISTS_CORRECTED = "lists.corrected"
    WEBHOOK_TEST = "webhook.test"


Words = Callable[[FindingBody], Text]
MOST_FINDINGS = 20  # told with one verdict

LABELS: Mapping[WebhookEvent, Text] = {
    WebhookEvent.SESSION_VERDICT: Text("学习判定有变化", "A sitting was judged"),
    WebhookEvent.FINDING_OPENED: Text("有新的发现", "A finding was opened"),
    WebhookEvent.REVIEW_DECIDED: Text("发现已裁定", "A finding was decided"),
    WebhookEvent.CLASS_VALIDATED: Text("班级已校验", "A class was validated"),
    WebhookEvent.CONTROL_MISSING: Text("缺少管控", "A control is missing"),
    WebhookEvent.FACE_CHECK_REQUESTED: Text("要求核验一次", "A face check is asked for"),
    WebhookEvent.EVIDENCE_LOST: Text("报送的记录没有计入", "Something sent counts for nobody"),
    WebhookEvent.MATERIAL_REQUESTED: Text("要求补充材料", "Material is asked for"),
    WebhookEvent.LISTS_SIGNED: Text("名单已签发", "Lists were signed"),
    WebhookEvent.LISTS_CORRECTED: Text("已签发的名单有更正", "Signed lists were corrected"),
    WebhookEvent.WEBHOOK_TEST: Text("测试通知", "A test"),
}


def session_verdicts(
    connection: Connection, class_id: int, after: int, words: Words, now_ms: int
) -> None:
    """Tell of the verdicts on sittings that were stored since that verdict's id; `words` say a
    finding in both languages."""
    wanting = _wanting(connection, class_id, WebhookEvent.SESSION_VERDICT)
    if not wanting:
        return
    rows = store.session_verdicts(connection, class_id, after)
    found = finding_keys(connection, class_id)
    _enter(
        connection,
        wanting,
        WebhookEvent.SESSION_VERDICT,
        ((f"verdict-{row.id}", _verdict(row, words, found)) for row in rows),
        now_ms,
    )


def findings_opened(
    connection: Connection, class_id: int, keys: Collection[str], words: Words, now_ms: int
) -> None:
    """Tell of findings that are new, by their keys in the class."""
    opened = _wanting(connection, class_id, WebhookEvent.FINDING_OPENED) if keys else []
    missing = _wanting(connection, class_id, WebhookEvent.CONTROL_MISSING) if keys else []
    if not opened and not missing:
        return
    rows = store.findings(connection, class_id, keys)
    controls = [row for row in rows if row.reason == CONTROL_MISSING]
    for wanting, event, name, told in (
        (opened, WebhookEvent.FINDING_OPENED, "finding", rows),
        (missing, WebhookEvent.CONTROL_MISSING, "control", controls),
    ):
        messages = ((f"{name}-{row.id}", _opened(row, words)) for row in told)
        _enter(connection, wanting, event, messages, now_ms)


def review_decided(connection: Connection, class_id: int, review_id: int, now_ms: int) -> None:
    """Tell of the review that settled a finding of a class; never by whom."""
    wanting = _wanting(connection, class_id, WebhookEvent.REVIEW_DECIDED)
    if not wanting:
        return
    row = store.reviewed(connection, review_id)
    message = _finding(row) | {"decision": row.decision, "decided_at_ms": row.decided_ms}
    _enter(
        connection, wanting, WebhookEvent.REVIEW_DECIDED, [(f"review-{review_id}", message)], now_ms
    )


def class_validated(connection: Connection, run_id: int, now_ms: int) -> None:
    """Tell of the run of a class that came to its end; a run of anything else is nothing."""
    row = store.run(connection, run_id)
    if row is None or row.class_id is None:
        return
    wanting = _wanting(connection, row.class_id, WebhookEvent.CLASS_VALIDATED)
    message = {
        "class_id": row.klass,
        "run_id": row.id,
        "outcomes": row.summary.get("outcomes"),
        "standing": row.summary.get("standing"),
        "new_findings": row.summary.get("new_findings"),
        "finished_at_ms": row.finished_ms,
    }
    _enter(connection, wanting, WebhookEvent.CLASS_VALIDATED, [(f"run-{run_id}", message)], now_ms)


def face_check_requested(
    connection: Connection, class_id: int, spot_check_id: int, message: dict[str, Any], now_ms: int
) -> bool:
    """Tell of a check that the platform is to make and to report under `challenge_id`; False where
    it does not listen."""
    wanting = _wanting(connection, class_id, WebhookEvent.FACE_CHECK_REQUESTED)
    messages = [(f"spot-check-{spot_check_id}", message)]
    _enter(connection, wanting, WebhookEvent.FACE_CHECK_REQUESTED, messages, now_ms)
    return bool(wanting)


def evidence_lost(
    connection: Connection, platform_id: int, lost: Mapping[str, Text], now_ms: int
) -> None:
    """Tell a platform why what it sends counts for nobody, and what to do: by code. What is lost
    again for the same reason on the same day is told on its page, in numbers."""
    if not lost:
        return
    wanting = _of_platform(connection, platform_id, WebhookEvent.EVIDENCE_LOST)
    today = day(now_ms).isoformat()
    advised = _advised([Advice.MEND_PLATFORM])
    messages = [
        (
            f"lost-{platform_id}-{today}-{code}",
            {"code": code, "zh": said.zh, "en": said.en, "what_to_do": advised},
        )
        for code, said in sorted(lost.items())
    ]
    _enter(connection, wanting, WebhookEvent.EVIDENCE_LOST, messages, now_ms)


def material_requested(
    connection: Connection,
    platform_id: int,
    request_id: int,
    due_on: str,
    now_ms: int,
    *,
    reminder: bool = False,
) -> None:
    """Tell a platform that something is asked of it, or of it again; what, it reads by the API."""
    event = WebhookEvent.MATERIAL_REQUESTED
    wanting = _of_platform(connection, platform_id, event)
    message = {"request_id": request_id, "due_on": due_on, "reminder": reminder}
    name = f"material-{request_id}" + (f"-{now_ms}" if reminder else "")
    _enter(connection, wanting, event, [(name, message)], now_ms)


def lists_signed(connection: Connection, sign_off_id: int, number: int, now_ms: int) -> None:
    """Tell of lists that were signed: number 0, or that correction of them; never by whom, nor of
    whom. Why they were corrected is written for people, who read it with the lists."""
    row = store.signed_lists(connection, sign_off_id)
    event = WebhookEvent.LISTS_CORRECTED if number else WebhookEvent.LISTS_SIGNED
    todo = Advice.TAKE_CORRECTED_LISTS if number else Advice.TAKE_LISTS
    message = {
        "class_id": row.klass,
        "number": number,
        "lists_sha256": row.digest,
        "counts": row.counts,
        "signed_at_ms": row.signed_ms,
        "what_to_do": _advised([todo]),
    }
    wanting = _wanting(connection, row.class_id, event)
    _enter(connection, wanting, event, [(f"lists-{sign_off_id}", message)], now_ms)


def test(connection: Connection, webhook_id: int, now_ms: int) -> None:
    """A message for one address that wants to see one arrive."""
    message = {"webhook_id": webhook_id, "note": "测试通知，与任何学员无关 / a test, about nobody"}
    named = [(f"test-{webhook_id}-{now_ms}", message)]
    _enter(connection, [_Listening(webhook_id)], WebhookEvent.WEBHOOK_TEST, named, now_ms)


@dataclass(frozen=True, slots=True)
class _Listening:
    """A webhook that is told; whether what it is told happened in a sandbox class."""

    webhook_id: int
    sandbox: bool = False


def _of_platform(connection: Connection, platform_id: int, event: WebhookEvent) -> list[_Listening]:
    rows = store.of_platform(connection, platform_id)
    return [_Listening(it.id) for it in rows if event in it.events]


def _wanting(connection: Connection, class_id: int, event: WebhookEvent) -> list[_Listening]:
    return [
        _Listening(row.id, row.sandbox)
        for row in store.listeners(connection, class_id)
        if event in row.events
    ]


def _enter(
    connection: Connection,
    wanting: Collection[_Listening],
    event: WebhookEvent,
    messages: Iterable[tuple[str, dict[str, Any]]],
    now_ms: int,
) -> None:
    """One row a webhook and message, in the form of Standard Webhooks: type, timestamp, data; of a
    sandbox class, `data` says so."""
    if not wanting:
        return
    timestamp = at(now_ms).isoformat(timespec="milliseconds")
    store.enter(
        connection,
        [
            {
                "webhook_id": it.webhook_id,
                "message_id": message_id,
                "event": event.value,
                "payload": {
                    "type": event.value,
                    "timestamp": timestamp,
                    "data": data | ({"sandbox": True} if it.sandbox else {}),
                },
                "created_ms": now_ms,
                "attempts": 0,
                "next_attempt_ms": now_ms,
            }
            for message_id, data in messages
            for it in wanting
        ],
    )


def _verdict(row: VerdictNotice, words: Words, known: standing.Found) -> dict[str, Any]:
    body = session_verdict(row.body)
    found, withheld = advice.acting(body.findings), advice.withholding(body.findings)
    stands = standing.of_findings(body.outcome, body.findings, known)
    return {
        "session_id": row.session,
        "class_id": row.klass,
        "learner_id": row.learner,
        "outcome": row.outcome,
        "standing": stands,
        "pack": row.pack,
        "verdict_sha256": row.digest.hex(),
        "judged_at_ms": row.created_ms,
        "played_s": body.played_ms / 1000,
        "credited_s": body.credited_ms / 1000,
        "media_s": body.media_ms / 1000,
        "findings": [_told(it, words) for it in found[:MOST_FINDINGS]],
        "findings_total": len(found),
        "withheld": [_told(it, words) for it in withheld[:MOST_FINDINGS]],
        "what_to_do": _advised(advice.of_sitting(body, stands)),
    }


def _told(body: FindingBody, words: Words) -> dict[str, Any]:
    """A finding as it stands in the message on its sitting."""
    said = words(body)
    return {
        "rule": body.rule,
        "reason": body.reason,
        "outcome": body.outcome.value,
        "fault": body.fault.value,
        "start_ms": body.start_ms,
        "end_ms": body.end_ms,
        "zh": said.zh,
        "en": said.en,
    }


def _advised(found: Sequence[Advice]) -> list[dict[str, str]]:
    return [
        {"code": it.value, "zh": advice.WORDS[it].zh, "en": advice.WORDS[it].en} for it in found
    ]


def _opened(row: FindingNotice, words: Words) -> dict[str, Any]:
    body = msgspec.convert(row.body, FindingBody)
    return _finding(row) | _told(body, words) | {"what_to_do": _advised([advice.of_finding(body)])}


def _finding(row: FindingNotice) -> dict[str, Any]:
    return {
        "finding_id": row.id,
        "class_id": row.klass,
        "learner_id": row.learner,
        "session_id": row.session,
        "class_hour": row.hour,
        "rule": row.rule,
        "reason": row.reason,
        "outcome": row.outcome,
        "fault": row.fault,
        "status": row.status,
        "needs_two_reviewers": row.needs_two_reviewers,
    }
