"""Plain files of an import are nobody else's to read, and do not outlive whoever laid them out."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

from app.store.exchange.workrooms import Workrooms

KILLED = """
import os, sys
from pathlib import Path
from app.store.exchange.workrooms import Workrooms
with Workrooms(Path(sys.argv[1])).room() as room:
    (room / "photo.jpg").write_bytes(b"a face")
    os.kill(os.getpid(), 9)
"""


def test_a_room_is_its_owner_s_and_gone_afterwards(tmp_path: Path) -> None:
    with Workrooms(tmp_path / "incoming").room() as room:
        assert stat.S_IMODE(room.stat().st_mode) == 0o700
        assert stat.S_IMODE(room.parent.stat().st_mode) == 0o700
        (room / "staging.sqlite").write_bytes(b"411...")
    assert [it for it in (tmp_path / "incoming").iterdir() if it.is_dir()] == []


def test_what_a_killed_import_left_is_swept_and_what_another_works_at_is_not(
    tmp_path: Path,
) -> None:
    rooms = Workrooms(tmp_path)
    with rooms.room() as mine:
        subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
        (left,) = [it for it in tmp_path.iterdir() if it.is_dir() and it != mine]
        assert (left / "photo.jpg").exists()
        assert rooms.sweep() == 1
        assert [it for it in tmp_path.iterdir() if it.is_dir()] == [mine]


def test_no_folder_is_nothing_to_sweep(tmp_path: Path) -> None:
    assert Workrooms(tmp_path / "nothing").sweep() == 0
