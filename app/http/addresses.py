"""An address as its sender divided it: a `%2F` belongs to an id, and divides nothing."""

from __future__ import annotations

from urllib.parse import unquote

from starlette.types import Scope

_DIVIDED = "zhenxue.divided"  # in a request's scope: its path, once it is known
_SLASH = "\udc2f"  # nothing that is sent can hold half a pair


def divided(scope: Scope) -> str:
    """The path of a request, in which slashes of ids do not divide it; `whole` gives them back.

    >>> scope = {"path": "/v1/courses/a/b", "raw_path": b"/v1/courses/a%2Fb"}
    >>> [whole(part) for part in divided(scope).split("/")]
    ['', 'v1', 'courses', 'a/b']
    """
    path: str | None = scope.get(_DIVIDED)
    if path is None:  # every route asks
        path = scope[_DIVIDED] = _divided(scope["path"], scope.get("raw_path") or b"")
    return path


def _divided(path: str, raw_path: bytes) -> str:
    if b"%2f" not in raw_path.lower():
        return path
    return "/".join(
        unquote(it).replace("/", _SLASH) for it in raw_path.decode("latin-1").split("/")
    )


def whole(part: str) -> str:
    """A part of a divided path, as it was meant."""
    return part.replace(_SLASH, "/")
