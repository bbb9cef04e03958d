"""A platform's own API keys: made, rotated and revoked by itself."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from app.api.answers import AnswerRoute
from app.api.auth import require, services_of
from app.domain.accounts import platforms
from app.domain.accounts.platforms import Key, KeyScope, NewKey
from app.domain.answer import Answer, EpochMs
from app.domain.wire import Instant, Line, Wire
from app.http.callers import callers_of
from app.http.keyring import Caller

router = APIRouter(prefix="/v1/keys", tags=["keys"], route_class=AnswerRoute)

Admin = Annotated[Caller, require(KeyScope.ADMIN)]
KeyId = Annotated[int, Path(ge=1, lt=2**31)]


class KeyRequest(Wire):
    label: Line
    scopes: list[Literal["ingest", "read", "import", "admin"]] = Field(min_length=1, max_length=4)
    expires_at: Instant | None = None


class KeyRotation(Wire):
    overlap_s: int = Field(
        0, ge=0, le=30 * 86400, description="how long the old key still works, in seconds"
    )


class KeyView(Answer, frozen=True, kw_only=True):
    """An API key without its secret."""

    key_id: int
    label: str
    scopes: list[KeyScope]
    created_at_ms: EpochMs
    expires_at_ms: EpochMs | None
    revoked_at_ms: EpochMs | None


class KeyWithSecret(KeyView, frozen=True, kw_only=True):
    """A new key. `key` is its secret, told this once."""

    key: str


class KeyList(Answer, frozen=True, kw_only=True):
    keys: list[KeyView]


@router.get("")
def list_keys(request: Request, caller: Admin) -> KeyList:
    """The platform's keys, without their secrets."""
    with services_of(request).database.read() as connection:
        return KeyList(keys=[shown(key) for key in platforms.keys(connection, caller.platform)])


@router.post("", status_code=201)
def create_key(request: Request, caller: Admin, wanted: KeyRequest) -> KeyWithSecret:
    """A new key, with no scope that the asking key lacks. Its secret is in this answer and nowhere
    else."""
    services = services_of(request)
    with services.database.write() as connection:
        made = platforms.create_key(
            connection,
            caller.platform,
            label=wanted.label,
            scopes=wanted.scopes,
            expires_ms=wanted.expires_at,
            actor=caller.actor,
            now_ms=services.clock(),
            held=caller.scopes,
            held_until_ms=caller.ends_ms,
        )
    return _with_secret(made)


@router.post("/{key_id}/rotate", status_code=201)
def rotate_key(
    request: Request, caller: Admin, key_id: KeyId, rotation: KeyRotation
) -> KeyWithSecret:
    """A successor with the same scopes; the old key ends after `overlap_s` seconds. A key that may
    more than the asking one is not rotated by it."""
    services = services_of(request)
    with services.database.write() as connection:
        made = platforms.rotate_key(
            connection,
            caller.platform,
            key_id,
            overlap_ms=rotation.overlap_s * 1000,
            actor=caller.actor,
            now_ms=services.clock(),
            held=caller.scopes,
            held_until_ms=caller.ends_ms,
        )
    callers_of(request).keys.forget()
    return _with_secret(made)


@router.delete("/{key_id}", status_code=204)
def revoke_key(request: Request, caller: Admin, key_id: KeyId) -> Response:
    """End a key: at once here, within five seconds in other processes."""
    services = services_of(request)
    with services.database.write() as connection:
        platforms.revoke_key(
            connection, caller.platform, key_id, actor=caller.actor, now_ms=services.clock()
        )
    callers_of(request).keys.forget()
    return Response(status_code=204)


def shown(key: Key) -> KeyView:
    return KeyView(**_fields(key))


def _with_secret(made: NewKey) -> KeyWithSecret:
    return KeyWithSecret(**_fields(made.key), key=made.secret)


def _fields(key: Key) -> dict[str, Any]:
    return {
        "key_id": key.id,
        "label": key.label,
        "scopes": [KeyScope(it) for it in sorted(key.scopes)],
        "created_at_ms": key.created_ms,
        "expires_at_ms": key.expires_ms,
        "revoked_at_ms": key.revoked_ms,
    }
