"""What a case's page shows before it is decided: the class's sittings with their controls, who is
in a crowd, sittings at once on one time axis, and what upholding does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from markupsafe import Markup
from sqlalchemy import Connection

from app.console.finding_page import SITTING_COLUMNS, SITTINGS
from app.console.language import Language
from app.console.overlap_picture import MOST_LANES, crowd_picture, lanes
from app.console.upholding import effects, stake_of
from app.domain.accounts.users import User
from app.store.catalogue import class_file
from app.store.review import class_sittings, crowds
from app.store.review.finding_rows import FindingRow
from app.store.scope import AccessScope
from app.store.sittings import case_file


def case_evidence(
    connection: Connection,
    user: User,
    lead: FindingRow,
    found: Sequence[FindingRow],
    lang: Language,
) -> dict[str, Any]:
    """By the names of the page's template; `lead` stands for the case."""
    klass = class_file.klass(connection, lead.class_id, user.scope)
    assert klass is not None  # whose finding this person sees
    of_class = lead.session_id is None
    members = crowds.members(connection, lead.platform_id, lead.body) if of_class else ()
    rests_on = of_class and not members
    sittings = class_sittings.of_class(connection, lead.class_id, SITTINGS) if rests_on else ()
    return {
        "klass": klass,
        "lead": lead,
        "members": members,
        "holds": lead.body.holds,
        "sittings": sittings,
        "sittings_of": class_sittings.count(connection, lead.class_id) if sittings else 0,
        "columns": SITTING_COLUMNS,
        "effects": effects(lead, stake_of(connection, klass), lang),
        "overlap": crowd_picture(connection, user.scope, members, lang)
        or _overlap(connection, user.scope, found, lang),
    }


def _overlap(
    connection: Connection, scope: AccessScope, found: Sequence[FindingRow], lang: Language
) -> Markup | str:
    """The sittings that findings name beside their own, all on one axis; nothing without any."""
    ids = dict.fromkeys(islice(_at_once(connection, scope, found), 2 * MOST_LANES))
    return lanes(connection, scope, list(ids), lang)


def _at_once(
    connection: Connection, scope: AccessScope, found: Sequence[FindingRow]
) -> Iterator[int]:
    for it in found:
        name = it.body.rival_session_id
        if not name or it.session_id is None or it.start_ms is None:
            continue
        other = case_file.rival(connection, it, name, bool(it.body.rival_elsewhere), scope)
        if other is not None:
            yield it.session_id
            yield other
