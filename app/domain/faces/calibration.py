"""The statistics of the site's own faces, without labels, and which of them decide.

Whole faces are never compared by hand here: what is read are the sealed embeddings of photos that
people agreed to, and what is kept are numbers and one mean over the whole cohort. A mismatch is
never judged by what another cohort showed: thresholds are those of one site and one model.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection

from app.domain.faces import enrolment_photos
from app.domain.faces.group_errors import HonestSittings, error_rates
from app.domain.faces.moments import SeenMoment, moments
from app.errors import Conflict
from app.security import Unsealable, unseal
from app.store.accounts import audit
from app.store.faces import calibrations, face_keys, face_sets
from app.store.faces.face_sets import EmbeddedPhoto
from app.vault import Vault
from app.vision import cohort
from app.vision.cohort import COUNTS, LEAST_PEOPLE, MeasuredCohort, Person, TooFewPeople
from app.vision.match import Embedding, Moment, Yardstick, apart, means, thresholds_for
from app.vision.model_card import ModelCard
from app.vision.seen import embedding_context, usable, vector
from app.vision.spread import FMR, Means, Spread

MOST_PERSONS = 500  # 124,750 pairs of strangers: enough for any quantile asked for


class NotEnoughFaces(Conflict):
    """Too few people were photographed for a threshold; the model card's stays."""


