"""How often honest people are accused: random honest sittings, judged by every detector.

    python -m benchmarks.honest [--count 10000] [--first 0] [--workers 2]

Composes honest learners with outages, sleeping laptops, wrong clocks, rewinds, hidden tabs, doubled
and overtaken batches, missed pop-ups and dark rooms (app/simulation/honest.py), and prints every
rule's findings. The budget is 0 violations; the exit code is 1 when it is exceeded.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time

from app.bench.machine import machine
from tests.scenarios.honest import Tally, tally

CHUNK = 100


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="seed of the first learner")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    last = options.first + options.count
    chunks = [range(seed, min(seed + CHUNK, last)) for seed in range(options.first, last, CHUNK)]

    print(machine())
    began = time.perf_counter()
    total = Tally()
    with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
        for done, part in enumerate(pool.imap_unordered(tally, chunks), 1):
            total.add(part)
            print(f"\r{done * 100 // len(chunks):3} %", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    report(total, time.perf_counter() - began)
    return 1 if total.accused else 0


def report(total: Tally, seconds: float) -> None:
    violations = sum(
        count for (*_, outcome, _), count in total.findings.items() if outcome == "violation"
    )
    print(
        f"{total.scenes} honest learners, {total.sittings} sittings, {total.events} events, "
        f"{seconds:.0f} s"
    )
    print(f"{violations} violations, budget 0")
    print("\nrule               reason                     outcome     evidence  count")
    for (rule, reason, outcome, evidence), count in sorted(total.findings.items()):
        print(f"{rule:18} {reason:26} {outcome:11} {evidence:8} {count:6}")
    print("\nsittings:", ", ".join(f"{n} {name}" for name, n in sorted(total.outcomes.items())))
    for word, seeds in (("accused", total.accused), ("to be reviewed", total.doubted)):
        if seeds:
            print(f"seeds {word}:", *sorted(set(seeds))[:20])


if __name__ == "__main__":
    sys.exit(main())
