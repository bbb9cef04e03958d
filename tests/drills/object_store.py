"""An object store of the drill's own: what the service asks of S3, over HTTP, kept in a folder.

`python -m tests.drills.object_store FOLDER PORT` serves one bucket until it is ended. Objects stay
when it is killed, as those of a real store do. Signatures are not checked.
"""

from __future__ import annotations

import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape, unescape

from tests.waiting import eventually

BUCKET = "drill"


class OwnStore:
    """The store as a process that can be killed, frozen and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"s3://{BUCKET}/photos"
        self.variables = {
            "AWS_ENDPOINT": f"http://127.0.0.1:{self._port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "drill",
            "AWS_SECRET_ACCESS_KEY": "drill",
        }

    @contextmanager
    def running(self) -> Iterator[OwnStore]:
        """It serves, and this process and those it starts know where."""
        before = {name: os.environ.get(name) for name in self.variables}
        os.environ |= self.variables
        self._folder.mkdir()
        self.start()
        try:
            yield self
        finally:
            self.kill()
            for name, value in before.items():
                os.environ.pop(name)
                os.environ |= {} if value is None else {name: value}

    def start(self) -> None:
        where = (str(self._folder), str(self._port))
        words = [sys.executable, "-m", "tests.drills.object_store", *where]
        self._process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        assert eventually(self._listens, 30), "the store does not start"

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port), 1).close()
        except OSError:
            return False
        return True

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It keeps its sockets and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)  # it may answer until then
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder: Path

    def log_message(self, *_: object) -> None:
        pass

    @property
    def _file(self) -> Path:
        key = unquote(urlsplit(self.path).path).removeprefix(f"/{BUCKET}/")
        return self.folder / quote(key, safe="")

    def _say(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["content-length"]))
        part = self._file.with_name(f".{time.monotonic_ns()}")
        part.write_bytes(data)
        part.rename(self._file)
        self._say(200, ETag=_e_tag(data))

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        if asked.path.rstrip("/") == f"/{BUCKET}":
            self._list(parse_qs(asked.query).get("prefix", [""])[0])
            return
        try:
            data = self._file.read_bytes()
        except FileNotFoundError:
            self._say(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        self._say(200, data, ETag=_e_tag(data), Last_Modified="Mon, 30 Nov 2026 00:00:00 GMT")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """Removes the objects that are named (DeleteObjects)."""
        named = self.rfile.read(int(self.headers["content-length"])).decode()
        keys = [unescape(it) for it in re.findall("<Key>(.*?)</Key>", named)]
        for key in keys:
            (self.folder / quote(key, safe="")).unlink(missing_ok=True)
        gone = "".join(f"<Deleted><Key>{escape(it)}</Key></Deleted>" for it in keys)
        words = f"<DeleteResult>{gone}</DeleteResult>"
        self._say(200, words.encode(), Content_Type="application/xml")

    def _list(self, prefix: str) -> None:
        found = ((unquote(it.name), it) for it in sorted(self.folder.iterdir()))
        listed = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{file.stat().st_size}</Size>"
            f"<LastModified>2026-11-30T00:00:00.000Z</LastModified>"
            f"<ETag>{escape(_e_tag(file.read_bytes()))}</ETag></Contents>"
            for key, file in found
            if key.startswith(prefix) and not key.startswith(".")
        )
        words = f"<ListBucketResult><IsTruncated>false</IsTruncated>{listed}</ListBucketResult>"
        self._say(200, words.encode(), Content_Type="application/xml")


def _e_tag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()}"'


if __name__ == "__main__":
    _Handler.folder = Path(sys.argv[1])
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), _Handler).serve_forever()
