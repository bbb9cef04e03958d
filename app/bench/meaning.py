"""What measured rates mean for a county or a province: the arithmetic of docs/scale.md.

A third of everything is kept to spare.
"""

from __future__ import annotations

from typing import Any

POST_EVERY_S = 15  # a browser that posts by itself
EVENT_EVERY_S = 6  # of a learner
FORWARDED = 50  # events a request, from a platform that forwards
PHOTO_EVERY_S = 300
SITTINGS_A_DAY = 20  # of each learner online at once, through the heaviest day of eight hours
USED = 2 / 3


def meaning(answers: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Learners online at once by what each part allows, the least of them, and their night.

    `answers` are those of `app.bench.parts`, by name; a part that was not measured says nothing.
    """
    online: dict[str, int] = {}
    if taken := answers.get("ingest"):
        rows = {row["batch"]: row for row in taken["batches"]}
        online["browsers"] = _about(USED * POST_EVERY_S * rows[1]["requests_per_s"])
        online["forwarded"] = _about(USED * EVENT_EVERY_S * rows[FORWARDED]["events_per_s"])
    if seen := answers.get("faces"):
        rate = USED * PHOTO_EVERY_S * seen["photos_per_s"]
        online["photos_a_core"] = _about(rate)
        online["photos"] = _about(rate * _reading_cores(seen))
    told: dict[str, Any] = {"online": online}
    limits = {name: online[name] for name in ("browsers", "photos") if name in online}
    if limits:
        told["limit"] = min(limits, key=lambda name: limits[name])
        told["learners_online"] = limits[told["limit"]]
    if judged := answers.get("judging"):
        learners = told.get("learners_online", 10_000)
        sittings = learners * SITTINGS_A_DAY
        seconds = sittings / judged["sittings_per_s"]
        told["night"] = {"learners": learners, "sittings": sittings, "seconds": _about(seconds)}
    return told


def _reading_cores(seen: dict[str, Any]) -> int:
    """One core is the service's, where there are several; no worker here: as if there were one."""
    workers, cores = int(seen["face_workers"]), int(seen["cores"])
    return max(1, min(workers, cores - 1))


def _about(value: float) -> int:
    """To two digits: more would promise too much.

    >>> _about(48_765)
    49000
    """
    return int(float(f"{value:.1e}"))
