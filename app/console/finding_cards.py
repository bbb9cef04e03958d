"""Findings with their reviews, ready for a page, and where a person's queue goes on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import Connection

from app.console import labels, learner_messages
from app.console.case_lines import BY_CASE, next_case
from app.console.few_photos import few_photos
from app.console.finding_view import FindingCard, card
from app.console.findings_page import FindingFilters
from app.console.language import Language, language
from app.console.upholding import Stake, effects, stake_of
from app.domain.accounts.users import Role, User
from app.domain.faces import face_confidence
from app.domain.review import review_queue
from app.store.catalogue import class_file
from app.store.faces import photo_access
from app.store.review import assignments, cases, finding_queue, reviews
from app.store.review.finding_rows import FindingRow
from app.store.scope import AccessScope
from app.store.sittings import case_file
from detectors.finding import Evidence, Outcome

_LOOKED_AHEAD = 100


def cards_of(
    connection: Connection, rows: Sequence[FindingRow], county: str, user: User, lang: Language
) -> list[FindingCard]:
    """Undecided and grave ones first; findings of rules on trial only for an administrator.
    `county` is where their class is."""
    shown = {row.id: row for row in rows if not row.shadow or user.role is Role.ADMIN}
    said, appealed = defaultdict(list), defaultdict(list)
    for review in reviews.of_findings(connection, shown):
        said[review.finding_id].append(review)
    for appeal in reviews.appeals_of(connection, shown):
        appealed[appeal.finding_id].append(appeal)
    rivals = _rivals(connection, list(shown.values()), user.scope)
    sittings = {row.session_id for row in shown.values() if row.session_id} | {*rivals.values()}
    photos = case_file.photos_of(connection, sittings) if user.sees_photos else {}
    looked = photo_access.looked_at(connection, user.id, {it.session_id for it in shown.values()})
    keepers = assignments.assigned(connection, shown)
    enrolled = face_confidence.of_findings(
        connection, [(row.rule, row.learner_id) for row in shown.values()]
    )
    stakes = {it: _stake(connection, it, user) for it in {row.class_id for row in rows}}
    known = review_queue.colleagues(connection, user, county) if user.decides else []
    cards = [
        replace(
            card(
                row,
                _told_learner(row),
                said[row.id],
                appealed[row.id],
                rivals.get(row.id),
                photos,
                row.session_id in looked,
                keepers.get(row.id),
                known,
                user,
                lang,
            ),
            few_photos=few_photos(enrolled, row.learner_id, lang, row.rule),
            in_person_href=_in_person_href(row, user),
            hour_href=_hour_href(row),
            effects=effects(row, stakes[row.class_id], lang),
        )
        for row in shown.values()
    ]
    gravity = {code: at for at, code in enumerate(labels.OUTCOMES)}
    return sorted(cards, key=lambda it: (not it.open, gravity[shown[it.id].outcome]))


def _stake(connection: Connection, class_id: int, user: User) -> Stake:
    klass = class_file.klass(connection, class_id, user.scope)
    assert klass is not None  # whose findings these are
    return stake_of(connection, klass)


def _in_person_href(row: FindingRow, user: User) -> str:
    """The form of a check in person: what takes the place of a face that could not be compared."""
    unproven = row.outcome is Outcome.NOT_PROVEN and row.rule in (
        "face_liveness",
        "photo_retention",
    )
    if not (unproven and row.learner_id and user.hands_in):
        return ""
    asked = {"kind": "checked_in_person", "person": row.learner_id}
    hour = {} if row.hour is None else {"class_hours": row.hour}
    return f"/console/classes/{row.class_id}/acts?{urlencode(asked | hour)}#record"


def _hour_href(row: FindingRow) -> str:
    if not row.hour or row.learner_id is None:
        return ""
    return f"/console/classes/{row.class_id}/learners/{row.learner_id}/hours/{row.hour}"


def _told_learner(row: FindingRow) -> str:
    """What the learner reads of it on their own page, in Chinese as there."""
    told = row.learner_id is not None and row.evidence != Evidence.STATISTIC
    return learner_messages.message_of(row, language("zh")) if told else ""


def _rivals(
    connection: Connection, rows: Sequence[FindingRow], scope: AccessScope
) -> dict[int, int]:
    """The sitting that each finding names beside its own, on whichever platform this person sees
    it, by the finding."""
    found: dict[int, int] = {}
    for row in rows:
        name, away = row.body.rival_session_id, bool(row.body.rival_elsewhere)
        if name and row.start_ms is not None:
            rival = case_file.rival(connection, row, name, away, scope)
            if rival is not None:
                found[row.id] = rival
    return found


def following(
    connection: Connection,
    user: User,
    queue: str,
    now_ms: int,
    *,
    but_session: int | None = None,
    but_finding: int | None = None,
) -> str | None:
    """The next finding of the queue that this person may decide, and is not looking at now."""
    if not user.decides:
        return None
    if BY_CASE in dict(parse_qsl(queue)):
        here = cases.of_findings(connection, [but_finding] if but_finding else [], but_session)
        return next_case(connection, user, queue, now_ms, here)
    wanted = FindingFilters.parsed(queue).wanted(now_ms, user.id)
    rows = finding_queue.page(connection, user.scope, wanted, None, _LOOKED_AHEAD)
    ids = [
        row.id
        for row in rows
        if row.id != but_finding and (row.session_id is None or row.session_id != but_session)
    ]
    decided = finding_queue.first_decided_by(connection, user.id, ids)
    return next((address(it, queue) for it in ids if it not in decided), None)


def address(finding_id: int, queue: str) -> str:
    """A finding's own address, keeping the queue that one came from."""
    return f"/console/findings/{finding_id}" + (f"?{urlencode({'queue': queue})}" if queue else "")
