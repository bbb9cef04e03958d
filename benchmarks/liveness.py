"""Who passes the face check's turn test: heads that turn, and flat pictures of the same people.

    python -m benchmarks.liveness [FOLDER ...]
    python -m benchmarks.liveness FOLDER --fit        weights of app/vision/turn_depth.py

Every clear face of a photograph below a folder is a person, told apart by the default embedder; the
drawn portraits are some more. Of each, bursts are made as `benchmarks.acted` says, read and judged
by the code that the service runs. A head that does not pass is a person refused at a first try.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from app.domain.controls import draws
from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.vision import turn_depth
from app.vision.backends import Backends, load
from app.vision.calibrate import wilson
from app.vision.feed import feed_signs
from app.vision.image import Rgb, decode
from app.vision.image_header import ImageRejected
from app.vision.landmarks import eye_centres, interocular, ratios
from app.vision.liveness import Challenge, Frame, Liveness, verify
from app.vision.reading import read_picture
from benchmarks import acted
from benchmarks.acted import Still

Floats = NDArray[np.float64]
DRAWN = 12
_MOST_PIXELS = 1_600
_SAME_PERSON = 0.5
_MIRRORED = 0.08  # of the distance between the eyes

console = Console(width=110)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--heads", type=int, default=2, help="bursts of a head a person")
    parser.add_argument("--part", type=int, nargs=2, default=(0, 1), metavar=("N", "OF"))
    arguments = parser.parse_args()
    backends = load()
    people = [*stills(arguments.folders, backends), *drawn(backends)]
    console.print(f"{len(people)} people, {DRAWN} of them drawn")
    number, parts = arguments.part
    mine = people[number::parts]
    if arguments.fit:
        fit(mine, backends)
    else:
        console.print(table(mine, backends, arguments.heads))
    return 0


def stills(folders: Sequence[Path], backends: Backends) -> Iterator[Still]:
    """One photograph of everybody whose face is clear somewhere below the folders."""
    known: list[NDArray[np.float32]] = []
    for folder in folders:
        for path in sorted(it for it in folder.rglob("*") if it.suffix.lower() in _PICTURES):
            try:
                picture = decode(path.read_bytes())
            except ImageRejected:
                continue
            yield from _faces(str(path), picture, backends, known)


_PICTURES = (".jpg", ".jpeg", ".png")


def _faces(
    name: str, picture: Rgb, backends: Backends, known: list[NDArray[np.float32]]
) -> Iterator[Still]:
    longest = max(picture.shape[:2])
    if longest > _MOST_PIXELS:
        scale = _MOST_PIXELS / longest
        picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale), np.uint8)
    for box in backends.detector.detect(picture):
        points = backends.landmarker.locate(picture, box)
        seen = ratios(points)
        if abs(seen.jaw_ratio) > 0.3 or abs(seen.roll) > 15 or interocular(points) < 28:
            continue
        person = backends.embedder.embed(picture, points)
        if any(float(np.linalg.norm(person - it)) < _SAME_PERSON for it in known):
            continue
        still = framed(name, picture, points)
        if _clear(still, backends):
            known.append(person)
            yield still


def _clear(still: Still, backends: Backends) -> bool:
    """One face, on which the landmarks lie alike in a mirror: hair or a hand over it moves them."""
    mirrored = np.ascontiguousarray(still.picture[:, ::-1])
    boxes = [backends.detector.detect(it) for it in (still.picture, mirrored)]
    if any(len(found) != 1 for found in boxes):
        return False
    points = backends.landmarker.locate(mirrored, boxes[1][0])
    across = ratios(points).jaw_ratio + ratios(still.points).jaw_ratio
    middle = points.mean(axis=0) * (-1, 1) + (acted.SIZE[0] - 1, 0) - still.points.mean(axis=0)
    off = float(np.linalg.norm(middle)) / interocular(still.points)
    return off < _MIRRORED and abs(across) < 2 * _MIRRORED


def framed(name: str, picture: Rgb, points: Floats) -> Still:
    """The face as a laptop's camera would have it."""
    scale = acted.EYES / interocular(points)
    middle = eye_centres(points).mean(axis=0)
    place = np.array([acted.SIZE[0] / 2, acted.SIZE[1] * 0.42])
    matrix = np.column_stack([np.eye(2) * scale, place - middle * scale])
    framed = cv2.warpAffine(picture, matrix, acted.SIZE, borderMode=cv2.BORDER_REPLICATE)
    alone = acted.alone(np.asarray(framed, np.uint8), place)
    return Still(name, alone, points * scale + matrix[:, 2])


def drawn(backends: Backends) -> Iterator[Still]:
    for seed in PORTRAIT_SEEDS[:DRAWN]:
        picture = decode(portrait(seed))
        (box, *_) = backends.detector.detect(picture)
        yield Still(f"drawn {seed}", picture, backends.landmarker.locate(picture, box))


# ------------------------------------------------------------------------------------ judging


def judged(
    pictures: Sequence[Rgb], actions: Sequence[str], at_ms: Sequence[int], backends: Backends
) -> Liveness:
    """As the service judges a burst."""
    readings = [read_picture(picture, backends) for picture in pictures]
    received = [1_200 + at for at in at_ms]
    feed = feed_signs(pictures, readings, received, backends)
    challenge = Challenge(tuple(actions), 0, 55_000, len(pictures))
    frames = [Frame(at, it) for at, it in zip(received, readings, strict=True)]
    return verify(frames, challenge, feed)


