"""A person's earlier trainings: what the platform's register reported, and the classes held here.

The register's records are a platform's own word and count for its own classes only; classes held
here count on every platform, because the limits are a person's; that they are another platform's
word goes along. Another platform's class is named by its official number or not at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date

from sqlalchemy import Connection

from app.store.accounts import platforms
from app.store.catalogue.catalogue import ClassRow
from app.store.judging import enrolment_facts as store
from app.store.judging.enrolment_facts import OtherClass
from detectors.batch_facts import Training

_Subject = tuple[str, str, date]


def earlier(
    connection: Connection, klass: ClassRow, person_ids: Collection[int]
) -> dict[int, tuple[Training, ...]]:
    """Earlier trainings by person, each once, in the order of opening. Of two classes that opened
    on one day, the one whose (platform, id) comes first is the earlier.

    Numbers and names are a platform's word: classes held here under one number are one training
    only where they are of one subject, and the register adds to what is held here, never the other
    way round."""
    opening = klass.terms["starts_on"]
    told = _registered(connection, klass, person_ids)
    found: dict[int, dict[str, Training]] = defaultdict(dict)
    itself = (
        klass.terms["occupation"],
        klass.terms.get("level") or "",
        date.fromisoformat(opening),
    )
    rows = list(store.other_classes(connection, klass.id, person_ids, opening))
    held = store.assessments(connection, {row.class_id for row in rows})
    here = (platforms.by_id(connection, klass.platform_id).slug, klass.external_id)
    for row in rows:
        if row.starts_on == opening and (row.slug, row.external_id) > here:
            continue
        mine, training = found[row.person_id], _held_here(row, klass, held.get(row.class_id, {}))
        subject, there = _subject(training), mine.get(training.class_id)
        named = itself if training.class_id == klass.external_id else there and _subject(there)
        if named is not None and named != subject:
            name = f"{training.class_id}（{row.occupation}{training.level}，{row.starts_on}）"
            training, there = replace(training, class_id=name), mine.get(name)
        for known in [it for it in told[row.person_id] if _one(it, training)]:
            told[row.person_id].remove(known)
            training = _with(training, known)
        mine[training.class_id] = training if there is None else _with(training, there)
    return {
        person: tuple(
            sorted(
                [*told[person], *found[person].values()], key=lambda it: (it.opened_on, it.class_id)
            )
        )
        for person in {*told, *found}
    }


def _registered(
    connection: Connection, klass: ClassRow, person_ids: Collection[int]
) -> dict[int, list[Training]]:
    """What the platform reported from the register, without this very class."""
    own_number = klass.terms["official_class_no"]
    told: dict[int, dict[_Subject, Training]] = defaultdict(dict)
    for reported in store.history(connection, klass.platform_id, person_ids):
        number = reported.body.get("official_class_no")
        if own_number is not None and number == own_number:
            continue
        training = Training(
            class_id=number or f"register:{reported.item[:12]}",
            occupation=reported.occupation,
            level=reported.level or "",
            opened_on=date.fromisoformat(reported.started_on),
            assessed=True if reported.assessed_on else None,
            assessed_on=date.fromisoformat(reported.assessed_on) if reported.assessed_on else None,
        )
        told[reported.person_id][_subject(training)] = training
    return defaultdict(list, {person: list(mine.values()) for person, mine in told.items()})


def _one(one: Training, other: Training) -> bool:
    """The register and this service tell of one training under two names, or with two days."""
    return one.class_id == other.class_id or _subject(one) == _subject(other)


def _with(training: Training, known: Training) -> Training:
    """A training of which something else is known, too: a day of assessment that it lacks."""
    if training.assessed_on not in (None, known.assessed_on):
        return training
    return replace(
        training,
        assessed=known.assessed or training.assessed,
        assessed_on=known.assessed_on,
        elsewhere=training.elsewhere and (known.elsewhere or known.assessed_on is None),
    )


def _held_here(row: OtherClass, klass: ClassRow, assessed: Mapping[int, str]) -> Training:
    """A class of this service. Without a record it is unassessed where others of it were
    assessed, or where its own assessment was planned for later than this class's opening."""
    day = assessed.get(row.learner_id)
    planned = row.assessment_on
    later = planned is not None and planned >= klass.terms["starts_on"]
    own = row.platform_id == klass.platform_id
    elsewhere = f"其他平台{row.occupation}班（{row.starts_on}）"
    name = row.official_class_no or (row.external_id if own else elsewhere)
    return Training(
        class_id=name,
        occupation=row.occupation,
        level=row.terms.get("level") or "",
        opened_on=date.fromisoformat(row.starts_on),
        assessed=True if day else False if assessed or later else None,
        assessed_on=date.fromisoformat(day) if day else None,
        left=row.ended_by is not None and day is None,
        elsewhere=not own,
    )


def _subject(training: Training) -> _Subject:
    return training.occupation, training.level, training.opened_on
