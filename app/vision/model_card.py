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

CARDS = Path(__file__).parent / "cards"
DLIB_RESNET = CARDS / "dlib-resnet-v1.toml"

Metric = Literal["euclidean", "cosine"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Distances that split the three zones; match <= mismatch.

    A distance up to ``match`` is a match, above ``mismatch`` a mismatch, between them a person
    decides. They hold for the mean of ``n_enrolments`` against the mean of ``n_snapshots``
    pictures. ``centred`` says whether for cohort-centred embeddings (app.vision.match).
    """

    match: float
    mismatch: float
    source: str
    n_enrolments: int = 1
    n_snapshots: int = 1
    centred: bool = False

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
    thresholds: Thresholds
    cohort_alarm_below: float  # a calibrated threshold below this: the model does not fit
    within_variance: float | None  # of one person's embeddings about their mean, summed over dims
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
    thresholds = card["thresholds"]
    if card["metric"] not in ("euclidean", "cosine"):
        raise ValueError(f"metric {card['metric']!r} is neither euclidean nor cosine")
    return ModelCard(
        id=str(card["id"]),
        version=str(card["version"]),
        dim=int(card["dim"]),
        metric=card["metric"],
        thresholds=Thresholds(
            match=float(thresholds["match"]),
            mismatch=float(thresholds["mismatch"]),
            source=str(thresholds["source"]),
        ),
        cohort_alarm_below=float(thresholds["cohort_alarm_below"]),
        within_variance=float(card["within_variance"]) if "within_variance" in card else None,
        licence=str(card["licence"]),
        input=_input(card["input"]) if "input" in card else None,
    )


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