def table(people: Sequence[Still], backends: Backends, heads: int) -> Table:
    """Bursts that passed, by what was shown, with 95 % intervals, and why the others did not."""
    found: dict[str, list[Liveness]] = {}
    for still in people:
        rng = np.random.default_rng(_seed(still.name))
        for kind in ["head"] * heads + list(acted.FLAT):
            asked = _asked(rng)
            course = acted.steps(asked, rng)
            shown = acted.head(still, course, rng)
            if kind != "head":
                shown = acted.flat(still, course, kind, rng)
            at_ms = [it.at_ms for it in course]
            found.setdefault(kind, []).append(judged(list(shown), asked, at_ms, backends))
    rows = Table("shown", "bursts", "passed", "95 %", "as an attack", "why not")
    for kind, judgements in found.items():
        _row(rows, kind, judgements)
    _row(rows, "all flat", [it for kind in acted.FLAT for it in found[kind]])
    return rows


def _asked(rng: np.random.Generator) -> list[str]:
    """As the service draws it."""
    return draws.actions(rng.bytes(32), 0, moves=True)


def _row(rows: Table, kind: str, judgements: Sequence[Liveness]) -> None:
    live = sum(it.outcome == "live" for it in judgements)
    attack = sum(it.outcome == "spoof" for it in judgements)
    why = Counter(reason for it in judgements if it.outcome != "live" for reason in it.reasons)
    low, high = wilson(live, len(judgements))
    rows.add_row(
        kind,
        str(len(judgements)),
        f"{live} ({live / len(judgements):.1%})",
        f"{low:.1%}-{high:.1%}",
        str(attack),
        ", ".join(f"{reason} {n}" for reason, n in why.most_common(4)),
    )


def _seed(name: str) -> int:
    return int.from_bytes(hashlib.sha256(Path(name).name.encode()).digest()[:4], "big")


# ------------------------------------------------------------------------------------ fitting


@dataclass(frozen=True, slots=True)
class _Sample:
    person: int
    kind: str
    values: Floats


def fit(people: Sequence[Still], backends: Backends) -> None:
    """Weights on everybody, and what they do to people who were left out."""
    samples = [it for n, still in enumerate(people) for it in _samples(n, still, backends)]
    scores = np.empty(len(samples))
    for fold in range(8):
        inside = np.array([it.person % 8 != fold for it in samples])
        fitted = _fitted([it for it, own in zip(samples, inside, strict=True) if own])
        for at in np.flatnonzero(~inside):
            scores[at] = _score(samples[at], fitted)
    kinds = np.array([it.kind for it in samples])
    for share in (0.01, 0.02, 0.03, 0.05):
        limit = np.quantile(scores[kinds == "head"], share)
        passed = {
            kind: f"{np.mean(scores[kinds == kind] >= limit):.2f}"
            for kind in sorted(set(kinds) - {"head"})
        }
        console.print(f"frames of heads refused {share:.0%} at {limit:.2f}; passed {passed}")
    mean, spread, weights = _fitted(samples)
    for name, values in (("_MEAN", mean), ("_SPREAD", spread), ("_WEIGHTS", weights)):
        console.print(f"{name} = np.array({[round(float(it), 4) for it in values]})")


def _samples(person: int, still: Still, backends: Backends) -> Iterator[_Sample]:
    rng = np.random.default_rng(_seed(still.name))
    front = [_landmarks(it, backends) for it in acted.head(still, [acted.Step(0, 0.0)] * 2, rng)]
    known = [turn_depth._upright(it) for it in front if it is not None]
    if not known:
        return
    straight = np.mean(known, axis=0)
    shown = [("head", step) for step in (-1, -0.8, -0.6, 0.6, 0.8, 1)] * 2
    shown += [(kind, step) for kind in acted.FLAT for step in (-1, -0.8, 0.8, 1)]
    for kind, turn in shown:
        course = [acted.Step(0, float(turn))]
        made = acted.head(still, course, rng)
        if kind != "head":
            made = acted.flat(still, course, kind, rng)
        points = _landmarks(next(made), backends)
        values = None if points is None else turn_depth.features(straight, points)
        if values is not None:
            yield _Sample(person, kind, values)


def _landmarks(picture: Rgb, backends: Backends) -> Floats | None:
    boxes = backends.detector.detect(picture)
    return backends.landmarker.locate(picture, boxes[0]) if boxes else None


def _fitted(samples: Sequence[_Sample]) -> tuple[Floats, Floats, Floats]:
    """Logistic regression with a ridge, heads and flat pictures weighing alike."""
    values = np.stack([it.values for it in samples])
    heads = np.array([it.kind == "head" for it in samples], float)
    mean, spread = values.mean(axis=0), values.std(axis=0)
    scaled = (values - mean) / spread
    rows = np.column_stack([scaled, scaled * scaled[:, -1:], np.ones(len(samples))])
    weigh = np.where(heads > 0, 0.5 / heads.mean(), 0.5 / (1 - heads.mean()))
    weights = np.zeros(rows.shape[1])
    for _ in range(30):
        likely = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
        slope = rows.T @ (weigh * (likely - heads)) + weights
        bend = (rows * (weigh * likely * (1 - likely))[:, None]).T @ rows + np.eye(len(weights))
        weights -= np.linalg.solve(bend, slope)
    return mean, spread, weights


def _score(sample: _Sample, fitted: tuple[Floats, Floats, Floats]) -> float:
    mean, spread, weights = fitted
    scaled = (sample.values - mean) / spread
    return float(np.concatenate([scaled, scaled * scaled[-1], [1.0]]) @ weights)


if __name__ == "__main__":
    sys.exit(main())
