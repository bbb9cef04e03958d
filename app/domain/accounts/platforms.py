"""Learning platforms and their API keys."""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from app.domain.wire import shows_all
from app.errors import BadInput, Conflict, NotAllowed, NotFound, NotSignedIn
from app.security import new_token, token_digest
from app.store.accounts import audit
from app.store.accounts import platforms as store
from app.store.catalogue import institutions

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_FOREVER = 2**62


class KeyScope(StrEnum):
    """What a key may be used for.

    ingest  open sittings, send events and photos, write the catalogue and records
    read    read verdicts, findings and what was written
    import  hand in historical files
    admin   make, rotate and revoke the platform's keys
    """

    INGEST = "ingest"
    READ = "read"
    IMPORT = "import"
    ADMIN = "admin"


KEY_SCOPES = frozenset(KeyScope)


@dataclass(frozen=True, slots=True)
class Platform:
    id: int
    slug: str
    name: str
    county: str
    institution_id: int | None = None  # whose own it is, if one's


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it may be shown: never the secret."""

    id: int
    platform_id: int
    label: str
    scopes: frozenset[str]
    created_ms: int
    expires_ms: int | None
    revoked_ms: int | None

    def ends_ms(self) -> int:
        """The instant from which it no longer opens anything."""
        return min(self.expires_ms or _FOREVER, self.revoked_ms or _FOREVER)


@dataclass(frozen=True, slots=True)
class NewKey:
    """The only moment at which the secret is known."""

    key: Key
    secret: str


def add_platform(
    connection: Connection,
    *,
    slug: str,
    name: str,
    county: str,
    institution_id: int | None = None,
    actor: str,
    now_ms: int,
) -> Platform:
    """Create a platform. Raises BadInput on a bad field, Conflict when the slug is taken."""
    if not _SLUG.fullmatch(slug):
        raise BadInput(
            "bad_slug",
            "slug: 1 to 64 lower-case letters, digits and hyphens, e.g. huang-edu",
            field="slug",
        )
    name, county = _line("name", name), _line("county", county)
    if store.by_slug(connection, slug) is not None:
        raise Conflict("platform_exists", f"there is a platform {slug!r} already", field="slug")
    institutions.ensure_county(connection, county, now_ms)
    platform_id = store.insert_platform(
        connection,
        slug=slug,
        name=name,
        county=county,
        institution_id=institution_id,
        created_ms=now_ms,
    )
    audit.append(
        connection,
        at_ms=now_ms,
        actor=actor,
        action="platform.added",
        subject=f"platform:{slug}",
        detail={"name": name, "county": county},
    )
    return Platform(platform_id, slug, name, county, institution_id)


def own_platform(
    connection: Connection, institution_id: int, name: str, county: str, *, actor: str, now_ms: int
) -> Platform:
    """The own platform of the institution of that name, made when it has none."""
    row = store.of_institution(connection, institution_id)
    if row is not None:
        return _platform(row)
    return add_platform(
        connection,
        slug=f"school-{institution_id}",
        name=f"{name[:120]}自有平台",
        county=county,
        institution_id=institution_id,
        actor=actor,
        now_ms=now_ms,
    )


def change_platform(
    connection: Connection, slug: str, *, name: str, county: str, actor: str, now_ms: int
) -> None:
    """Another name, or another county for classes that open from now on. Raises NotFound,
    BadInput."""
    before = platform_of(connection, slug)
    name, county = _line("name", name), _line("county", county)
    changes = {
        field: [old, new]
        for field, old, new in (("name", before.name, name), ("county", before.county, county))
        if old != new
    }
    if changes:
        institutions.ensure_county(connection, county, now_ms)
        store.update_platform(connection, before.id, name=name, county=county)
        audit.append(
            connection,
            at_ms=now_ms,
            actor=actor,
            action="platform.changed",
            subject=f"platform:{slug}",
            detail={"changes": changes},
        )


def _line(field: str, said: str) -> str:
    if not said.strip() or len(said) > 128 or not shows_all(said):
        raise BadInput("bad_" + field, f"{field}: 1 to 128 visible characters", field=field)
    return said.strip()


def platform_of(connection: Connection, slug: str) -> Platform:
    """The platform of that slug. Raises NotFound."""
    row = store.by_slug(connection, slug)
    if row is None:
        raise NotFound("unknown_platform", f"there is no platform {slug!r}")
    return _platform(row)


def ensure_platform(connection: Connection, slug: str, *, actor: str, now_ms: int) -> Platform:
    """The platform of that slug, created under its slug as name when missing."""
    if store.by_slug(connection, slug) is not None:
        return platform_of(connection, slug)
    return add_platform(
        connection, slug=slug, name=slug, county="未指定", actor=actor, now_ms=now_ms
    )


def platforms(connection: Connection) -> list[Platform]:
    return [_platform(row) for row in store.all_platforms(connection)]


def _platform(row: store.PlatformRow) -> Platform:
    return Platform(row.id, row.slug, row.name, row.county, row.institution_id)


def create_key(
    connection: Connection,
    platform_id: int,
    *,
    label: str,
    scopes: Collection[str],
    expires_ms: int | None,
    actor: str,
    now_ms: int,
    held: Collection[str] = KEY_SCOPES,
    held_until_ms: int | None = None,
) -> NewKey:
    """Make a key. A key that makes it, and itself ends at `held_until_ms`, makes none that lasts
    longer. Raises BadInput on an empty or unknown scope, a bad label or a past expiry, NotAllowed
    for a scope or a time that whoever makes it does not hold."""
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in set(KeyScope)]
    if unknown or not wanted:
        known = ", ".join(KeyScope)
        raise BadInput("bad_scope", f"scopes: one or more of {known}; got {', '.join(wanted)!r}")
    _require_held(wanted, held)
    if held_until_ms is not None:
        expires_ms = _held_time(expires_ms, held_until_ms)
    if not label.strip() or len(label) > 128 or not shows_all(label):
        raise BadInput("bad_label", "label: 1 to 128 visible characters", field="label")
    if expires_ms is not None and expires_ms <= now_ms:
        raise BadInput("bad_expiry", "expires_at: must lie in the future")
    secret = new_token("zx")
    key_id = store.insert_key(
        connection,
        platform_id=platform_id,
        label=label.strip(),
        digest=token_digest(secret),
        scopes=wanted,
        created_ms=now_ms,
        expires_ms=expires_ms,
    )
    _record(connection, now_ms, actor, "key.created", key_id, {"scopes": wanted})
    key = Key(key_id, platform_id, label.strip(), frozenset(wanted), now_ms, expires_ms, None)
    return NewKey(key, secret)


def rotate_key(
    connection: Connection,
    platform_id: int | None,
    key_id: int,
    *,
    overlap_ms: int,
    actor: str,
    now_ms: int,
    held: Collection[str] = KEY_SCOPES,
    reason: str = "",
    held_until_ms: int | None = None,
) -> NewKey:
    """A successor with the same label and scopes; the old key ends after the overlap. `platform_id`
    None reaches every platform's keys.

    Raises NotFound, NotAllowed for a key that may more than whoever rotates it, or Conflict when
    the old one has ended already.
    """
    old = _key(connection, platform_id, key_id)
    if now_ms >= old.ends_ms():
        raise Conflict("key_ended", f"key {key_id} has been revoked or has expired")
    new = create_key(
        connection,
        old.platform_id,
        label=old.label,
        scopes=old.scopes,
        expires_ms=None,
        actor=actor,
        now_ms=now_ms,
        held=held,
        held_until_ms=held_until_ms,
    )
    ends_ms = min(old.ends_ms(), now_ms + overlap_ms)
    store.update_key(connection, key_id, expires_ms=ends_ms)
    detail = {"successor": new.key.id, "reason": reason}
    _record(connection, now_ms, actor, "key.rotated", key_id, detail)
    return new


def _require_held(wanted: Collection[str], held: Collection[str]) -> None:
    more = [scope for scope in wanted if scope not in held]
    if more:
        raise NotAllowed(
            "scope_not_held", f"scopes: {', '.join(more)}: a key gives no more than it has itself"
        )


def _held_time(expires_ms: int | None, held_until_ms: int) -> int:
    if expires_ms is not None and expires_ms > held_until_ms:
        raise NotAllowed(
            "time_not_held", "expires_at: a key makes none that lasts longer than itself"
        )
    return expires_ms or held_until_ms


def revoke_key(
    connection: Connection,
    platform_id: int | None,
    key_id: int,
    *,
    actor: str,
    now_ms: int,
    reason: str = "",
) -> None:
    """End a key at once; revoking twice changes nothing. Raises NotFound.

    `platform_id` None reaches every platform's keys: for the operator's command line.
    """
    if _key(connection, platform_id, key_id).revoked_ms is None:
        store.update_key(connection, key_id, revoked_ms=now_ms)
        _record(connection, now_ms, actor, "key.revoked", key_id, {"reason": reason})


def keys(connection: Connection, platform_id: int | None = None) -> list[Key]:
    """Keys by id, of one platform or of all."""
    return [_from_row(row) for row in store.keys(connection, platform_id)]


def key_of(connection: Connection, secret: str, now_ms: int) -> Key:
    """The key whose secret this is. Raises NotSignedIn for unknown and ended ones alike."""
    digest = token_digest(secret)
    row = store.key_by_digest(connection, digest)
    if row is None or not hmac.compare_digest(row.digest, digest):
        raise not_signed_in()
    key = _from_row(row)
    if now_ms >= key.ends_ms():
        raise not_signed_in()
    return key


def holder_of(connection: Connection, digest: bytes) -> Key | None:
    """The key of that digest, also one that is over."""
    row = store.key_by_digest(connection, digest)
    return None if row is None else _from_row(row)


def not_signed_in() -> NotSignedIn:
    detail = "the API key is missing, unknown, expired or revoked"
    return NotSignedIn("bad_api_key", f"{detail}: send the header Authorization: Bearer zx_…")


def _key(connection: Connection, platform_id: int | None, key_id: int) -> Key:
    row = store.key(connection, key_id)
    if row is None or platform_id not in (None, row.platform_id):
        raise NotFound("unknown_key", f"there is no key {key_id}")
    return _from_row(row)


def _from_row(row: store.KeyRow) -> Key:
    return Key(
        id=row.id,
        platform_id=row.platform_id,
        label=row.label,
        scopes=frozenset(row.scopes),
        created_ms=row.created_ms,
        expires_ms=row.expires_ms,
        revoked_ms=row.revoked_ms,
    )


def _record(
    connection: Connection,
    now_ms: int,
    actor: str,
    action: str,
    key_id: int,
    detail: dict[str, object],
) -> None:
    audit.append(
        connection,
        at_ms=now_ms,
        actor=actor,
        action=action,
        subject=f"key:{key_id}",
        detail=detail,
    )
