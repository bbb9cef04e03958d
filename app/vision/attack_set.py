"""A folder of labelled presentations, judged and counted as ISO/IEC 30107-3 counts.

    DIR/live/anna/001.jpg 002.jpg ...      people, one folder a presentation
    DIR/print/a4-matt/001.jpg ...          attacks, one folder a species
    DIR/replay/phone-1.jpg                 a single picture is a presentation too

A presentation may lie beside a ``challenge.json``: ``{"actions": ["turn_left", "turn_right"],
"frame_ms": 300}``, and ``"frames"`` where fewer are a failed try. Then it is judged as the service
judges a burst; without, as it judges random photos: by the anti-spoofing model alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.vision.backends import Backends
from app.vision.calibrate import PadOutcome, PadReport, pad_report
from app.vision.feed import feed_signs
from app.vision.image import Rgb, decode
from app.vision.image_header import ImageRejected
from app.vision.liveness import (
    LIVENESS_LIMITS,
    Challenge,
    Frame,
    LivenessLimits,
    verify,
    verify_photos,
)
from app.vision.reading import read_picture

LIVE_SPECIES = "live"
_PICTURES = {".jpg", ".jpeg", ".png"}
_FRAME_MS = 300


@dataclass(frozen=True, slots=True)
class Presentation:
    """The pictures of one attempt, in order, and what was asked of it, if anything."""

    species: str
    name: str
    pictures: tuple[Path, ...]
    challenge: Path | None


def presentations(directory: Path) -> Iterator[Presentation]:
    """All presentations below ``directory``, in a stable order."""
    for species in sorted(path for path in directory.iterdir() if path.is_dir()):
        for entry in sorted(species.iterdir()):
            if entry.is_dir():
                asked = entry / "challenge.json"
                pictures = tuple(sorted(path for path in entry.iterdir() if _is_picture(path)))
                if pictures:
                    challenge = asked if asked.exists() else None
                    yield Presentation(species.name, entry.name, pictures, challenge)
            elif _is_picture(entry):
                yield Presentation(species.name, entry.name, (entry,), None)


def judge(
    presentation: Presentation, backends: Backends, limits: LivenessLimits = LIVENESS_LIMITS
) -> PadOutcome:
    """live, spoof or inconclusive; unreadable pictures count as missing."""
    pictures = list(_decoded(presentation))
    readings = [read_picture(picture, backends) for picture in pictures]
    if presentation.challenge is None:
        photos = verify_photos(readings, limits)
        return "inconclusive" if photos is None else photos.outcome
    asked = json.loads(presentation.challenge.read_text("utf-8"))
    frame_ms = int(asked.get("frame_ms", _FRAME_MS))
    times = [(index + 1) * frame_ms for index in range(len(pictures))]
    window_ms = frame_ms * (len(pictures) + 1)
    challenge = Challenge(tuple(asked["actions"]), 0, window_ms, asked.get("frames", 0))
    frames = [Frame(at_ms, each) for at_ms, each in zip(times, readings, strict=True)]
    feed = feed_signs(pictures, readings, times, backends)
    return verify(frames, challenge, feed, limits).outcome


def judge_all(
    directory: Path, backends: Backends, limits: LivenessLimits = LIVENESS_LIMITS
) -> PadReport:
    """APCER per species, BPCER and non-response of everything below ``directory``."""
    outcomes: dict[str, list[PadOutcome]] = {}
    for presentation in presentations(directory):
        outcomes.setdefault(presentation.species, []).append(judge(presentation, backends, limits))
    live = outcomes.pop(LIVE_SPECIES, [])
    return pad_report(outcomes, live)


def _decoded(presentation: Presentation) -> Iterator[Rgb]:
    for path in presentation.pictures:
        try:
            yield decode(path.read_bytes())
        except ImageRejected:
            continue


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in _PICTURES
