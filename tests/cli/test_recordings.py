"""Films of a folder are measured, breaks in them found, and the table taken as it is."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.domain.catalogue import tables
from app.domain.catalogue.table_kinds import RECORDINGS
from app.vision import film_length
from tests.commands import outcome

FPS, SECONDS = 5, 60
NAME = "2026-04-02_实操_上午.mp4"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A minute of grey pictures."""
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (64, 48))
    for number in range(FPS * SECONDS):
        writer.write(np.full((48, 64, 3), number % 255, np.uint8))
    writer.release()
    return path.read_bytes()


def with_a_break(film: bytes, after_s: int, for_s: int) -> bytes:
    """The same pictures, one of them shown for so long: its table of times has three entries for
    one, the boxes around it grow, and no list of edits cuts the film to its old length."""
    at = film.index(b"stts") - 4
    size, count, delta = (struct.unpack(">I", film[at + o : at + o + 4])[0] for o in (0, 16, 20))
    before = after_s * FPS
    entries = [(before - 1, delta), (1, delta * FPS * for_s), (count - before, delta)]
    table = b"".join(struct.pack(">II", *it) for it in entries)
    new = struct.pack(">I4sII", size + 16, b"stts", 0, len(entries)) + table
    made = bytearray(film[:at] + new + film[at + size :])
    for box in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
        place = film.rindex(box, 0, at) - 4
        grown = struct.unpack(">I", film[place : place + 4])[0] + 16
        made[place : place + 4] = struct.pack(">I", grown)
    return bytes(made).replace(b"edts", b"free", 1)


def test_a_film_is_as_long_as_its_pictures_are_shown(film: bytes, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(film)
    length = film_length.measured(tmp_path / NAME)
    assert length.seconds == pytest.approx(SECONDS, abs=0.05)
    assert (length.longest_s, length.breaks) == (pytest.approx(SECONDS, abs=0.05), 0)


def test_a_break_in_the_middle_is_found(film: bytes, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(with_a_break(film, 40, 30))
    length = film_length.measured(tmp_path / NAME)
    assert length.breaks == 1 and length.longest_s == pytest.approx(40, abs=0.3)
    assert length.seconds == pytest.approx(SECONDS + 30, abs=0.3)


def test_what_is_no_film_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "note.mp4"
    path.write_bytes(b"no film at all")
    with pytest.raises(film_length.UnreadableFilm, match=r"note\.mp4"):
        film_length.measured(path)


def test_the_table_of_a_folder_is_taken_once_a_person_filled_it_in(
    film: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / NAME).write_bytes(film)
    (folder / "broken.mp4").write_bytes(b"no film")
    out = tmp_path / "index.xlsx"
    arguments = (str(folder), "--out", str(out), "--stored-at", "档案室", "--json")
    code, told, _ = outcome(capsys, "recordings", *arguments)
    answer = json.loads(told)
    assert code == 1 and [Path(it).name for it in answer["unreadable"]] == ["broken.mp4"]
    (row,) = tables.read(RECORDINGS, out.read_bytes()).rows
    assert row.reason is not None and "学时序号" in row.reason.zh
    assert row.item["held_on"] == "2026-04-02" and row.item["practical"] is True
    assert row.item["measured_minutes"] == 1.0
    assert row.item["sha256"] == hashlib.sha256(film).hexdigest()
