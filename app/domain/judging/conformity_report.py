"""A platform's conformity, class by class."""

from __future__ import annotations

from sqlalchemy import Connection

from app.clock import day
from app.domain.catalogue.classes import pack_of, term_of
from app.domain.cursor import after
from app.domain.exchange import platform_notes
from app.domain.exchange.platform_notes import PlatformNote
from app.domain.judging import conformity, conformity_trend
from app.domain.judging.views import ClassConformity, PlatformConformity
from app.errors import NotFound
from app.store.accounts import platforms
from app.store.bodies import Body, extended
from app.store.catalogue.catalogue import ClassRow
from app.store.judging import conformity as store
from app.store.judging import verdicts
from app.store.scope import AccessScope


def of_platform(
    connection: Connection,
    scope: AccessScope,
    slug: str,
    now_ms: int,
    *,
    cursor: str | None,
    size: int,
) -> PlatformConformity:
    """Its classes within the scope, in the order they were opened, a page at a time; and of all
    of them the year's months.

    Raises NotFound for a platform that the scope does not cover.
    """
    row = platforms.seen(connection, scope, slug)
    start = after(cursor)
    rows = store.classes_of_platform(connection, scope, row.id, start, size + 1) if row else []
    if row is None:
        raise NotFound("unknown_platform", f"there is no platform {slug!r}")
    classes = [_class(connection, klass) for klass in rows[:size]]
    return PlatformConformity(
        platform_id=row.slug,
        name=row.name,
        county=row.county,
        missing=_missing(classes),
        notes=[
            *_own_notes(connection, scope, row.id, now_ms),
            *platform_notes.of_classes(
                (it.evidence, it.judged_ms)
                for it, klass in zip(classes, rows, strict=False)
                if not klass.sandbox
            ),
        ],
        trend=conformity_trend.by_month(connection, scope, row.id, day(now_ms)),
        classes=classes,
        next_cursor=str(rows[size - 1].id) if len(rows) > size else None,
    )


def _own_notes(
    connection: Connection, scope: AccessScope, platform_id: int, now_ms: int
) -> list[PlatformNote]:
    """What concerns the platform as a whole, not one institution's classes on it."""
    if scope.institution_id is not None:
        return []
    return platform_notes.of_platform(connection, platform_id, now_ms)


def _class(connection: Connection, klass: ClassRow) -> ClassConformity:
    """What the class's verdict holds; one that was never validated is looked at now."""
    verdict = verdicts.on_class(connection, klass.id)
    found: Body
    if verdict is None:
        found = conformity.of_class(connection, klass, pack_of(klass)).body
    else:
        found = verdict.body
    return extended(
        ClassConformity,
        found,
        class_id=klass.external_id,
        controls_by=klass.controls,
        outcome=None if verdict is None else verdict.outcome,
        pack_term=term_of(klass),
        judged_ms=None if verdict is None else verdict.created_ms,
    )


def _missing(classes: list[ClassConformity]) -> dict[str, list[str]]:
    """Classes of this page in which a control is missing, by control."""
    return {
        rule: [
            klass.class_id
            for klass in classes
            for it in klass.controls
            if it.rule == rule and it.missing
        ]
        for rule in conformity.CONTROLS
    }
