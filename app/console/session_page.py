"""One sitting: the picture, the findings, the evidence."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request, Response
from msgspec import structs
from sqlalchemy import Connection

from app.console import credit_minutes, labels
from app.console.finding_cards import cards_of, following
from app.console.finding_view import FindingCard, sentence_of
from app.console.language import N_, Language
from app.console.login import FormOfThisLogin, SignedIn
from app.console.overlap_picture import named
from app.console.page import ConsoleRoute, RowId, language_of, render, see_other
from app.console.photo_page import PURPOSES
from app.console.session_frame import (
    Drawing,
    DrawnFinding,
    DrawnSitting,
    DrawnVoid,
    WithheldStretch,
    frame_of,
)
from app.console.session_lanes import control_title
from app.console.session_photos import shown_small
from app.console.session_picture import legend_rules, session_picture, swatch
from app.domain.accounts.users import Login
from app.domain.faces import photo_viewing
from app.domain.judging import unsettled
from app.domain.judging.timeline import Timeline, TimelineSession, VoidedStretch
from app.domain.judging.timeline import timeline as timeline_of
from app.errors import BadInput, NotFound
from app.store.events import event_log
from app.store.review import crowds
from app.store.review.finding_rows import FindingRow
from app.store.scope import AccessScope
from app.store.sittings import case_file, similar
from app.store.sittings.case_file import NeighbourSitting, SittingCase

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

_NEIGHBOURS, _ALIKE = 12, 6
_CAMERAS = 5


@router.get("/sessions/{session_id}")
def session(
    request: Request,
    login: SignedIn,
    session_id: RowId,
    queue: str = "",
    finding: int = 0,
    done: int = 0,
) -> Response:
    return session_view(request, login, session_id, queue, first=finding, done=done)


@router.post("/sessions/{session_id}/photos", dependencies=[FormOfThisLogin])
def look_through(
    request: Request,
    login: SignedIn,
    session_id: RowId,
    purpose: Annotated[str, Form()] = "",
    queue: str = "",
    finding: int = 0,
) -> Response:
    """Enter why this person looks at the sitting's photos; for a while the picture shows them."""
    services = request.app.state.services
    try:
        with services.database.write() as connection:
            sitting_of(connection, session_id, login.user.scope)
            timeline = timeline_of(connection, session_id)
            small = shown_small(timeline, frame_of(timeline, language_of(request)))
            photo_viewing.look_through(
                connection, login.user, session_id, small, purpose, services.clock()
            )
    except BadInput as error:
        refused = labels.PROBLEMS[error.code]
        return session_view(request, login, session_id, queue, first=finding, no_look=refused)
    query = {name: value for name, value in (("queue", queue), ("finding", finding)) if value}
    return see_other(f"/console/sessions/{session_id}?{urlencode(query)}#picture")


def session_view(
    request: Request,
    login: Login,
    session_id: int,
    queue: str,
    *,
    first: int = 0,
    done: int = 0,
    problem: str = "",
    no_look: str = "",
    typed: dict[str, Any] | None = None,
) -> Response:
    """The page, with the card of finding `first` before the others.

    With `problem`, a form that was refused is shown again as it was typed; `no_look` tells why the
    photos are not shown.
    """
    services, lang, user = request.app.state.services, language_of(request), login.user
    with services.database.read() as connection:
        sitting = sitting_of(connection, session_id, user.scope)
        timeline = timeline_of(connection, session_id)
        voiding = [it.finding for it in timeline.voided]
        rows = case_file.findings_of(connection, session_id)
        standing = case_file.findings_by_key(connection, sitting.class_id, voiding)
        cards = cards_of(connection, rows, sitting.county, user, lang)
        cards.sort(key=lambda it: it.id != first)
        in_crowds = crowds.naming(connection, sitting.class_id, [sitting.external_id])
        verdicts = case_file.verdicts_of(connection, session_id)
        looks = photo_viewing.looks(connection, user, session_id, services.clock())
        rules = {it.rule for it in rows if not it.shadow}
        alike = similar.by_finding(connection, sitting, rules, user.scope, _ALIKE) if rules else []
        shared = similar.by_device(connection, sitting, user.scope, _ALIKE)
        cameras = _cameras(event_log.read(connection, session_id).notes)
        neighbours = case_file.neighbours(connection, sitting, _NEIGHBOURS)
        ids_beside = [it.id for it in neighbours] + [it.id for it in shared]
        stands = unsettled.sittings_now(connection, ids_beside)
        next_up = _next_here(cards) if done else None
        if done and not next_up:
            next_up = following(connection, user, queue, services.clock(), but_session=session_id)
        rivals = [sitting_of(connection, it, user.scope) for it in _rivals(cards)]
    drawing = as_entered(sitting, timeline, rows, standing, {it.id for it in cards}, lang)
    drawing = structs.replace(drawing, beside=_side_by_side(sitting, rivals, lang))
    return render(
        request,
        "session.html",
        login=login,
        status=422 if problem or no_look else 200,
        sitting=sitting,
        timeline=drawing,
        outcome=labels.label(labels.VERDICTS, timeline.session.standing),
        picture=session_picture(drawing, lang, looks),
        looks=looks,
        no_look=no_look,
        now_ms=services.clock(),
        purposes=PURPOSES,
        first=first,
        legend=[(rule, swatch(rule)) for rule in legend_rules(drawing)],
        minutes=credit_minutes.lines(drawing, lang),
        credited_ms=sum(pos1 - pos0 for pos0, pos1, _, _ in timeline.credited),
        sources={it.source for it in timeline.controls},
        controls=[(row, it, control_title(it, lang)) for row, it in enumerate(timeline.controls)],
        cards=cards,
        crowds=[(it, sentence_of(it.body, lang)) for it, _ in in_crowds],
        waiting=any(it.check == "pending" for it in timeline.photos),
        verdicts=verdicts,
        neighbours=neighbours,
        lessons=_in_order(sitting, neighbours, {it.rule for it in rows}),
        cameras=cameras,
        alike=alike,
        shared=shared,
        stands=stands,
        queue=queue,
        following=next_up,
        done=done,
        problem=problem,
        typed=typed,
    )


