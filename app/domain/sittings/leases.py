"""The lease token of a sitting: what a learner's browser holds where a platform holds its key.

It adds events and photos to one sitting and ends it, and opens nothing else. The platform's number
in it only says where to look; what opens is the secret part, of which the digest is kept.
"""

from __future__ import annotations

import hmac
import re

from sqlalchemy import Connection

from app.domain.sittings import sitting_life
from app.errors import NotSignedIn
from app.security import new_token, token_digest
from app.store.sittings import sittings as store

_TOKEN = re.compile(r"zl([0-9]{1,15})_[A-Za-z0-9_-]{43}")


def new_lease(platform_id: int) -> str:
    """A fresh token for a sitting of that platform."""
    return new_token(f"zl{platform_id}")


def is_lease(token: str) -> bool:
    return _TOKEN.fullmatch(token) is not None


def platform_in(token: str) -> int | None:
    """The platform's number in a lease token, which whoever made the token up chose."""
    form = _TOKEN.fullmatch(token)
    return None if form is None else int(form[1])


def held(connection: Connection, platform_id: int, session: str, digest: bytes) -> bool:
    """Whether the token of that digest opens, or opened, this sitting."""
    row = store.by_external_id(connection, platform_id, session)
    return row is not None and hmac.compare_digest(row.lease_digest or b"", digest)


def platform_of(connection: Connection, token: str, session: str, now_ms: int) -> int:
    """The platform of the sitting that the token opens: while it is open, and as long after its end
    as what was under way is still taken. Raises NotSignedIn, the same for every reason."""
    form = _TOKEN.fullmatch(token)
    if form is None:
        raise _over()
    platform_id = int(form[1])
    row = store.by_external_id(connection, platform_id, session)
    if row is None or row.lease_digest is None:
        raise _over()
    if not hmac.compare_digest(row.lease_digest, token_digest(token)):
        raise _over()
    if not sitting_life.takes(row, now_ms + row.ahead_ms):
        raise _over()
    return platform_id


def _over() -> NotSignedIn:
    return NotSignedIn("lease_over", "the lease is unknown or over, or another sitting's: renew it")
