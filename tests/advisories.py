"""`python -m tests.advisories DUMP.zip [LOCK …]`: what is known against locked packages, offline.

DUMP.zip holds all of OSV's PyPI advisories, as OSV publishes them, and was carried in.
pip-audit asks, and is answered from that file instead of OSV's service.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

LOCKS = ("requirements.lock", "requirements-cluster.lock", "requirements-dev.lock")


def affected(advisory: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for it in advisory.get("affected", ()):
        if it.get("package", {}).get("ecosystem") == "PyPI":
            yield it


def concerns(entry: Mapping[str, Any], version: str) -> bool:
    """Whether OSV's `affected` entry names that version, one by one or by a range."""
    if version in entry.get("versions", ()):
        return True
    mine = Version(version)
    for part in entry.get("ranges", ()):
        if part["type"] != "ECOSYSTEM":
            continue
        inside = False
        for kind, at in sorted((e for it in part["events"] for e in it.items()), key=_order):
            if kind == "last_affected":
                inside = inside and mine <= _version(at)
            elif mine >= _version(at):
                inside = kind == "introduced"
        if inside:
            return True
    return False


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")


def _order(event: tuple[str, str]) -> tuple[Version, str]:
    return _version(event[1]), event[0]


class Dump:
    """The advisories of a file, by package."""

    def __init__(self, path: Path) -> None:
        self._by_name: dict[str, list[dict[str, Any]]] = defaultdict(list)
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                advisory = json.loads(archive.read(member))
                for name in {canonicalize_name(it["package"]["name"]) for it in affected(advisory)}:
                    self._by_name[name].append(advisory)

    def __len__(self) -> int:
        return sum(map(len, self._by_name.values()))

    def about(self, name: str, version: str) -> list[dict[str, Any]]:
        return [
            advisory
            for advisory in self._by_name[canonicalize_name(name)]
            if any(
                concerns(it, version)
                for it in affected(advisory)
                if canonicalize_name(it["package"]["name"]) == canonicalize_name(name)
            )
        ]


def served(dump: Dump) -> ThreadingHTTPServer:
    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            found = dump.about(asked["package"]["name"], asked["version"])
            body = json.dumps({"vulns": found} if found else {}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_said: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


def main(dump: Path, locks: list[str]) -> int:
    """pip-audit's exit code: 0 where nothing is known."""
    held = Dump(dump)
    if not len(held):
        print(f"{dump} holds no advisory on a package of PyPI", file=sys.stderr)
        return 2
    server = served(held)
    command = [sys.executable, "-m", "pip_audit", "-s", "osv", "--disable-pip", "--no-deps"]
    command += [
        f"--osv-url=http://127.0.0.1:{server.server_port}/v1/query",
        "--progress-spinner=off",
    ]
    command += [f"--requirement={it}" for it in locks]
    print(f"{len(held)} advisories in {dump}", flush=True)
    try:
        return subprocess.run(command).returncode
    finally:
        server.shutdown()


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), sys.argv[2:] or list(LOCKS)))
