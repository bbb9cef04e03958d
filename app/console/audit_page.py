"""The audit log, newest first, and whether its chain is unbroken."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.console.findings_page import plain_text
from app.console.login import require_role
from app.console.page import ConsoleRoute, render
from app.domain.accounts.users import Login, Role
from app.domain.review import review
from app.store.accounts import audit

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

PAGE = 100


@router.get("/audit")
def audit_log(
    request: Request,
    login: Annotated[Login, Depends(require_role(Role.ADMIN))],
    actor: str = "",
    action: str = "",
    subject: str = "",
    before: int | None = None,
    verify: bool = False,
) -> Response:
    """`verify` walks the whole chain, which takes a while on a long log: only when asked.

    What a first reviewer decided stays sealed until a second has decided too: neither the entry
    nor a filter by what was done tells it.
    """
    wanted = {
        "actor": plain_text(actor),
        "action": plain_text(action),
        "subject": plain_text(subject),
    }
    below = before if before is not None and 0 < before < 2**62 else None
    with request.app.state.services.database.read() as connection:
        rows = audit.page(connection, before=below, size=PAGE + 1, **wanted)
        sealed = review.sealed(connection, rows[:PAGE])
        broken = audit.first_broken(connection) if verify else None
    return render(
        request,
        "audit.html",
        login=login,
        rows=[
            it
            for it in rows[:PAGE]
            if it.id not in sealed or "finding.".startswith(wanted["action"])
        ],
        sealed=sealed,
        wanted=wanted,
        before=below,
        older=rows[PAGE - 1].id if len(rows) > PAGE else None,
        verified=verify,
        broken=broken,
    )