@dataclass(frozen=True, slots=True)
class Faces:
    """What was seen of one account: its moments, sitting by sitting, in order of receipt, its
    enrolled photos, and the variance of frames about their moment where it was a burst. ``groups``
    it is counted in: sex and age, where they can be told."""

    learner_id: int
    person_id: int
    sittings: list[list[Moment]]
    enrolled: tuple[Moment, ...] = ()
    scatter: tuple[float, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def moments(self) -> list[Moment]:
        return [it for sitting in self.sittings for it in sitting]

    def person(self) -> Person:
        enrolled = [list(self.enrolled)] if self.enrolled else []
        return Person([*enrolled, *self.sittings], self.scatter)


@dataclass(frozen=True, slots=True)
class SiteThresholds:
    """The calibration in force: the yardstick that this site's distances are held against."""

    calibration_id: int
    yardstick: Yardstick


def in_force(connection: Connection, card: ModelCard) -> SiteThresholds | None:
    """The site's own yardstick for a model; None: that of its card, also where the last
    calibration is one of an earlier release, which kept thresholds for one pair of counts."""
    row = calibrations.in_force(connection, card.model)
    if row is None or "decides_on" not in row.body:
        return None
    kind = row.body["decides_on"]
    fields = row.body[kind]["spread"]
    spread = Spread(**{**fields, "strangers": tuple(fields["strangers"])})
    centre = None
    if kind == "centred":
        assert row.cohort_mean is not None
        centre = vector(row.cohort_mean)
    source = f"calibration {row.id} of the site: {spread.people} people, {spread.pairs} pairs"
    return SiteThresholds(row.id, Yardstick(spread, source, centre))


def seen_faces(
    connection: Connection,
    vault: Vault,
    accounts: Sequence[tuple[int, int]],
    card: ModelCard,
    groups_of: Callable[[int], tuple[str, ...]] = lambda learner_id: (),
) -> list[Faces]:
    """The faces of (learner, person) accounts, of those that have any for the model."""
    keys: dict[int, bytes | None] = {}
    found: dict[int, dict[int, list[tuple[EmbeddedPhoto, Embedding]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in face_sets.pictures(connection, [learner for learner, _ in accounts]):
        if not usable(row.reading) or row.reading.get("model") != card.model:
            continue
        if row.learner_id not in keys:
            keys[row.learner_id] = _key(connection, vault, row.learner_id)
        key = keys[row.learner_id]
        if key is None:
            continue
        try:
            opened = unseal(key, row.embedding_encrypted, embedding_context(row.session_id))
        except Unsealable:  # sealed with a key that is gone
            continue
        found[row.learner_id][row.session_id].append((row, vector(opened)))
    persons = dict(accounts)
    return [
        faces_of(
            learner,
            persons[learner],
            [moments(photos) for photos in sittings.values()],
            _enrolled(connection, keys[learner], learner, card),
            groups_of(learner),
        )
        for learner, sittings in found.items()
    ]


def faces_of(
    learner_id: int,
    person_id: int,
    sittings: Sequence[Sequence[SeenMoment]],
    enrolled: tuple[Moment, ...],
    groups: tuple[str, ...] = (),
) -> Faces:
    """An account's faces from the moments of its sittings."""
    scatter = [it.scatter for sitting in sittings for it in sitting]
    return Faces(
        learner_id,
        person_id,
        [[it.moment for it in sitting] for sitting in sittings],
        enrolled,
        tuple(it for it in scatter if it is not None),
        groups,
    )


def _enrolled(
    connection: Connection, key: bytes | None, learner_id: int, card: ModelCard
) -> tuple[Moment, ...]:
    if key is None:
        return ()
    found = enrolment_photos.template(connection, key, learner_id, card)
    return found.moments if found is not None and found.agrees else ()


def _key(connection: Connection, vault: Vault, learner_id: int) -> bytes | None:
    try:
        return face_keys.key(connection, vault, learner_id)
    except face_keys.KeyDestroyed:
        return None


def measured(
    card: ModelCard, faces: Iterable[Faces], fmr: float = FMR
) -> tuple[dict[str, Any], Embedding]:
    """The body of a calibration, and the cohort's mean. Raises NotEnoughFaces.

    One account a person. ``decides_on`` is `raw`, or `centred` where centring on some of these
    people was shown to tell others of them apart better.
    """
    chosen = _one_account_a_person(faces)
    people = [each.person() for each in chosen]
    try:
        raw = cohort.measure(people, card)
    except TooFewPeople as few:
        raise NotEnoughFaces("not_enough_faces", _too_few(len(people))) from few
    centre = cohort.centre(people)
    centred = cohort.measure(people, card, centre)
    holds = cohort.centring_holds(people, card, fmr)
    kinds = {"raw": (raw, None), "centred": (centred, centre)}
    body: dict[str, Any] = {"persons": len(chosen), "fmr": fmr}
    body["decides_on"] = "centred" if holds else "raw"
    for name, (found, mean) in kinds.items():
        body[name] = {
            "spread": asdict(found.decides),
            "estimate": asdict(found.estimate),
            "pairs": found.estimate.pairs,
            "own": found.own,
            "counts": [_limits(card, found, counts, fmr, mean) for counts in COUNTS],
        }
    decisive, mean = kinds[body["decides_on"]]
    body |= error_rates(_outcomes(card, chosen, Yardstick(decisive.decides, "", mean), fmr))
    return body | {"alarm": _alarm(card, raw)}, centre


def _one_account_a_person(faces: Iterable[Faces]) -> list[Faces]:
    found: dict[int, Faces] = {}
    for each in faces:
        if len(each.moments) + len(each.enrolled) > 1:
            found.setdefault(each.person_id, each)
    return sorted(found.values(), key=lambda each: -each.learner_id)[:MOST_PERSONS]


def _limits(
    card: ModelCard,
    found: MeasuredCohort,
    counts: tuple[int, int],
    fmr: float,
    cohort_mean: Embedding | None,
) -> dict[str, Any]:
    """Thresholds for one pair of counts, with the interval of what they were estimated at."""
    yardstick = Yardstick(found.decides, "", cohort_mean)
    enrolled, seen = (Means.of(count) for count in counts)
    limits = thresholds_for(yardstick, card, enrolled, seen, fmr)
    interval = found.interval(counts, fmr)
    shown = [value / 2 if card.metric == "cosine" else value**0.5 for value in interval]
    return {
        "enrolled": counts[0],
        "moments": counts[1],
        "match": round(limits.match, 4),
        "interval_95": [round(value, 4) for value in shown],
        "mismatch": round(limits.mismatch, 4),
        "pairs_of_people": found.estimate.pairs,
    }


def _outcomes(
    card: ModelCard, faces: Sequence[Faces], yardstick: Yardstick, fmr: float
) -> list[HonestSittings]:
    """How the sittings of each person fare against their own enrolment."""
    found = []
    for each in faces:
        first, *later = each.person().sittings
        outcomes = []
        for sitting in later:
            limits = thresholds_for(yardstick, card, means(first), means(sitting), fmr)
            measured = apart(first, sitting, card, yardstick.cohort_mean)
            outcomes.append(
                (limits.match < measured <= limits.mismatch, measured > limits.mismatch)
            )
        if outcomes:
            found.append(HonestSittings(each.groups, outcomes))
    return found


def _alarm(card: ModelCard, raw: MeasuredCohort) -> str | None:
    """Why the model does not fit; the card's alarm value is one of single, uncentred pictures."""
    alone = Means.of(1)
    limit = thresholds_for(Yardstick(raw.estimate, ""), card, alone, alone).match
    if limit >= card.cohort_alarm_below:
        return None
    return (
        f"{card.model} does not fit this cohort: of single pictures, strangers reach FMR 1 % at a "
        f"distance of {limit:.2f}, below {card.cohort_alarm_below:.2f}"
    )


def _too_few(persons: int) -> str:
    return (
        f"{persons} persons with two moments or more; {LEAST_PEOPLE} are needed. The model card's "
        "thresholds stay."
    )


def record(
    connection: Connection,
    card: ModelCard,
    body: dict[str, Any],
    cohort_mean: Embedding,
    *,
    actor: str,
    apply: bool,
    now_ms: int,
) -> int:
    """Keep a measurement; with `apply` it decides from now on. Its id."""
    calibration_id = calibrations.add(
        connection,
        model=card.model,
        created_ms=now_ms,
        actor=actor,
        applied=apply,
        cohort_mean=np.asarray(cohort_mean, "<f4").tobytes(),
        body=body,
    )
    if apply:
        kind = body["decides_on"]
        audit.append(
            connection,
            at_ms=now_ms,
            actor=actor,
            action="calibration.applied",
            subject=f"calibration:{calibration_id}",
            detail={"model": card.model, "on": kind, "thresholds": body[kind]["counts"]},
        )
    return calibration_id
