"""What the audit log's subjects are called: `learner:7` is a person, `act:3` belongs to a class."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from models import (
    Act,
    ApiKey,
    ArchivedPhoto,
    Enrolment,
    Finding,
    Inspection,
    Institution,
    Learner,
    PackDraft,
    Platform,
    Run,
    Session,
    Snapshot,
    TrainingClass,
    User,
)

MOST = 500  # subjects that words may mean; who means more says more words
_CLASS = TrainingClass.occupation + "（" + TrainingClass.external_id + "）"
_PACK = PackDraft.pack_id + "@" + PackDraft.version


def _of_learner(key: Any, join: Any) -> Any:
    return select(key.label("id"), Learner.name.label("name")).join(Learner, join)


def _of_class(key: Any, class_id: Any) -> Any:
    return select(key.label("id"), _CLASS.label("name")).join(
        TrainingClass, TrainingClass.id == class_id
    )


# By the kind of the subject: its id, or slug or username, and its name.
_NAMES: Mapping[str, Any] = {
    "class": select(TrainingClass.id.label("id"), _CLASS.label("name")),
    "learner": select(Learner.id.label("id"), Learner.name.label("name")),
    "person": select(Learner.person_id.label("id"), Learner.name.label("name")),
    "enrolment": _of_learner(Enrolment.id, Learner.id == Enrolment.learner_id),
    "finding": _of_learner(Finding.id, Learner.id == Finding.learner_id),
    "snapshot": select(Snapshot.id.label("id"), Learner.name.label("name"))
    .join(Session, Session.id == Snapshot.session_id)
    .join(Learner, Learner.id == Session.learner_id),
    "session": _of_learner(Session.external_id, Learner.id == Session.learner_id),
    "act": _of_class(Act.id, Act.class_id),
    "inspection": _of_class(Inspection.id, Inspection.class_id),
    "run": _of_class(Run.id, Run.class_id),
    "institution": select(Institution.id.label("id"), Institution.name.label("name")),
    "platform": select(Platform.slug.label("id"), Platform.name.label("name")),
    "key": select(ApiKey.id.label("id"), ApiKey.label.label("name")),
    "draft": select(PackDraft.id.label("id"), _PACK.label("name")),
    "user": select(User.username.label("id"), User.display_name.label("name")),
}
_OF_ARCHIVED = {
    "snapshot": select(ArchivedPhoto.id.label("id"), Learner.name.label("name"))
    .join(Session, Session.id == ArchivedPhoto.session_id)
    .join(Learner, Learner.id == Session.learner_id)
}
_BY_WORD = {"platform", "user", "session"}  # their key is no number
_LEARNERS = {"learner", "person", "enrolment", "finding", "snapshot", "session"}
_SOUGHT = ("class", "learner", "person", "enrolment", "institution", "platform", "user")


def named(
    connection: Connection, subjects: Collection[str], *, people: bool = True
) -> dict[str, str]:
    """The name of each of these that has one: of a class, its occupation and number. Learners only
    with `people`."""
    found: dict[str, str] = {}
    keys: dict[str, dict[str, str]] = {}
    classes: dict[tuple[int, str], str] = {}
    for subject in subjects:
        kind, _, key = subject.partition(":")
        platform, colon, number = key.partition(":")
        if kind == "class" and colon and platform.isdecimal():
            classes[int(platform), number] = subject
        elif kind in _LEARNERS and not people:
            continue
        elif kind in _NAMES and (kind in _BY_WORD or (key.isdecimal() and len(key) < 19)):
            keys.setdefault(kind, {})[key] = subject
    for kind, of_kind in keys.items():
        wanted = list(of_kind) if kind in _BY_WORD else [int(it) for it in of_kind]
        for query in (it[kind] for it in (_NAMES, _OF_ARCHIVED) if kind in it):
            rows = connection.execute(query.where(query.selected_columns["id"].in_(wanted)))
            found |= {of_kind[str(row.id)]: row.name for row in rows}
    if classes:
        each: list[ColumnElement[bool]] = [
            and_(TrainingClass.platform_id == platform, TrainingClass.external_id == number)
            for platform, number in classes
        ]
        of_class = select(
            TrainingClass.platform_id, TrainingClass.external_id, _CLASS.label("name")
        )
        for row in connection.execute(of_class.where(or_(*each))):
            found[classes[row.platform_id, row.external_id]] = row.name
    return found


def called(connection: Connection, words: str, *, people: bool = True) -> list[str]:
    """Subjects with these words in their name: classes, institutions, platforms, users, and with
    `people` learners."""
    found: list[str] = []
    for kind in (it for it in _SOUGHT if people or it not in _LEARNERS):
        query = _NAMES[kind]
        name = query.selected_columns["name"]
        rows = connection.execute(query.where(name.contains(words, autoescape=True)).limit(MOST))
        found += [f"{kind}:{row.id}" for row in rows]
    like = _CLASS.contains(words, autoescape=True)
    of_class = select(TrainingClass.platform_id, TrainingClass.external_id).where(like).limit(MOST)
    found += [f"class:{it.platform_id}:{it.external_id}" for it in connection.execute(of_class)]
    return found
