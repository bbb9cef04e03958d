"""Error rates of a labelled set of faces, by the decision that production makes.

A set is an .npz file (``x`` float32 n by dim, ``id`` int, anonymous identities) or a folder with a
folder of JPEG and PNG files a person; one person a picture, and what the reader finds unusable is
left out. Each picture stands for a moment. Enrolment and sittings are drawn again and again from a
person's pictures, never the same picture on both sides. Intervals (95 %) come from drawing *people*
again: the draws of few people say little of others.

A yardstick of the set's own is measured on the people who are not compared: what those two did who
are is never in it, nor in the mean that is subtracted where it is `centred`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from app.domain.faces.calibration import SiteThresholds
from app.domain.faces.comparison import Comparison, OtherSitting
from app.domain.faces.moments import SeenMoment
from app.vision import calibrate, cohort, match
from app.vision.backends import Backends
from app.vision.cohort import Person
from app.vision.image_header import ImageRejected
from app.vision.match import Embedding, Moment, Yardstick
from app.vision.model_card import ModelCard
from app.vision.reading import read
from app.vision.spread import FMR
from detectors.trace import Check

Pictures = dict[int, NDArray[np.float32]]  # (n, dim) of each person
T = TypeVar("T")
Judge = Callable[[match.Template, list[Embedding]], tuple[float, Check]]

DRAWS = 60
BOOTSTRAPS = 200
MOST_PAIRS = 15  # of people who are left out of a yardstick of the set's own
_ASIDE = 2  # people
_NEEDED = 5  # people in all, for a yardstick of the others'


@dataclass(frozen=True, slots=True)
class Size:
    """How much is compared: enrolled photos, sittings, moments of each.

    `others`: so many sittings of the same course beside the one that is decided, which may settle
    it. A stranger is in all of them, or `in_one` alone.
    """

    name: str
    enrolled: int
    moments: int
    sittings: int = 1
    others: int = 0
    in_one: bool = False

    @property
    def pictures(self) -> int:
        return self.enrolled + self.moments * (self.sittings + self.others)


SIZES = (
    Size("1 v 1", 1, 1),
    Size("1 v 3", 1, 3),
    Size("3 v 3", 3, 3),
    Size("5 v 5", 5, 5),
    Size("sitting: 5 v 3", 5, 3),
    Size("the same, in a course of 4", 5, 3, others=3),
    Size("in a course of 8", 5, 3, others=7),
    Size("in a course of 12", 5, 3, others=11),
    Size("in a course of 12, a stranger in one", 5, 3, others=11, in_one=True),
    Size("course: 5 v 4 sittings of 1", 5, 1, 4),
    Size("course: 5 v 4 sittings of 3", 5, 3, 4),
)


@dataclass(slots=True)
class Outcomes:
    """Distances and checks of comparisons, by (whose enrolment, who was seen)."""

    distances: dict[tuple[int, int], list[float]]
    checks: dict[tuple[int, int], list[Check]]

    @property
    def people(self) -> list[int]:
        return sorted({person for pair in self.distances for person in pair})

    def eer(self, times: dict[int, int]) -> float:
        genuine, impostor = self._gathered(self.distances, times)
        if not genuine or not impostor:
            return float("nan")
        return calibrate.equal_error(np.array(genuine), np.array(impostor))[0]

    def share(self, times: dict[int, int], check: Check, *, own: bool) -> float:
        genuine, impostor = self._gathered(self.checks, times)
        found = genuine if own else impostor
        return float(np.mean([it is check for it in found])) if found else float("nan")

    def _gathered(
        self, of: dict[tuple[int, int], list[T]], times: dict[int, int]
    ) -> tuple[list[T], list[T]]:
        genuine: list[T] = []
        impostor: list[T] = []
        for (one, other), values in of.items():
            weight = times[one] if one == other else times[one] * times[other]
            (genuine if one == other else impostor).extend(values * weight)
        return genuine, impostor


def tables(path: Path, backends: Backends) -> Iterator[Table]:
    """By the model card, then by a yardstick of the set's own people."""
    card = backends.embedder.card
    people = _people(path, backends)
    counted = [len(own) for own in people.values()]
    title = f"{path.name}: {sum(counted)} pictures of {len(people)} people, {card.model}"
    yield _table(f"{title}, by its card", people, partial(_by_card, people, card))
    if len(people) < _NEEDED:
        return
    for name, centred in (("plain", False), ("centred", True)):
        yield _table(
            f"{title}, by the others' yardstick, {name}",
            people,
            partial(_by_others, people, card, centred),
        )


def _people(path: Path, backends: Backends) -> Pictures:
    """People with two pictures or more."""
    found: Pictures = {}
    if path.is_dir():
        for number, folder in enumerate(sorted(it for it in path.iterdir() if it.is_dir())):
            own = [it for file in sorted(folder.iterdir()) for it in _embedding(file, backends)]
            if len(own) > 1:
                found[number] = np.stack(own)
        return found
    with np.load(path) as stored:
        vectors, names = stored["x"].astype(np.float32), stored["id"]
    return {int(name): vectors[names == name] for name in np.unique(names)}


