"""Modules of a folder, handed out as they lie there, to every origin.

The entry's address never changes. It hands on to the modules under an address that carries the hash
of them all: a browser may keep those for a year, and never runs a mixture of two versions.
"""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path as Folder
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from app.errors import NotFound

_KEEP, _ASK_AGAIN = "public, max-age=31536000, immutable", "public, max-age=300"
_HEADERS = {
    "Access-Control-Allow-Origin": "*",  # a module script of another origin is always asked for so
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Encoding",
}


class Bundle:
    """`modules`: name → content; `digest` of them all."""

    def __init__(self, folder: Folder, entry: str) -> None:
        self.entry = entry
        self.modules = {path.name: path.read_bytes() for path in sorted(folder.glob("*.js"))}
        self.digest = hashlib.sha256(b"\0".join(self.modules.values())).hexdigest()[:12]
        self._packed = {name: gzip.compress(it, mtime=0) for name, it in self.modules.items()}

    def router(self, prefix: str) -> APIRouter:
        router = APIRouter(prefix=prefix, include_in_schema=False)
        router.get(f"/{self.entry}")(self._hands_on)
        router.get("/{digest}/{name}")(self._module)
        return router

    def _hands_on(self) -> Response:
        return _script(f'export * from "./{self.digest}/{self.entry}";\n'.encode(), _ASK_AGAIN, {})

    def _module(
        self,
        request: Request,
        digest: Annotated[str, Path(max_length=64)],
        name: Annotated[str, Path(max_length=64)],
    ) -> Response:
        """A module; under the hash of another version this one's, for a page just loaded."""
        if name not in self.modules:
            raise NotFound("no_such_file", "there is no such module")
        keep = _KEEP if digest == self.digest else "no-cache"
        if "gzip" in request.headers.get("accept-encoding", ""):
            return _script(self._packed[name], keep, {"Content-Encoding": "gzip"})
        return _script(self.modules[name], keep, {})


def _script(content: bytes, keep: str, more: dict[str, str]) -> Response:
    headers = {**_HEADERS, "Cache-Control": keep, **more}
    return Response(content, media_type="text/javascript; charset=utf-8", headers=headers)
