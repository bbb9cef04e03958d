"""The scenarios, by what happens in them; importing this package fills the casebook."""

from app.simulation.cases import (
    fraud_controls,
    fraud_crowds,
    fraud_photos,
    fraud_playback,
    honest_crowds,
    honest_machines,
    honest_people,
)

__all__ = [
    "fraud_controls",
    "fraud_crowds",
    "fraud_photos",
    "fraud_playback",
    "honest_crowds",
    "honest_machines",
    "honest_people",
]
