"""What becomes of every adversary and of every honest oddity: the tables of docs/adversaries.md.

    python -m benchmarks.adversaries            print them
    python -m benchmarks.adversaries --write    write docs/adversaries.md

Plays the scenario corpus and every oddity alone (app/simulation) and lets the real detectors judge.
Seeds are fixed, so the same code makes the same tables.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from app.simulation.casebook import Scenario
from app.simulation.honest import WAYS, honest_scene
from app.simulation.oddities import CIRCUMSTANCES, MISHAPS
from app.simulation.scenarios import SCENARIOS, perform
from app.simulation.tools import TOOLS
from benchmarks.face_attacks import FACE_ATTACKS, FaceAttack
from detectors.finding import Finding, FindingScope, Outcome
from tests.detectors.bursts import passes
from tests.scenarios.corpus import MILD_TO_GRAVE, Judgement, judge
from tests.scenarios.honest import Tally, judged

PAGE = Path(__file__).parent.parent / "docs" / "adversaries.md"
LESSON_S = 2700.0
SEEDS = range(5)
CASES = (0,)  # seeds of the corpus: test_corpus plays more of them

HEAD = """# Who tries what, and what becomes of it

Made by `python -m benchmarks.adversaries --write`; a test holds this page to what that makes.
Lessons last 2,700 s and the pack is `huangchuan-2021-graded`. Nothing here has been looked at by a
person yet: what is `pending_review` waits for one, and no class-hour is valid meanwhile.

## Adversaries

`outcome` is the worst among the sittings, `credit` the content that no finding voids, `class-hours`
what becomes of those the learner took up. A finding *of the class* is one case for all concerned.

| | tool | what is done | outcome | found | credit s | class-hours |
| --- | --- | --- | --- | --- | --- | --- |
"""
PIXELS = (
    "nothing here: pictures are compared by the running service (tests/scenarios/test_real_pixels)"
)
FACES = """
## At a face check

What is held before the camera, through the API with drawn portraits, under the newest pack
(`benchmarks/face_attacks.py`; each row is a test). Only `live` proves a class-hour: without it the
hour is not proven, `spoof` goes to a person, and no photo afterwards excuses it, only a later
burst that is live.

| | what is shown | the burst is | because | the learner is told |
| --- | --- | --- | --- | --- |
"""

PEOPLE = """
What no row shows: a person who watches for somebody else and looks like them, two people before one
screen, and attention. No script and no photo tells these; the offline assessment does.

Nor one bot on thirty devices of its own, each with photos and answer times of its own: 30 of 30
valid. What it shares over a class (browser, screen, time zone, the SDK's beats, lessons in one
order, starts close together) a computer room of equal machines shares as well. The one thing left
is that all its accounts answer out of one hat, while people differ: variance of the log of answer
times between accounts over that within them, 30 accounts with some eight answers each. 30 classes
of 900 simulated honest learners give 4.8 to 26, 200 such bots 0.3 to 1.8. Yet how much people
differ is this simulation's assumption; people who differ by a third (deviation 0.3 of the log)
give 1.4 to 7.6, which overlaps; and a bot that draws each account a temper of its own is no
different from people. So there is no rule, not even on trial, until real classes have been
measured. Random photos that must match the enrolled face are what such a bot has to forge, and
the inspection calls people up.

## Honest people

The scenarios of the corpus that are no fraud. `lost` is content of the lesson without credit.

| | what happens | outcome | found | lost s | class-hours |
| --- | --- | --- | --- | --- | --- |
"""
ODD = """
## Honest oddities, one at a time

Each befalls five learners alone, twice on the way where it is a mishap; `lost` is content that was
seen and not credited, on the average and at most. `python -m benchmarks.honest` mixes all of them.

| | what happens | outcomes | found | lost s, mean | at most |
| --- | --- | --- | --- | --- | --- |
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help=f"into {PAGE.name}")
    if parser.parse_args().write:
        PAGE.write_text(page(), "utf-8")
    else:
        sys.stdout.write(page())
    return 0


