"""A film as platforms deliver it: one MP4, and HLS and DASH of two qualities in pieces of MP4.

Drawn and encoded (VP9) by OpenCV, which writes no fragmented MP4: its samples are taken over into
fragments here, each from a key picture to the next.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

FPS = 4
QUALITIES = {"low": (320, 180), "high": (640, 360)}
CODEC = "vp09.00.10.08"


def draw_mp4(path: Path, seconds: int, size: tuple[int, int]) -> None:
    """A silent film whose second is written on it."""
    film = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"vp09"), FPS, size)
    if not film.isOpened():
        raise RuntimeError("this OpenCV writes no VP9 into MP4")
    for n in range(seconds * FPS):
        picture = np.full((size[1], size[0], 3), (72, 44, n % 200), np.uint8)
        cv2.putText(
            picture, f"{n // FPS:02}", (40, 120), cv2.FONT_HERSHEY_SIMPLEX, 3, (245,) * 3, 3
        )
        film.write(picture)
    film.release()


def box(kind: bytes, *inside: bytes) -> bytes:
    body = b"".join(inside)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full(kind: bytes, flags: int, form: str, *values: int) -> bytes:
    return box(kind, struct.pack(">I" + form, flags, *values))


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(kind, body) of one level."""
    at = 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8 : at + size]
        at += size


@dataclass
class Film:
    """What a progressive MP4 with one track says of its samples."""

    data: bytes
    tables: dict[bytes, bytes]  # of `stbl`
    headers: dict[bytes, bytes]  # every other box on the way there

    @classmethod
    def read(cls, path: Path) -> Film:
        film = cls(path.read_bytes(), {}, {})
        level = film.data
        for holder in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
            found = dict(boxes(level))
            film.headers.update({kind: body for kind, body in found.items() if kind != b"mdat"})
            level = found[holder]
        film.tables = dict(boxes(level))
        return film

    def numbers(self, kind: bytes, skip: int = 8) -> tuple[int, ...]:
        body = self.tables[kind]
        return struct.unpack(f">{(len(body) - skip) // 4}I", body[skip:])

    @property
    def timescale(self) -> int:
        return int(struct.unpack_from(">I", self.headers[b"mdhd"], 12)[0])

    @property
    def sample_duration(self) -> int:
        return self.numbers(b"stts")[1]

    def samples(self) -> list[bytes]:
        sizes = self.numbers(b"stsz", 12)
        runs = [*zip(*[iter(self.numbers(b"stsc"))] * 3, strict=True)]
        found, n = [], 0
        for chunk, at in enumerate(self.numbers(b"stco"), 1):
            (many,) = [per for first, per, _ in runs if first <= chunk][-1:]
            for size in sizes[n : n + many]:
                found.append(self.data[at : at + size])
                at += size
            n += many
        return found

    def initial(self) -> bytes:
        """`ftyp` and a `moov` that has the track and none of its samples."""
        none = [full(kind, 0, "I", 0) for kind in (b"stts", b"stsc", b"stco")]
        table = box(
            b"stbl", box(b"stsd", self.tables[b"stsd"]), *none, full(b"stsz", 0, "II", 0, 0)
        )
        kept = {kind: box(kind, body) for kind, body in self.headers.items()}
        media = box(b"minf", kept[b"vmhd"], kept[b"dinf"], table)
        track = box(b"trak", kept[b"tkhd"], box(b"mdia", kept[b"mdhd"], kept[b"hdlr"], media))
        more = box(b"mvex", full(b"trex", 0, "5I", 1, 1, 0, 0, 0))
        brand = box(b"ftyp", b"iso6\0\0\0\1iso6dashmp41")
        return brand + box(b"moov", kept[b"mvhd"], track, more)

    def fragments(self) -> list[tuple[int, bytes]]:
        """(samples, bytes) of each piece that begins with a key picture."""
        samples = self.samples()
        keys = [*(n - 1 for n in self.numbers(b"stss")), len(samples)]
        return [
            (end - first, fragment(n, first * self.sample_duration, self.sample_duration,
                                   samples[first:end]))
            for n, (first, end) in enumerate(pairwise(keys), 1)
        ]  # fmt: skip


def fragment(number: int, begins: int, step: int, samples: list[bytes]) -> bytes:
    """`moof` and `mdat`; the first sample is a key picture."""
    flags = [0x02000000, *[0x01010000] * (len(samples) - 1)]
    rows = [it for one, flag in zip(samples, flags, strict=True) for it in (step, len(one), flag)]

    def head(to_data: int) -> bytes:
        run = full(b"trun", 0x000701, f"Ii{len(rows)}I", len(samples), to_data, *rows)
        where = full(b"tfdt", 0x01000000, "Q", begins)
        track = box(b"traf", full(b"tfhd", 0x020000, "I", 1), where, run)
        return box(b"moof", full(b"mfhd", 0, "I", number), track)

    return head(len(head(0)) + 8) + box(b"mdat", *samples)


def write_streams(folder: Path, seconds: int) -> None:
    """`film.mp4`, `film.m3u8` and `film.mpd` of both qualities, and each as .mp4 and .m3u8 too."""
    main, shown = ["#EXTM3U", "#EXT-X-VERSION:7"], []
    for name, (width, height) in QUALITIES.items():
        mp4 = folder / f"{name}.mp4"
        draw_mp4(mp4, seconds, (width, height))
        film = Film.read(mp4)
        (folder / f"{name}-init.mp4").write_bytes(film.initial())
        pieces = film.fragments()
        for n, (_, data) in enumerate(pieces, 1):
            (folder / f"{name}-{n}.m4s").write_bytes(data)
        lengths = [many for many, _ in pieces]
        (folder / f"{name}.m3u8").write_text(playlist(name, lengths), "utf-8")
        terms = f'BANDWIDTH={width * 1000},CODECS="{CODEC}",RESOLUTION={width}x{height}'
        main += [f"#EXT-X-STREAM-INF:{terms}", f"{name}.m3u8"]
        shown.append(representation(name, width, height, lengths))
    (folder / "film.mp4").write_bytes((folder / "low.mp4").read_bytes())
    (folder / "film.m3u8").write_text("\n".join([*main, ""]), "utf-8")
    (folder / "film.mpd").write_text(
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'profiles="urn:mpeg:dash:profile:isoff-live:2011" minBufferTime="PT2S" '
        f'mediaPresentationDuration="PT{seconds}S"><Period><AdaptationSet mimeType="video/mp4" '
        f'codecs="{CODEC}" segmentAlignment="true">{"".join(shown)}</AdaptationSet></Period></MPD>',
        "utf-8",
    )


def playlist(name: str, lengths: list[int]) -> str:
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-PLAYLIST-TYPE:VOD"]
    lines.append(f"#EXT-X-TARGETDURATION:{-(-max(lengths) // FPS)}")
    lines.append(f'#EXT-X-MAP:URI="{name}-init.mp4"')
    for n, many in enumerate(lengths, 1):
        lines += [f"#EXTINF:{many / FPS:.3f},", f"{name}-{n}.m4s"]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def representation(name: str, width: int, height: int, lengths: list[int]) -> str:
    times = "".join(f'<S d="{many}"/>' for many in lengths)
    return (
        f'<Representation id="{name}" bandwidth="{width * 1000}" width="{width}" height="{height}">'
        f'<SegmentTemplate timescale="{FPS}" initialization="{name}-init.mp4" '
        f'media="{name}-$Number$.m4s"><SegmentTimeline>{times}</SegmentTimeline></SegmentTemplate>'
        "</Representation>"
    )
