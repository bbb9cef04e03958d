"""The face-data ledger: what is held of whom on what consent, what was destroyed, who looked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.console.findings_page import plain_text
from app.console.login import require_role
from app.console.page import ConsoleRoute, render
from app.domain.accounts.users import Login, Role
from app.store.faces import face_ledger as store
from app.store.faces import retention

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

PAGE, LOOKS = 50, 50
FILING = 100_000  # persons: from there on the 2025 measures on face recognition want a filing
Keeper = Annotated[Login, Depends(require_role(Role.AUDITOR, Role.ADMIN))]


@router.get("/face-data")
def ledger(request: Request, login: Keeper, q: str = "", after: int = 0) -> Response:
    text, start = plain_text(q), after if 0 < after < 2**62 else 0
    with request.app.state.services.database.read() as connection:
        scope = login.user.scope
        rows = store.page(connection, scope, text, start, PAGE + 1)
        totals = store.totals(connection, scope)
        looks = store.looks(connection, scope, LOOKS)
        held = retention.classes_held(connection, scope)
    return render(
        request,
        "face_data.html",
        login=login,
        rows=rows[:PAGE],
        older=rows[PAGE - 1].id if len(rows) > PAGE else None,
        after=start,
        totals=totals,
        looks=looks,
        held=held,
        filing=FILING,
        q=text,
    )