def page() -> str:
    """The whole page."""
    fraud = [case for case in SCENARIOS.values() if not case.honest]
    honest = [case for case in SCENARIOS.values() if case.honest]
    return "".join(
        (
            HEAD,
            *(_adversary(case) for case in fraud),
            FACES,
            *(_at_face_check(it) for it in FACE_ATTACKS),
            PEOPLE,
            *(_honest(case) for case in honest),
            ODD,
            *_oddities(),
        )
    )


def _adversary(case: Scenario) -> str:
    told = judge(perform(case.id, seed=CASES[0], judge=passes))
    does = f"{case.zh} {case.en}"
    found = PIXELS if case.expected.needs_pixels else _found(told.findings)
    cells = (case.id, TOOLS[case.id], does, told.outcome, found)
    return _row(*cells, f"{told.credited_s:.0f}", _hours(told))


def _at_face_check(attack: FaceAttack) -> str:
    because = ", ".join(f"`{it}`" for it in attack.reasons) or "–"
    cells = (attack.id, f"{attack.zh} {attack.en}", attack.outcome, because)
    return _row(*cells, " or ".join(f"`{it}`" for it in attack.told) or "–")


def _honest(case: Scenario) -> str:
    told = judge(perform(case.id, seed=CASES[0], judge=passes))
    whole = min(LESSON_S, case.expected.credited_s[1])  # who left before the end saw no more
    lost = max(0.0, whole - told.credited_s)
    cells = (case.id, f"{case.zh} {case.en}", told.outcome, _found(told.findings))
    return _row(*cells, f"{lost:.0f}", _hours(told))


def _oddities() -> Iterator[str]:
    described = {
        **{name: (it.zh, it.en) for name, it in CIRCUMSTANCES.items()},
        **{name: (it.zh, it.en) for name, it in MISHAPS.items()},
        **{name: (zh, en) for name, (_, zh, en) in WAYS.items()},
        "plays_again": ("播完后自动重播", "the film begins again by itself after its end"),
        "next_lesson": (
            "学完立即学下一节，上一节最后的记录可能晚到",
            "the next lesson at once; what is told last of this one may be late",
        ),
    }
    for name, (zh, en) in described.items():
        scenes = [
            (seed, honest_scene(seed, LESSON_S, frozenset({name}), judge=passes)) for seed in SEEDS
        ]
        told = judged(scenes)
        lost = [max(0.0, seconds) for seconds in told.lost.values()]
        mean = sum(lost) / len(lost)
        cells = (f"`{name}`", f"{zh} {en}", _outcomes(told), _of_tally(told))
        yield _row(*cells, f"{mean:.0f}", f"{max(lost):.0f}")


def _hours(told: Judgement) -> str:
    count = Counter(told.hours)
    return ", ".join(f"{n} {word}" if n > 1 else word for word, n in sorted(count.items())) or "–"


def _outcomes(told: Tally) -> str:
    return ", ".join(word for word in MILD_TO_GRAVE if told.outcomes[word])


def _found(findings: list[Finding]) -> str:
    """Rule and reason of what is more than a note, worst first, each once."""
    said = {
        (
            -finding.outcome.severity,
            f"{finding.rule} {finding.reason}: {finding.outcome.value}"
            + (", of the class" if finding.scope is FindingScope.CLASS else ""),
        )
        for finding in findings
        if finding.outcome is not Outcome.CLEAR
    }
    return "<br>".join(words for _, words in sorted(said)) or "–"


def _of_tally(told: Tally) -> str:
    said = {
        f"{rule} {reason}: {outcome}"
        for rule, reason, outcome, *_ in told.findings
        if outcome != Outcome.CLEAR.value
    }
    return "<br>".join(sorted(said)) or "–"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |\n"


if __name__ == "__main__":
    sys.exit(main())
