"""Rows of `system_codes`."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from app.store.upsert import upsert
from models import SystemCode

OF_THE_CLASS = 0


def of_class(connection: Connection, system: str, class_id: int) -> dict[int, str]:
    """What the system calls the class (`OF_THE_CLASS`) and its learners, by row id."""
    mine = SystemCode.system == system, SystemCode.class_id == class_id
    rows = connection.execute(select(SystemCode.learner_id, SystemCode.code).where(*mine))
    return {learner_id: code for learner_id, code in rows}


def put(
    connection: Connection, system: str, class_id: int, codes: Mapping[int, str], now_ms: int
) -> None:
    """Enter these codes in the place of earlier ones of the same learners."""
    rows = [
        {
            "system": system,
            "class_id": class_id,
            "learner_id": learner_id,
            "code": code,
            "entered_ms": now_ms,
        }
        for learner_id, code in codes.items()
    ]
    upsert(connection, SystemCode, rows, ("system", "class_id", "learner_id"))
