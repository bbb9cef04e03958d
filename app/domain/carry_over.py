"""What a sitting takes over from the learner's earlier ones: the saved mark, the pop-up clock, and
the photo points that were drawn and not used yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from app.domain import draws, photo_plan
from app.domain.controls import hours_of
from app.domain.photo_plan import Hour, Intervals, Point
from app.domain.sitting_terms import SittingTerms
from app.store import controls as control_store
from app.store import marks
from app.store import sittings as store
from app.store.row import AnyRow


@dataclass(frozen=True, slots=True)
class CarryOver:
    """The state in which a sitting's ledger begins. `origin` names the draw that a pop-up moment
    brought along comes from; None when this sitting drew its own."""

    popup_from_ms: int
    popup_due_ms: int
    popup_draws: int
    origin: Mapping[str, Any] | None
    points: Sequence[Point]
    photo_draws: int

    def schedule(self) -> dict[str, Any]:
        return {
            "carried": None if self.origin is None else dict(self.origin),
            "points": [point.document() for point in self.points],
            "draws": self.photo_draws,
        }


def resume_position(
    connection: Connection,
    learner_id: int,
    class_id: int,
    lesson_id: int,
    media_ms: int,
    terms: SittingTerms,
) -> int:
    """Content ms at which the learner goes on: the first that is not studied, 0 when all is.

    Holes that together stay within half of what a complete lesson may lack send nobody back.
    """
    spare_ms = media_ms * (1 - terms.lesson_done_coverage) / 2
    at = 0
    for start, end in marks.studied(connection, learner_id, class_id, [lesson_id])[lesson_id]:
        if start - at > spare_ms:
            break
        spare_ms -= max(0, start - at)
        at = max(at, end)
    return at if at < media_ms - spare_ms else 0


def carry_over(
    connection: Connection,
    learner_id: int,
    class_id: int,
    lesson_id: int,
    session: str,
    seed: bytes,
    terms: SittingTerms,
) -> CarryOver:
    """The beginning of a new sitting's ledger, with what had to be drawn drawn from its seed."""
    previous = store.last_of_learner(connection, learner_id, class_id)
    hours = hours_of(connection, class_id)
    touched = [hour for hour in hours if any(piece[0] == lesson_id for piece in hour.pieces)]
    kept = [] if previous is None else [Point.of(it) for it in previous.schedule.get("points", ())]
    points, drawn = _photo_points(
        connection, learner_id, class_id, touched, kept, session, seed, terms
    )
    from_ms, due_ms, made, origin = _popup_clock(previous, seed, terms)
    return CarryOver(from_ms, due_ms, made, origin, points, drawn)


def _popup_clock(
    previous: AnyRow | None, seed: bytes, terms: SittingTerms
) -> tuple[int, int, int, Mapping[str, Any] | None]:
    """The pop-up clock runs on over the sittings of a class: no reload shakes it off.

    (start of the interval and moment on the new sitting's learning clock, draws made, origin)
    """
    if previous is None or previous.popup_due_ms is None:
        due_ms = draws.popup_interval_ms(seed, 0, terms.popup_low_ms, terms.popup_high_ms)
        return 0, due_ms, 1, None
    origin = previous.schedule.get("carried")
    if previous.popup_draws:
        origin = {
            "drawn_in": previous.external_id,
            "draw": previous.popup_draws - 1,
            "interval_ms": previous.popup_due_ms - previous.popup_from_ms,
        }
    gone_ms = previous.learning_ms
    return previous.popup_from_ms - gone_ms, previous.popup_due_ms - gone_ms, 0, origin


def _photo_points(
    connection: Connection,
    learner_id: int,
    class_id: int,
    hours: Sequence[Hour],
    kept: Sequence[Point],
    session: str,
    seed: bytes,
    terms: SittingTerms,
) -> tuple[list[Point], int]:
    """Points of `hours`, those of other class-hours as they were, and how many were drawn now."""
    numbers = {hour.number for hour in hours}
    lessons = {piece[0] for hour in hours for piece in hour.pieces}
    studied: Mapping[int, Intervals] = marks.studied(connection, learner_id, class_id, lessons)
    taken = control_store.photos_taken(connection, learner_id, class_id, numbers)
    points = [point for point in kept if point.hour not in numbers]
    drawn = 0
    for hour in hours:
        planned = photo_plan.plan(
            hour,
            studied=studied,
            kept=[point for point in kept if point.hour == hour.number],
            used=[(lesson, at) for number, lesson, at in taken if number == hour.number],
            wanted=terms.photos_per_hour,
            edge_ms=terms.photo_edge_ms,
            draw=photo_plan.drawer(seed, hour.number, session, drawn),
        )
        drawn += sum(1 for point in planned if point.drawn_in == session)
        points += planned
    return points, drawn