def _in_order(
    sitting: SittingCase, neighbours: Sequence[NeighbourSitting], found: Collection[str]
) -> list[SittingCase | NeighbourSitting]:
    """The learner's sittings in the order of time, where that of the lessons is in question."""
    if "lesson_order" not in found:
        return []
    return sorted([sitting, *neighbours], key=lambda it: it.opened_ms)


def _cameras(notes: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the learner's browser said of its camera, each once."""
    said = (str(it["value"]) for it in notes if it.get("code") == "camera_track")
    return list(dict.fromkeys(said))[:_CAMERAS]


def _next_here(cards: Sequence[FindingCard]) -> str | None:
    """The sitting's own next finding to decide comes before another sitting's."""
    return next((f"#finding-{it.id}" for it in cards if it.may_decide), None)


def _rivals(cards: Sequence[FindingCard]) -> list[int]:
    """The sittings that findings name beside this one, each once."""
    return list(dict.fromkeys(it.rival_id for it in cards if it.rival_id is not None))


def _side_by_side(
    sitting: SittingCase, rivals: Sequence[SittingCase], lang: Language
) -> tuple[DrawnSitting, ...]:
    """This sitting and those it is told to overlap with, named; nothing without these."""
    if not rivals:
        return ()
    others = ((lang.say(N_("另一次")), it) for it in rivals)
    return named([(lang.say(N_("本次")), sitting), *others], lang, sitting.id)


def as_entered(
    sitting: Any,
    timeline: Timeline,
    rows: Sequence[FindingRow],
    standing: Sequence[Any],
    visible: Collection[int],
    lang: Language,
) -> Drawing:
    """The timeline with its findings as they were entered: ids, addresses, words of the language.

    What voids time may have been found on another sitting of the same class-hour; it leads there.
    """
    own = {row.key: row for row in rows if row.id in visible}
    known = {row.key: row for row in standing if not row.shadow} | own
    return Drawing(
        session=timeline.session,
        samples=timeline.samples,
        credited=timeline.credited,
        controls=timeline.controls,
        photos=timeline.photos,
        voided=[
            _drawn(it, known[it.finding], it.finding in own)
            for it in timeline.voided
            if it.finding in known and _touches(it, timeline.session)
        ],
        findings=[
            DrawnFinding(
                id=own[it.key].id,
                rule=it.rule,
                outcome=labels.drawn(it.outcome, own[it.key].status),
                start_ms=it.start_ms,
                end_ms=it.end_ms,
                sentence=it.sentence.in_(lang.code),
            )
            for it in timeline.findings
            if it.key in own
        ],
        events=f"/console/sessions/{sitting.id}/events",
        pack=f"{sitting.pack_id}@{sitting.pack_version}",
        withheld=tuple(_withheld(timeline, lang)),
    )


def _withheld(timeline: Timeline, lang: Language) -> Iterator[WithheldStretch]:
    """What a rule took without accusing anybody: such findings are noted, and never entered."""
    noted = {it.key: it.sentence.in_(lang.code) for it in timeline.notes}
    for it in timeline.voided:
        if it.finding in noted and _touches(it, timeline.session):
            yield WithheldStretch(t0_ms=it.t0_ms, t1_ms=it.t1_ms, sentence=noted[it.finding])


def _drawn(void: VoidedStretch, row: Any, here: bool) -> DrawnVoid:
    href = f"#finding-{row.id}" if here else f"/console/findings/{row.id}"
    return DrawnVoid(
        **structs.asdict(void), outcome=labels.drawn(row.outcome, row.status), href=href
    )


def _touches(void: VoidedStretch, session: TimelineSession) -> bool:
    ended = max(session.closed_ms or 0, session.ended_ms)  # what came late lies after the end
    return void.t1_ms > session.opened_ms and void.t0_ms < ended


def sitting_of(connection: Connection, session_id: int, scope: AccessScope) -> Any:
    """The session's row with the names around it. Raises NotFound."""
    found = case_file.sitting(connection, session_id, scope)
    if found is None:
        raise NotFound("unknown_session", "there is no such session")
    return found
