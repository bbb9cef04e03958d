"""The browser SDK that learning platforms embed: plain ES modules, served as they lie in `v1/`.

`/sdk/v1/zhenxue.js` is the address that never changes. It hands on to the modules under an address
that carries the hash of them all: a browser may keep those for a year, and never runs a mixture of
two versions.
"""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path as Folder
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from app.errors import NotFound

FOLDER = Folder(__file__).parent / "v1"
ENTRY = "zhenxue.js"
_KEEP, _ASK_AGAIN = "public, max-age=31536000, immutable", "public, max-age=300"
_HEADERS = {
    "Access-Control-Allow-Origin": "*",  # a module script of another origin is always asked for so
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Encoding",
}

MODULES = {path.name: path.read_bytes() for path in sorted(FOLDER.glob("*.js"))}
_PACKED = {name: gzip.compress(content, mtime=0) for name, content in MODULES.items()}
DIGEST = hashlib.sha256(b"\0".join(MODULES.values())).hexdigest()[:12]

router = APIRouter(prefix="/sdk/v1", include_in_schema=False)


@router.get(f"/{ENTRY}")
def entry() -> Response:
    return _script(f'export * from "./{DIGEST}/{ENTRY}";\n'.encode(), _ASK_AGAIN, {})


@router.get("/{digest}/{name}")
def module(
    request: Request,
    digest: Annotated[str, Path(max_length=64)],
    name: Annotated[str, Path(max_length=64)],
) -> Response:
    """A module; under the hash of another version this one's, for a page that was just loaded."""
    if name not in MODULES:
        raise NotFound("no_such_file", "there is no such module")
    keep = _KEEP if digest == DIGEST else "no-cache"
    if "gzip" in request.headers.get("accept-encoding", ""):
        return _script(_PACKED[name], keep, {"Content-Encoding": "gzip"})
    return _script(MODULES[name], keep, {})


def _script(content: bytes, keep: str, more: dict[str, str]) -> Response:
    headers = {**_HEADERS, "Cache-Control": keep, **more}
    return Response(content, media_type="text/javascript; charset=utf-8", headers=headers)
