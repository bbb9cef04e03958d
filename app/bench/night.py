"""A night over the generated day, timed in a process of its own."""

from __future__ import annotations

import multiprocessing
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

from app.bench.day import START_MS
from app.clock import DAY_MS
from app.errors import NotReady
from app.jobs import nightly
from app.logging import configure
from app.services import Services
from app.settings import Settings


def that_night() -> int:
    """The clock of the run, in milliseconds: the classes end within the month."""
    return START_MS + 10 * DAY_MS


def judge(settings: Settings) -> dict[str, Any]:
    """Run the night as `zhenxue nightly` does: its summary, `took_s`, seconds by the wall, and
    `peak_mib`, memory of its largest process.

    Raises NotReady when a class or a step of it failed.
    """
    spawn = multiprocessing.get_context("spawn")
    quiet = partial(configure, as_json=False, level="WARNING")  # it would log to our answer
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=quiet) as own:
        summary = own.submit(_judge, settings).result()
    if summary["classes_failed"] or summary["problems"]:
        failed = [*summary["problems"], *map(str, summary["classes_failed"])]
        raise NotReady("bench_night", f"the night failed: {', '.join(failed)}")
    return summary


def _judge(settings: Settings) -> dict[str, Any]:
    services = Services.build(settings, that_night)
    try:
        began = time.perf_counter()
        summary = nightly.perform(services, "benchmark")
        took_s = time.perf_counter() - began
    finally:
        services.stop()
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = max(resource.getrusage(it).ru_maxrss for it in who) / 1024
    return {**summary, "took_s": took_s, "peak_mib": round(peak)}
