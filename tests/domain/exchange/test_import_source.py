"""What imports are read from: the same lines however they are packed, and no trick gets through."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.exchange import import_source
from app.domain.exchange.import_source import MissingFile, Source
from app.errors import BadInput, BodyTooLarge, MalformedBody

LINES = [b'{"record":"platform"}', '{"name":"张三"}'.encode(), b'{"record":"event"}']


def source(path: Path, *, max_bytes: int = 1 << 20, beside: Path | None = None) -> Source:
    return Source(path, max_bytes=max_bytes, max_image_bytes=1_000, beside=beside)


def read(path: Path) -> list[tuple[str, int, bytes]]:
    with source(path) as opened:
        return list(opened.lines())


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "import"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("packed", ["plain", "gzip", "zip"])
def test_the_same_lines_come_out_however_they_were_packed(
    path: Path, packed: str, mark: bytes, end: bytes
) -> None:
    text = mark + b"\n".join(LINES) + end
    path.write_bytes(
        {"plain": text, "gzip": gzip.compress(text), "zip": zipped({"a.ndjson": text})}[packed]
    )
    told = read(path)
    assert [line.strip() for _, _, line in told] == LINES
    assert [number for _, number, _ in told] == [1, 2, 3]


def test_empty_lines_are_passed_over_and_still_counted(path: Path) -> None:
    path.write_bytes(b'\n{"a":1}\n \n\n{"b":2}')
    assert [(number, line) for _, number, line in read(path)] == [(2, b'{"a":1}'), (5, b'{"b":2}')]


def test_a_line_that_is_too_long_comes_cut_and_the_next_is_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_source, "MAX_LINE", 10)
    path.write_bytes(b"x" * 500 + b"\n" + b"short")
    assert [len(line) for _, _, line in read(path)] == [11, 5]


@example(b"\xef\xbb\xbf")
@example(b"\xef\xbb\xbf \n{}")
@given(st.binary(max_size=300))
def test_whatever_bytes_come_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "import"
    path.write_bytes(data)
    try:
        told = read(path)
    except (BadInput, MalformedBody, BodyTooLarge):
        return
    assert all(line.strip() for _, _, line in told)


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_archive_is_refused_as_a_whole(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    whole = bytearray(gzip.compress(b"\n".join(LINES * 50)))
    at = chance.randrange(20, len(whole) - 8)
    path.write_bytes(bytes(whole[:at]))
    with pytest.raises(MalformedBody) as refused:
        read(path)
    assert refused.value.code == "broken_archive"


@pytest.mark.parametrize("name", ["../a.ndjson", "/a.ndjson", "x/../../a.ndjson", "a\\b.ndjson"])
def test_a_name_that_leads_elsewhere_is_refused(path: Path, name: str) -> None:
    path.write_bytes(zipped({name: LINES[0]}))
    with pytest.raises(BadInput) as refused:
        read(path)
    assert refused.value.code == "unsafe_path"


def test_a_zip_without_records_says_what_it_lacks(path: Path) -> None:
    path.write_bytes(zipped({"photo.jpg": b"..."}))
    with pytest.raises(BadInput) as refused:
        read(path)
    assert refused.value.code == "no_records"


def test_what_systems_put_beside_the_records_is_passed_over(path: Path) -> None:
    told = {"export/records.ndjson": LINES[0], "__MACOSX/export/._records.ndjson": b"\0\5\x16\7"}
    path.write_bytes(zipped({**told, "export/._b.jsonl": b"\0", "export/.DS_Store": b"\0"}))
    assert read(path) == [("export/records.ndjson", 1, LINES[0])]
    with source(path) as opened:
        assert opened.unread() == []


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_names_of_tools_that_do_not_say_their_encoding_are_read(path: Path, encoding: str) -> None:
    name = "照片/张三.jpg"
    data = zipped({"a.ndjson": LINES[0], name: b"photo"})
    flagged, raw = name.encode(), name.encode(encoding)
    spare = b"_" * (len(flagged) - len(raw))  # the name keeps its length: offsets stay
    data = data.replace(flagged, raw[:-4] + spare + b".jpg")
    path.write_bytes(bytes(_unflagged(data)))
    with source(path) as opened:
        assert opened.photo(f"照片/张三{spare.decode()}.jpg") == b"photo"


def _unflagged(data: bytes) -> bytearray:
    """A zip none of whose names is said to be UTF-8."""
    plain = bytearray(data)
    for mark, at in ((b"PK\3\4", 7), (b"PK\1\2", 9)):
        place = plain.find(mark)
        while place >= 0:
            plain[place + at] &= 0xF7
            place = plain.find(mark, place + 1)
    return plain


def test_photos_lie_beside_the_records_where_a_folder_was_packed(path: Path) -> None:
    path.write_bytes(zipped({"day/a.ndjson": LINES[0], "day/photos/a.jpg": b"photo"}))
    with source(path) as opened:
        assert opened.photo("photos/a.jpg") == opened.photo("day/photos/a.jpg") == b"photo"
    path.write_bytes(zipped({"a.ndjson": LINES[0], "day/photos/a.jpg": b"photo"}))
    with source(path) as opened, pytest.raises(MissingFile):
        opened.photo("photos/a.jpg")


def test_records_are_known_in_capitals_and_packed_once_more(path: Path) -> None:
    packed = gzip.compress(LINES[1])
    path.write_bytes(zipped({"A.NDJSON": LINES[0], "b.ndjson.gz": packed, "c.JSONL.GZ": packed}))
    assert [(name, line) for name, _, line in read(path)] == [
        ("A.NDJSON", LINES[0]),
        ("b.ndjson.gz", LINES[1]),
        ("c.JSONL.GZ", LINES[1]),
    ]


def test_a_file_that_nobody_reads_is_named_and_a_picture_is_not(path: Path) -> None:
    rest = {"events.log": b"x", "photos/a.jpg": b"x", "photos/b": b"x", "photos/c": b"x"}
    path.write_bytes(zipped({"a.ndjson": LINES[0], **rest}))
    with source(path) as opened:
        list(opened.lines())
        opened.photo("photos/b")
        assert opened.unread() == ["events.log", "photos/c"]


def test_many_files_are_counted_together(path: Path) -> None:
    path.write_bytes(zipped({f"{n}.ndjson": b"x" * 900 for n in range(4)}))
    with pytest.raises(BodyTooLarge) as refused, source(path, max_bytes=3_000) as opened:
        list(opened.lines())
    assert refused.value.code == "import_too_large"


def test_a_small_file_cannot_become_an_endless_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_source, "FREE_BYTES", 10_000)
    path.write_bytes(gzip.compress(b" " * 10_000_000))
    with pytest.raises(BodyTooLarge) as refused, source(path, max_bytes=1 << 30) as opened:
        list(opened.lines())
    assert refused.value.code == "archive_bomb"


def test_files_of_one_archive_are_counted_together(path: Path) -> None:
    path.write_bytes(zipped({f"{n}.ndjson": random.Random(n).randbytes(600_000) for n in range(2)}))
    with pytest.raises(BodyTooLarge) as refused, source(path) as opened:
        list(opened.lines())
    assert refused.value.code == "import_too_large"


def test_a_photo_counts_as_often_as_records_name_it(path: Path) -> None:
    path.write_bytes(zipped({"a.ndjson": LINES[0], "a.jpg": b"x" * 1_000}))
    with source(path, max_bytes=4_500) as opened:
        for _ in range(4):
            opened.photo("a.jpg")
        assert opened.photo_bytes == 4_000
        with pytest.raises(BodyTooLarge):
            opened.photo("a.jpg")


def test_a_photo_beside_the_records_is_found_and_none_outside(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"photo")
    (folder / "large.jpg").write_bytes(b"x" * 1_001)
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    path = tmp_path / "import"
    path.write_bytes(LINES[0])
    with source(path, beside=folder) as opened:
        assert opened.photo("a.jpg") == b"photo"
        for name in ("../secret.jpg", str(tmp_path / "secret.jpg"), "link.jpg", "none.jpg"):
            with pytest.raises(MissingFile) as refused:
                opened.photo(name)
            assert refused.value.code == "missing_file"
        with pytest.raises(MissingFile) as refused:
            opened.photo("large.jpg")
        assert refused.value.code == "file_too_large"
