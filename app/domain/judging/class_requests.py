"""What an auditor does with a class: have it judged, and pick the scale that it is judged by.

Both scales are always judged side by side (app.domain.judging.eligibility); the picked one applies.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from app.domain import runs
from app.domain.accounts.users import Role, User
from app.errors import BadInput, NotAllowed, NotFound
from app.store.accounts import audit
from app.store.catalogue import class_file

SCALES = ("graded", "literal")


def choose(
    connection: Connection, class_id: int, user: User, scale: str, now_ms: int, reason: str = ""
) -> int:
    """Record who picked which scale, and ask for the class to be judged by it; the run's id.

    Raises NotAllowed for other roles than auditors, NotFound outside the scope, BadInput.
    """
    klass = class_of(connection, class_id, user)
    if scale not in SCALES:
        raise BadInput("bad_scale", f"the scale must be one of {', '.join(SCALES)}")
    class_file.set_scale(connection, class_id, scale, user.id, now_ms)
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action="class.scale",
        subject=f"class:{class_id}",
        detail={"scale": scale, "before": klass.scale_chosen, "reason": reason},
    )
    return runs.request(connection, class_id, user.actor, now_ms)


def judge(connection: Connection, class_id: int, user: User, now_ms: int) -> int:
    """Ask for the class to be judged now; the run's id. It changes no rule and no evidence, so the
    class's own institution may ask as well. Raises NotAllowed, NotFound."""
    if not user.sets_up:
        raise NotAllowed("role", "only auditors and the class's institution have it judged")
    _seen(connection, class_id, user)
    run_id = runs.request(connection, class_id, user.actor, now_ms)
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action="class.judged",
        subject=f"class:{class_id}",
        detail={"run": run_id},
    )
    return run_id


def class_of(connection: Connection, class_id: int, user: User) -> Any:
    """The class, for who works on it. Raises NotAllowed, NotFound."""
    if user.role is not Role.AUDITOR:
        raise NotAllowed("role", "only auditors work on classes")
    return _seen(connection, class_id, user)


def _seen(connection: Connection, class_id: int, user: User) -> Any:
    klass = class_file.klass(connection, class_id, user.scope)
    if klass is None:
        raise NotFound("unknown_class", "there is no such class")
    return klass
