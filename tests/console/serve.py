"""A server on the county in rows, to look at pages with one's own eyes.

python -m tests.console.serve 8099
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import uvicorn

from app.console import session_page
from tests.console import county
from tests.console.conftest import Clock, application, services_in, settle, told_by


def main(port: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        services = services_in(Path(folder), Clock())
        crowd = int(sys.argv[2]) if len(sys.argv) > 2 else 0
        session_page.timeline_of = told_by(settle(services, crowd))  # type: ignore[assignment, attr-defined]
        app = application(services)
        print(f"sign in as zhao, sun, qian, feng or root with {county.PASSWORD}")
        uvicorn.run(app, port=port, log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8099)