def _embedding(file: Path, backends: Backends) -> Iterator[Embedding]:
    if file.suffix.lower() not in {".jpg", ".jpeg", ".png"}:
        return
    try:
        seen = read(file.read_bytes(), backends)
    except ImageRejected:
        return
    if seen.usable and seen.embedding is not None:
        yield seen.embedding


def _by_card(people: Pictures, card: ModelCard, size: Size) -> Outcomes:
    able = {name: own for name, own in people.items() if len(own) >= size.pictures}
    found = Outcomes({}, {})
    pairs = [(one, other) for one in able for other in able]
    _compare(found, pairs, able, size, card, _judge(size, card, None))
    return found


def _by_others(people: Pictures, card: ModelCard, centred: bool, size: Size) -> Outcomes:
    able = {name: own for name, own in people.items() if len(own) >= size.pictures}
    aside = list(combinations(able, _ASIDE))
    rng = np.random.default_rng(2)
    if len(aside) > MOST_PAIRS:
        aside = [aside[at] for at in rng.permutation(len(aside))[:MOST_PAIRS]]
    found = Outcomes({}, {})
    for two in aside:
        others = [_person(own) for name, own in people.items() if name not in two]
        mean = cohort.centre(others) if centred else None
        spread = cohort.of_any(others, card, mean).decides
        site = SiteThresholds(0, Yardstick(spread, "others", mean))
        pairs = [(one, other) for one in two for other in two]
        _compare(found, pairs, able, size, card, _judge(size, card, site))
    return found


def _person(own: NDArray[np.float32]) -> Person:
    """As a site sees somebody: the enrolment, and what came later."""
    half = len(own) // 2
    return Person([[Moment(it) for it in own[:half]], [Moment(it) for it in own[half:]]])


def _judge(size: Size, card: ModelCard, site: SiteThresholds | None) -> Judge:
    def judge(template: match.Template, seen: list[Embedding]) -> tuple[float, Check]:
        comparison = Comparison(template, card, site)
        if size.sittings > 1:
            decision = comparison.decide(template, [Moment(it) for it in seen], size.sittings)
            return decision.distance, Check[decision.zone.upper()]
        sitting, rest = seen[: size.moments], [Moment(it) for it in seen[size.moments :]]
        others = [
            OtherSitting(rest[at : at + size.moments], matched=True)
            for at in range(0, len(rest), size.moments)
        ]
        compared = replace(comparison, others=lambda: others).of(
            [SeenMoment((at,), (it,)) for at, it in enumerate(sitting)]
        )
        return comparison.decide(template, [Moment(it) for it in sitting]).distance, compared.check

    return judge


def _compare(
    found: Outcomes,
    pairs: list[tuple[int, int]],
    people: Pictures,
    size: Size,
    card: ModelCard,
    judge: Judge,
) -> None:
    """Add DRAWS comparisons of each pair."""
    rng = np.random.default_rng(3)
    for one, other in pairs:
        for _ in range(DRAWS):
            mine = list(people[one][rng.permutation(len(people[one]))[: size.pictures]])
            template, seen = match.template(mine[: size.enrolled], card), mine[size.enrolled :]
            if one != other:
                theirs = list(people[other][rng.permutation(len(people[other]))[: len(seen)]])
                seen = theirs[: size.moments] + (seen if size.in_one else theirs)[size.moments :]
            distance, check = judge(template, seen)
            found.distances.setdefault((one, other), []).append(distance)
            found.checks.setdefault((one, other), []).append(check)


def _table(title: str, people: Pictures, compare: Callable[[Size], Outcomes]) -> Table:
    table = Table(title=f"{title}; aimed at FMR {FMR:.0%}")
    table.add_column("enrolled v seen")
    for column in (
        "people",
        "EER %",
        "strangers match %",
        "review %",
        "mismatch %",
        "own match %",
        "review %",
        "mismatch %",
    ):
        table.add_column(column, justify="right")
    for size in SIZES:
        if sum(len(own) >= size.pictures for own in people.values()) < _ASIDE:
            continue
        found = compare(size)
        table.add_row(size.name, str(len(found.people)), *_figures(found))
    return table


def _figures(found: Outcomes) -> Iterator[str]:
    names = found.people
    rng = np.random.default_rng(4)
    drawn = [
        np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names)).tolist()
        for _ in range(BOOTSTRAPS)
    ]
    times = [dict(zip(names, counts, strict=True)) for counts in drawn]
    once = dict.fromkeys(names, 1)
    yield _told(found.eer(once), [found.eer(it) for it in times])
    for own in (False, True):
        for check in (Check.MATCH, Check.REVIEW, Check.MISMATCH):
            values = [found.share(it, check, own=own) for it in times]
            yield _told(found.share(once, check, own=own), values)


def _told(value: float, drawn: list[float]) -> str:
    known = [it for it in drawn if not np.isnan(it)]
    low, high = np.quantile(known, [0.025, 0.975]) if known else (float("nan"),) * 2
    return f"{100 * value:.1f} [{100 * low:.1f}–{100 * high:.1f}]"
