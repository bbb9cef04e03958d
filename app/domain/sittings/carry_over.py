"""What a sitting takes over from the learner's earlier ones: the saved mark, how long ago the last
pop-up was, and how many photos a class-hour still lacks.

What is still to come is drawn anew, from the new sitting's own secret seed: the seeds of the
sittings before are public by then, and nothing that will be asked may follow from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from app.domain.controls import draws, photo_plan
from app.domain.controls.photo_plan import Intervals, PlannedHour, Point
from app.domain.controls.scheduler import hours_of
from app.domain.policy.sitting_terms import SittingTerms
from app.store.controls import controls as control_store
from app.store.sittings import progress
from app.store.sittings import sittings as store
from app.store.sittings.sittings import PreviousSitting


@dataclass(frozen=True, slots=True)
class CarryOver:
    """The state in which a sitting's ledger begins. `popup_range_ms` is what its first pop-up was
    drawn over; None where one that had fallen due before is brought along."""

    popup_from_ms: int
    popup_due_ms: int
    popup_range_ms: tuple[int, int] | None
    points: Sequence[Point]

    @property
    def popup_draws(self) -> int:
        return 0 if self.popup_range_ms is None else 1

    def schedule(self) -> dict[str, Any]:
        return {
            "popup_range_ms": self.popup_range_ms and list(self.popup_range_ms),
            "points": [point.document() for point in self.points],
            "draws": len(self.points),
        }


def resume_position(
    connection: Connection,
    learner_id: int,
    class_id: int,
    lesson_id: int,
    terms: SittingTerms,
) -> int:
    """Content ms at which the learner goes on: the first that is not studied, 0 when all is.

    Holes that together stay within half of what a complete lesson may lack send nobody back.
    """
    film = progress.film_of_lesson(connection, class_id, lesson_id)
    spare_ms = film.content_ms * (1 - terms.lesson_done_coverage) / 2
    played = progress.studied(connection, learner_id, class_id, [lesson_id])[lesson_id]
    at = 0
    for start, end in progress.union([*played, *film.holes]):
        if start - at > spare_ms:
            break
        spare_ms -= max(0, start - at)
        at = max(at, end)
    return at if at < film.ends_ms - spare_ms else 0


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
    touched = [
        hour
        for hour in hours_of(connection, class_id)
        if any(piece[0] == lesson_id for piece in hour.pieces)
    ]
    points = _photo_points(connection, learner_id, class_id, touched, session, seed, terms)
    return CarryOver(*_popup_clock(previous, seed, terms), points)


def _popup_clock(
    previous: PreviousSitting | None, seed: bytes, terms: SittingTerms
) -> tuple[int, int, tuple[int, int] | None]:
    """The pop-up clock runs on over the sittings of a class: no reload shakes it off.

    (start of the interval and moment on the new sitting's learning clock, range of the draw). A
    pop-up that had fallen due is due at once; one that was still secret is drawn again over what is
    left of its interval, which keeps it as likely at every moment as it was.
    """
    from_ms, gone_ms = 0, 0
    if previous is not None and previous.popup_due_ms is not None:
        from_ms = previous.popup_from_ms - previous.learning_ms
        gone_ms = -from_ms
        due_ms = previous.popup_due_ms - previous.learning_ms
        if due_ms <= 0 or gone_ms >= terms.popup_high_ms:
            return from_ms, due_ms, None
    low_ms, high_ms = max(terms.popup_low_ms, gone_ms), terms.popup_high_ms
    return from_ms, from_ms + draws.popup_interval_ms(seed, 0, low_ms, high_ms), (low_ms, high_ms)


def _photo_points(
    connection: Connection,
    learner_id: int,
    class_id: int,
    hours: Sequence[PlannedHour],
    session: str,
    seed: bytes,
    terms: SittingTerms,
) -> list[Point]:
    """The points of `hours`, all drawn now."""
    numbers = {hour.number for hour in hours}
    lessons = {piece[0] for hour in hours for piece in hour.pieces}
    studied: Mapping[int, Intervals] = {
        lesson: [*played, *progress.film_of_lesson(connection, class_id, lesson).absent]
        for lesson, played in progress.studied(connection, learner_id, class_id, lessons).items()
    }
    taken = control_store.photos_taken(connection, learner_id, class_id, numbers)
    points: list[Point] = []
    for hour in hours:
        points += photo_plan.plan(
            hour,
            studied=studied,
            used=[(lesson, at) for number, lesson, at in taken if number == hour.number],
            wanted=terms.photos_per_hour,
            edge_ms=terms.photo_edge_ms,
            draw=photo_plan.drawer(seed, hour.number, session, len(points)),
        )
    return points
