"""The checks of a class that are left to the authority, as the console names them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from msgspec import UNSET
from sqlalchemy import Connection

from app.console.readable import check as numbered
from app.domain.judging.check_sentences import sentence_of
from app.domain.policy import packs
from app.domain.policy.pack import Pack
from app.domain.review import check_decisions
from app.languages import Text
from app.store.bodies import CheckBody
from app.store.catalogue import catalogue

OF_CLASS, OF_LEARNER = "class_check_decided", "learner_check_decided"


class CheckLeft(NamedTuple):
    """One check that waits: the act that decides it, whom it is about, and how it reads. `learner`
    is the public id, empty where the check is on the class."""

    act: str
    learner: str
    person: str
    check: str
    title: Text
    sentence: Text


def checks_left(connection: Connection, class_id: int, roster: Iterable[Any]) -> list[CheckLeft]:
    """All that waits in a class: its own checks first, then those on its learners."""
    klass = catalogue.class_by_id(connection, class_id)
    pack = packs.found(klass.pack_id, klass.pack_version)
    own = check_decisions.left_to_authority(connection, class_id)
    of_learner = check_decisions.learners_waiting(connection, class_id)
    return [
        *(_left(it, pack, OF_CLASS, "", "") for it in own),
        *(
            _left(it, pack, OF_LEARNER, person.external_id, person.name)
            for person in roster
            for it in of_learner.get(person.id, ())
        ),
    ]


def _left(body: CheckBody, pack: Pack | None, act: str, learner: str, person: str) -> CheckLeft:
    said = body.reason if body.said is UNSET else body.said
    sentence = sentence_of(body.check, body.reason, said, body.numbers or {}, pack)
    return CheckLeft(act, learner, person, body.check, title_of(body.check, pack), sentence)


def title_of(check: str, pack: Pack | None) -> Text:
    """A check's number and name; the number alone where the pack has no such check."""
    known, name = pack.table.checks.get(check) if pack else None, numbered(check)
    return (
        Text(f"{name} {known.title.zh}", f"{name} {known.title.en}") if known else Text(name, name)
    )
