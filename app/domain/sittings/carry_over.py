"""What a sitting takes over from the learner's earlier ones: the saved mark, how long ago the last
pop-up was, and how many photos a class-hour still lacks.

What is still to come is drawn anew, from the new sitting's own secret seed: the seeds of the
sittings before are public by then, and nothing that will be asked may follow from them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from app.domain.controls import draws, photo_plan
from app.domain.controls.photo_plan import Intervals, PlannedHour, Point
from app.domain.policy.sitting_terms import SittingTerms
from app.store import stays
from app.store.controls import controls as control_store
from app.store.review import acts, claims
from app.store.review.acts import ActInForce, RecordedActs
from app.store.sittings import progress
from app.store.sittings import sittings as store
from app.store.sittings.progress import FilmedLesson
from app.store.sittings.sittings import PreviousSitting
from app.store.stays import StayRow
from detectors.film import Film


@dataclass(frozen=True, slots=True)
class CarryOver:
    """The state in which a sitting and its ledger begin. `resume_ms` is the saved mark.
    `popup_range_ms` is what its first pop-up was drawn over; None where one that had fallen due
    before is brought along."""

    resume_ms: int
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


_KINDS = ("answer_time", "lesson_length", claims.EXTENSION, claims.LEAVE)


@dataclass(frozen=True, slots=True)
class Ground:
    """On what a learner's next sitting in a class rests, read once: the stay, and acts on the class
    and on the learner, there and where they moved from."""

    class_id: int
    stay: StayRow
    acts: RecordedActs

    @classmethod
    def read(cls, connection: Connection, class_id: int, stay: StayRow) -> Ground:
        classes = _classes(class_id, stay)
        return cls(class_id, stay, acts.recorded(connection, classes, stay.learner_id, _KINDS))

    @property
    def answer_times(self) -> list[ActInForce]:
        """Times to answer pop-ups that stand recorded for the learner."""
        return self.acts.in_force(self.class_id, "answer_time")

    def film(self, lesson: FilmedLesson) -> Film:
        """The lesson's film as its class has it on record, else as the catalogue has it."""
        return self.acts.film_of_lesson(self.class_id, lesson.external_id, lesson.media_ms)

    def studied(
        self, connection: Connection, lesson_ids: Collection[int]
    ) -> dict[int, progress.Intervals]:
        """What was studied of lessons, see `progress.studied`."""
        classes = _classes(self.class_id, self.stay)
        return progress.studied(connection, self.stay.learner_id, classes, lesson_ids)


def _classes(class_id: int, stay: StayRow) -> set[int]:
    """The class and those that the learner moved from."""
    return {class_id, *(it.moved_from for it in stays.moves(stay))}


def resume_position(film: Film, played: Intervals, terms: SittingTerms) -> int:
    """Content ms at which the learner goes on: the first that is not studied, 0 when all is.

    Holes that together stay within half of what a complete lesson may lack send nobody back.
    """
    spare_ms = film.content_ms * (1 - terms.lesson_done_coverage) / 2
    at = 0
    for start, end in progress.union([*played, *film.holes]):
        if start - at > spare_ms:
            break
        spare_ms -= max(0, start - at)
        at = max(at, end)
    return at if at < film.ends_ms - spare_ms else 0


def carry_over(
    connection: Connection,
    ground: Ground,
    lesson: FilmedLesson,
    hours: Sequence[PlannedHour],
    session: str,
    seed: bytes,
    terms: SittingTerms,
) -> CarryOver:
    """The beginning of a new sitting's ledger, with what had to be drawn drawn from its seed.
    `hours` are those of the class."""
    touched = [it for it in hours if any(piece[0] == lesson.id for piece in it.pieces)]
    lesson_ids = {lesson.id, *(piece[0] for hour in touched for piece in hour.pieces)}
    studied = ground.studied(connection, lesson_ids)
    others = lesson_ids - {lesson.id}
    lessons = [lesson, *(progress.lengths(connection, others) if others else ())]
    films = {it.id: ground.film(it) for it in lessons}
    points = _photo_points(connection, ground, touched, studied, films, session, seed, terms)
    previous = store.last_of_learner(connection, ground.stay.learner_id, ground.class_id)
    resume_ms = resume_position(films[lesson.id], studied[lesson.id], terms)
    return CarryOver(resume_ms, *_popup_clock(previous, seed, terms), points)


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
    ground: Ground,
    hours: Sequence[PlannedHour],
    played: Mapping[int, Intervals],
    films: Mapping[int, Film],
    session: str,
    seed: bytes,
    terms: SittingTerms,
) -> list[Point]:
    """The points of `hours`, all drawn now."""
    numbers = {hour.number for hour in hours}
    studied = {it: [*played[it], *film.absent] for it, film in films.items()}
    learner_id = ground.stay.learner_id
    taken = control_store.photos_taken(connection, learner_id, ground.class_id, numbers)
    if taken:  # what was asked and came, and is worth nothing, has to be asked for again
        lacking = progress.hours_without_photo(connection, ground.stay.id, numbers)
        taken = [it for it in taken if it[0] not in lacking]
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
