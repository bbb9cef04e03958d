"""Files that are there whole or not at all."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.whole_file import write_whole
from tests.full_disk import nothing_grows_beyond


def test_a_full_disk_leaves_what_was_there_and_no_part(tmp_path: Path) -> None:
    file = tmp_path / "it"
    write_whole(file, b"as it was")
    with nothing_grows_beyond(20), pytest.raises(OSError):
        write_whole(file, b"x" * 100)
    assert file.read_bytes() == b"as it was"
    assert list(tmp_path.iterdir()) == [file]
    with nothing_grows_beyond(20), pytest.raises(OSError):
        write_whole(tmp_path / "new", b"x" * 100)
    assert list(tmp_path.iterdir()) == [file]


def test_a_kill_leaves_the_one_or_the_other(tmp_path: Path) -> None:
    file, whole = tmp_path / "it", {bytes([it]) * 1_000_000 for it in (97, 98)}
    write_whole(file, b"a" * 1_000_000)
    writing = (
        "import sys, pathlib; from app.whole_file import write_whole\n"
        "while True:\n"
        "    for it in (b'a', b'b'): write_whole(pathlib.Path(sys.argv[1]), it * 1_000_000)\n"
    )
    for pause_s in (0.31, 0.37, 0.43):
        process = subprocess.Popen([sys.executable, "-c", writing, str(file)])
        time.sleep(pause_s)
        process.kill()
        process.wait()
        assert file.read_bytes() in whole


def test_a_link_stays_one_and_a_pipe_is_written_to(tmp_path: Path) -> None:
    file, link = tmp_path / "it", tmp_path / "link"
    link.symlink_to(file)
    write_whole(link, b"x")
    assert link.is_symlink() and file.read_bytes() == b"x"
    assert file.stat().st_mode & 0o077 == 0
    write_whole(Path("/dev/null"), b"x")
