"""Model cards: what an embedder is, and from where its thresholds come.

A card is a TOML file. The shipped ones lie in ``cards/``; a user-supplied embedder brings its own
(the fields and an example: docs/model-cards/plug-in-embedder.md).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app.vision.errors import ModelFileRejected
from app.vision.spread import FMR, Means, Spread

CARDS = Path(__file__).parent / "cards"
DLIB_RESNET = CARDS / "dlib-resnet-v1.toml"

Metric = Literal["euclidean", "cosine"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Distances that split the three zones; match <= mismatch.

    A distance up to ``match`` is a match, above ``mismatch`` a mismatch, between them a person
    decides. They hold for the mean of ``n_enrolments`` photos against the mean of ``n_snapshots``
    moments. ``centred`` says whether for cohort-centred embeddings (app.vision.match). ``fmr`` is
    the share of strangers up to ``match``, None where nobody says; ``people`` how many that was
    measured on.
    """

    match: float
    mismatch: float
    source: str
    n_enrolments: int = 1
    n_snapshots: int = 1
    centred: bool = False
    fmr: float | None = None
    people: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.match <= self.mismatch:
            raise ValueError(f"need 0 < match <= mismatch, got {self.match} and {self.mismatch}")


@dataclass(frozen=True, slots=True)
class EmbedderInput:
    """How a user-supplied embedder wants its pictures."""

    width: int
    height: int
    mean: tuple[float, float, float]  # subtracted from each channel, 0-255 scale
    scale: float  # multiplied after that
    channels: Literal["rgb", "bgr"]
    template: tuple[tuple[float, float], ...]  # eyes, nose tip, mouth corners in the crop, pixels


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One embedder. ``id`` and ``version`` stand in every decision made with it."""

    id: str
    version: str
    dim: int
    metric: Metric
    thresholds: Thresholds  # for single pictures
    spread: Spread  # of the cohort that the thresholds come from
    cohort_alarm_below: float  # a calibrated threshold below this: the model does not fit
    licence: str
    input: EmbedderInput | None = None

    @property
    def model(self) -> str:
        """The name stored with embeddings and decisions, for example ``dlib-resnet@1``."""
        return f"{self.id}@{self.version}"


def read_card(path: Path) -> ModelCard:
    """Read a card; raises ModelFileRejected with the file and the field at fault."""
    try:
        card = tomllib.loads(path.read_text("utf-8"))
        return _card(card)
    except KeyError as missing:
        raise ModelFileRejected(f"model card {path.name}: {missing} is missing") from missing
    except (OSError, ValueError, TypeError) as wrong:
        raise ModelFileRejected(f"model card {path.name}: {wrong}") from wrong


def _card(card: dict[str, Any]) -> ModelCard:
    if card["metric"] not in ("euclidean", "cosine"):
        raise ValueError(f"metric {card['metric']!r} is neither euclidean nor cosine")
    stated = card["thresholds"]
    unit = card["metric"] == "cosine"
    if "spread" in card:
        spread = _spread(card["spread"], unit)
        alone = Means.of(1)
        squared = spread.match_limit(FMR, alone, alone), spread.own_limit(alone, alone)
        match, mismatch = (value / 2 if unit else value**0.5 for value in squared)
        mismatch = max(match, mismatch)
        fmr: float | None = FMR
    else:
        match, mismatch = float(stated["match"]), float(stated["mismatch"])
        fmr = float(stated["fmr"]) if "fmr" in stated else None
        spread = _stated_spread(card, match, mismatch, fmr or FMR)
    return ModelCard(
        id=str(card["id"]),
        version=str(card["version"]),
        dim=int(card["dim"]),
        metric=card["metric"],
        thresholds=Thresholds(
            match=match,
            mismatch=mismatch,
            source=str(stated["source"]),
            fmr=fmr,
            people=spread.people,
        ),
        spread=spread,
        cohort_alarm_below=float(stated["cohort_alarm_below"]),
        licence=str(card["licence"]),
        input=_input(card["input"]) if "input" in card else None,
    )


def _spread(fields: dict[str, Any], unit: bool) -> Spread:
    return Spread(
        strangers=tuple(float(value) for value in fields["strangers"]),
        picture=float(fields["picture"]),
        frame=float(fields["frame"]),
        sitting=float(fields["sitting"]),
        freedom=float(fields["freedom"]),
        own_tail=float(fields["own_tail"]),
        people=int(fields["people"]),
        unit=unit,
    )


def _stated_spread(card: dict[str, Any], match: float, mismatch: float, fmr: float) -> Spread:
    """What two thresholds for single pictures say of a cohort. What the card does not say is taken
    so that thresholds for several pictures come out too strict rather than too lax: the variance of
    a person's pictures as large as it can be with most of them below ``match``, in as many
    dimensions as there are."""
    unit = card["metric"] == "cosine"
    squared, doubtful = (2 * it if unit else it**2 for it in (match, mismatch))
    stated = float(card["within_variance"]) if "within_variance" in card else squared / 2
    picture = min(stated, 0.95) if unit else stated
    tail = max(1.0, doubtful / (2 * picture))
    people = int(card["thresholds"].get("people", 0))

    def of(strangers: float) -> Spread:
        freedom = float(card["dim"])
        return Spread((strangers,), picture, 0.0, picture, freedom, tail, people, unit)

    alone = Means.of(1)
    low, high = 1e-6, 4.0 if unit else 100 * squared
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if of(middle).fmr(squared, alone, alone) > fmr else (low, middle)
    return of(high)


def _input(fields: dict[str, Any]) -> EmbedderInput:
    template = tuple((float(x), float(y)) for x, y in fields["template"])
    if len(template) != 5:
        raise ValueError(f"the template has {len(template)} points, not 5")
    if fields["channels"] not in ("rgb", "bgr"):
        raise ValueError(f"channels {fields['channels']!r} is neither rgb nor bgr")
    first, second, third = (float(value) for value in fields["mean"])
    return EmbedderInput(
        width=int(fields["width"]),
        height=int(fields["height"]),
        mean=(first, second, third),
        scale=float(fields["scale"]),
        channels=fields["channels"],
        template=template,
    )
