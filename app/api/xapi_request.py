"""What an xAPI client asks, however it asks: plainly, or as a form that a closing page can send.

The Alternate Request Syntax (`POST …?method=PUT`) puts headers, parameters and content into the
fields of a form, because `navigator.sendBeacon` can set none of them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

from fastapi import Request

from app.db import Database
from app.domain.accounts import platforms
from app.domain.events import ingest
from app.errors import MalformedBody, NotFound
from app.http.keyring import Caller, KeyRing

Method = Literal["POST", "PUT", "GET", "DELETE"]

FORM = "application/x-www-form-urlencoded"
NEWEST = "2.0.0"
_VERSIONS = {"1.0": "1.0.3", "2.0": NEWEST}
_VERSION = re.compile(r"(\d+\.\d+)(?:\.\d+)?", re.ASCII)
_HEADERS = (
    "authorization",
    "x-experience-api-version",
    "content-type",
    "content-length",
    "accept",
    "accept-language",
    "if-match",
    "if-none-match",
)
_OF_THE_CALLER = ("authorization", "x-experience-api-version")
_MOST_FIELDS = 50
_LONGEST_HEADER = 4_000  # characters; readers of headers look at long ones again and again


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, less the way it was sent."""

    method: Method
    version: str
    headers: Mapping[str, str]  # those of the standard, in lower case
    parameters: dict[str, str]
    body: bytes

    @property
    def authorization(self) -> str | None:
        return self.headers.get("authorization")

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "")

    @property
    def two(self) -> bool:
        return self.version == NEWEST

    def only(self, *names: str) -> dict[str, str]:
        """The parameters, if there is none but these. Raises MalformedBody."""
        for name in self.parameters:
            if name not in names:
                raise _invalid(f"{name[:80]}: there is no such parameter of {self.method}")
        return self.parameters


async def read_request(request: Request, max_bytes: int) -> Asked:
    """Raises MalformedBody where the standard says 400: no or another version, a parameter that
    stands twice; BodyTooLarge."""
    parameters = _once(request.query_params.multi_items())
    body = await request.body()
    encoding = request.headers.get("content-encoding", "").strip().lower()
    body = ingest.decompressed(body, encoding, max_bytes)
    headers = {name: request.headers[name] for name in _HEADERS if name in request.headers}
    if request.method == "POST" and "method" in parameters:
        return _from_form(parameters, body, headers)
    _require_short(headers)
    method: Method = "GET" if request.method == "HEAD" else request.method  # type: ignore[assignment]
    version = _version(headers.get("x-experience-api-version"))
    return Asked(method, version, headers, parameters, body)


def _from_form(parameters: dict[str, str], body: bytes, sent: dict[str, str]) -> Asked:
    method = parameters.pop("method")
    if method not in ("POST", "PUT", "GET", "DELETE"):
        raise _invalid("method: must be POST, PUT, GET or DELETE")
    if parameters:
        raise _invalid(f"{next(iter(parameters))[:80]}: belongs into the form beside `method`")
    if media_type_of(sent.get("content-type", "")) not in (FORM, "text/plain", ""):
        raise MalformedBody("media_type", f"with `method`, send the body as {FORM}")
    headers = {name: value for name, value in sent.items() if name in _OF_THE_CALLER}
    for name, value in _fields(body).items():
        if name.lower() in _HEADERS:
            headers[name.lower()] = value
        else:
            parameters["content" if name.lower() == "content" else name] = value
    _require_short(headers)
    version = _version(headers.get("x-experience-api-version"))
    if version == NEWEST:
        raise _invalid("method: version 2.0 knows no Alternate Request Syntax; 1.0.3 does")
    content = parameters.pop("content", None)
    if method in ("PUT", "POST") and content is None:
        raise _invalid("content: this field of the form holds what is sent")
    if method in ("GET", "DELETE") and content is not None:
        raise _invalid(f"content: has no place in a {method}")
    return Asked(method, version, headers, parameters, (content or "").encode())  # type: ignore[arg-type]


def _fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise MalformedBody("malformed_form", "the body is no form of UTF-8 fields") from None
    return _once(pairs)


def _once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _invalid("a parameter stands twice")
    return found


def _require_short(headers: Mapping[str, str]) -> None:
    """A header that came in a form could else be as long as a body."""
    for name, value in headers.items():
        if len(value) > _LONGEST_HEADER:
            raise _invalid(f"{name}: has at most {_LONGEST_HEADER} characters")


def media_type_of(media_type: str) -> str:
    """The type alone, without parameters, in lower case."""
    return media_type.partition(";")[0].strip().lower()


def _version(told: str | None) -> str:
    if told is None:
        raise MalformedBody("version_missing", "the header X-Experience-API-Version is required")
    shape = _VERSION.fullmatch(told.strip())
    version = _VERSIONS.get(shape[1]) if shape else None
    if version is None:
        raise MalformedBody(
            "version_unsupported", "X-Experience-API-Version: 1.0.x and 2.0.x are spoken here"
        )
    return version


def _invalid(detail: str) -> MalformedBody:
    return MalformedBody("invalid_parameter", detail)


def authenticate(authorization: str | None, keys: KeyRing, database: Database) -> Caller:
    """The caller by Bearer, or by Basic: the key's id or the platform's slug, and the key.

    Raises NotSignedIn.
    """
    scheme, _, told = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return keys.caller(authorization)
    try:
        user, _, secret = base64.b64decode(told.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise platforms.not_signed_in() from None
    caller = keys.caller(f"Bearer {secret}")
    if caller.actor != f"key:{user}" and not _is_slug_of(user, caller, database):
        raise platforms.not_signed_in()
    return caller


def _is_slug_of(user: str, caller: Caller, database: Database) -> bool:
    try:
        with database.read() as connection:
            return platforms.platform_of(connection, user).id == caller.platform_id
    except NotFound:
        return False
