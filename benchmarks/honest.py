"""How often honest people are accused: random honest sittings, judged by every detector.

    python -m benchmarks.honest [--count 10000] [--first 0] [--workers 2]

Composes honest learners with every oddity of app/simulation/oddities.py (networks that lose,
double, delay and reorder, wrong clocks, players that misread their position, breaks, hand-overs,
missed pop-ups, dark rooms, ...) and prints every rule's findings, and the credit that was lost.
The budget is 0 learners accused and 0 doubted; the exit code is 1 when it is exceeded.
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
    return 1 if total.accused or total.doubted else 0


def report(total: Tally, seconds: float) -> None:
    print(
        f"{total.scenes} honest learners, {total.sittings} sittings, {total.events} events, "
        f"{seconds:.0f} s"
    )
    accused, doubted, blamed = (
        len(set(seeds)) for seeds in (total.accused, total.doubted, total.blamed)
    )
    noted = len(set(total.noted))
    print(f"{noted} with a photo that shows nobody, which a person looks at by the rules")
    print(f"{accused} learners accused, {doubted} to be reviewed: the budget is 0 and 0")
    print(
        f"{blamed} with something against their platform or class; {total.refused} events refused"
    )
    print(
        "\nrule               reason                     outcome     fault        evidence  count"
    )
    for (rule, reason, outcome, fault, evidence), count in sorted(total.findings.items()):
        print(f"{rule:18} {reason:26} {outcome:11} {fault:12} {evidence:8} {count:6}")
    print("\nsittings:", ", ".join(f"{n} {name}" for name, n in sorted(total.outcomes.items())))
    _losses(total)
    for word, seeds in (("accused", total.accused), ("to be reviewed", total.doubted)):
        if seeds:
            print(f"seeds {word}:", *sorted(set(seeds))[:20])


def _losses(total: Tally) -> None:
    """Credit lost by those who saw all of the film, and on the average with each oddity."""
    lost = sorted(total.lost[seed] for seed in total.whole)
    share = sum(total.lost.values()) / max(total.seen_s, 1.0)
    print(f"\nseen and not credited: {share:.2%} of all content seen")
    if not lost:
        return
    parts = ", ".join(
        f"{name} {lost[min(len(lost) - 1, int(len(lost) * part))]:.0f} s"
        for name, part in (("half", 0.5), ("90 %", 0.9), ("99 %", 0.99), ("all", 1.0))
    )
    print(f"of {len(lost)} who saw the whole film lose at most: {parts}")
    print("mean loss of those whom it befell, in seconds:")
    names = sorted({name for befell in total.befell.values() for name in befell})
    for name in names:
        mine = [total.lost[seed] for seed in total.whole if name in total.befell[seed]]
        print(f"  {name:20} {sum(mine) / max(len(mine), 1):7.1f}  of {len(mine)}")


if __name__ == "__main__":
    sys.exit(main())
