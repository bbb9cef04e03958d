"""A platform's statement mapping: read, changed, and tried on statements without a trace."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import Connection

from app.clock import Clock
from app.db import Database
from app.domain.answer import Answer
from app.domain.exchange import xapi
from app.domain.exchange.xapi import Sender
from app.domain.exchange.xapi_batch import Sent
from app.domain.exchange.xapi_fates import LOST
from app.domain.exchange.xapi_mapping import NOWHERE, StatementMapping
from app.domain.exchange.xapi_sittings import Openings
from app.domain.exchange.xapi_video import event_of
from app.languages import Text
from app.store.accounts import audit, platforms
from app.store.exchange import statement_places as store

MOST_TRIED = 50  # product default: a page of pasted statements

_WORDS: dict[str, tuple[str, str]] = {
    "opened": ("开始新的学习", "opens a sitting"),
    "taken": ("计入进行中的学习", "goes to the running sitting"),
    "resumes": ("恢复中断不久的学习", "resumes a sitting that broke off"),
    "late": ("作为迟到的证据保存", "is kept as late evidence"),
    "kept": ("不涉及播放，只保存", "says nothing of play, and is kept"),
    "duplicate": ("已经收到过", "came before"),
}


class TriedStatement(Answer, frozen=True, kw_only=True):
    """What a statement would do now: the event it is heard as (empty: as none), whose lesson it is
    about, and its fate. `learner_id`, `lesson_id`, `class_id`: as the mapping reads them."""

    index: int
    verb: str
    event: dict[str, Any]
    learner_id: str | None
    lesson_id: str | None
    class_id: str | None
    fate: str
    sentence: Text


class _UndoneError(Exception):
    """Ends a transaction that was only tried."""


def change_mapping(
    connection: Connection,
    platform_id: int,
    mapping: StatementMapping | None,
    *,
    actor: str,
    now_ms: int,
) -> None:
    """Set the mapping, or take it away; statements that came before stay where they went."""
    told = None if mapping is None else mapping.model_dump(mode="json")
    if told == store.mapping(connection, platform_id):
        return
    platforms.update_platform(connection, platform_id, statement_mapping=told)
    audit.append(
        connection,
        at_ms=now_ms,
        actor=actor,
        action="platform.statement_mapping_changed",
        subject=f"platform:{platforms.by_id(connection, platform_id).slug}",
        detail={"mapping": None if told is None else _without_names(told)},
    )


def _without_names(told: dict[str, Any]) -> dict[str, Any]:
    """The log says how many lessons are named; thousands of names are no reading."""

    def short(thing: Any) -> Any:
        if not isinstance(thing, dict):
            return thing
        names = thing.get("names")
        return {**thing, "names": len(names)} if isinstance(names, dict) else thing

    return {name: short(part) for name, part in told.items()}


def rehearse(
    database: Database,
    openings: Openings,
    clock: Clock,
    sender: Sender,
    mapping: StatementMapping | None,
    batch: Sequence[Sent],
) -> list[TriedStatement]:
    """What each statement would do if it came now, one after the other; nothing of it stays.

    They are tried under ids of their own, so that one that is stored already is tried as well, and
    as what happens now: a recorded one is none that came late.
    """
    fresh = [replace(it, id=str(uuid.uuid4()), at_ms=None) for it in batch]
    tried: list[TriedStatement] = []
    begun: list[int] = []
    try:
        with database.write() as connection:
            taken = xapi.take(connection, openings, sender, mapping, fresh, clock())
            tried = [_tried(at, it, taken) for at, it in enumerate(fresh)]
            begun = [it.session_id for it in taken.batches]
            raise _UndoneError
    except _UndoneError:
        for row_id in {*begun, *openings.ended, *openings.begun}:
            openings.controls.forget(row_id)
    return tried


def _tried(index: int, sent: Sent, taken: xapi.Taken) -> TriedStatement:
    fate, address = taken.each[index]
    event = event_of(sent.statement, sent.at_ms or 0)
    place = (address and address.place) or NOWHERE
    opened = address is not None and address.opened and fate == "taken"
    return TriedStatement(
        index=index,
        verb=sent.statement["verb"]["id"],
        event={} if event is None else _shown(msgspec.to_builtins(event)),
        learner_id=place.learner,
        lesson_id=place.lesson,
        class_id=place.klass,
        fate="opened" if opened else fate,
        sentence=sentence_of("opened" if opened else fate),
    )


def _shown(event: dict[str, Any]) -> dict[str, Any]:
    """Without its number and time, which it has not yet, and what is not told."""
    return {
        name: value
        for name, value in event.items()
        if name not in ("seq", "at_ms") and value is not None and value == value  # no NaN
    }


def sentence_of(fate: str) -> Text:
    """What a fate means, and what to do where it loses something."""
    if fate in _WORDS:
        return Text(*_WORDS[fate])
    return LOST[fate].sentence
