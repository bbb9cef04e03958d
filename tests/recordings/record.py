"""Record sittings of the real SDK in a real Chromium against the real service.

    python -m tests.recordings.record [FOLDER] [--pace brisk|real] [--only NAME …] [--at-once 4]

Writes one file per scene (see scenes.py and README.md). Brisk scenes take about two minutes each,
real ones eight; as many as `--at-once` says run beside each other.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import app.sdk
from app.domain.policy import sitting_terms
from app.domain.policy.sitting_terms import SittingTerms
from tests.recordings.desk import Desk
from tests.recordings.scenes import BRISK_WINDOW_S, FILM_S, SCENES
from tests.recordings.tape import Tape
from tests.sdk.cdp import chromium
from tests.sdk.school import School, SchoolClock, open_school

HERE = Path(__file__).parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=HERE)
    parser.add_argument("--pace", choices=sorted(SCENES), action="append")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--at-once", type=int, default=4)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        get_context("spawn").Process(
            target=record, args=(pace, options.only, options.folder, options.at_once)
        )
        for pace in options.pace or sorted(SCENES)
    ]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    return max(job.exitcode or 0 for job in jobs)


def record(pace: str, only: list[str], folder: Path, at_once: int) -> None:
    """All scenes of one pace, in a service of their own."""
    names = [name for name in SCENES[pace] if not only or name in only]
    if pace == "brisk":
        _hasten()
    failed = []
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(at_once) as pool:
        tapes: list[Tape] = []

        def heard(service: Any, clock: SchoolClock) -> Any:
            tapes.append(Tape(clock))
            return tapes[0].around(service)

        with open_school(Path(place), FILM_S[pace], heard) as school:
            learners = {name: school.enrol() for name in names}
            running = {
                name: pool.submit(_one, school, tapes[0], pace, name, learners[name], Path(place))
                for name in names
            }
            for name, future in running.items():
                try:
                    told = future.result()
                except Exception as error:  # noqa: BLE001 - the others are recorded
                    failed.append(name)
                    print(f"{pace} {name}: {error!r}", file=sys.stderr)
                    continue
                file = folder / f"{pace}-{name.removesuffix('_real')}.json"
                file.write_text(_pretty(told), "utf-8")
                print(f"{file.name}: {len(told['exchanges'])} exchanges")
    if failed:
        sys.exit(1)


def _hasten() -> None:
    """Pop-ups more often than any pack has them, before any sitting is opened."""
    original = sitting_terms.of_pack

    def of_pack(pack_id: str, version: str) -> SittingTerms:
        return replace(
            original(pack_id, version),
            popup_low_ms=18_000,
            popup_high_ms=24_000,
            popup_window_ms=round(BRISK_WINDOW_S * 1000),
        )

    sitting_terms.of_pack = of_pack  # type: ignore[assignment]


def _one(
    school: School, tape: Tape, pace: str, name: str, learner: str, place: Path
) -> dict[str, Any]:
    began = school.clock()
    device_began = round(datetime.now(UTC).timestamp() * 1000)
    with chromium(place / f"profile-{name}") as browser:
        version = browser.call("Browser.getVersion")["product"]
        desk = Desk(school, browser, learner)
        SCENES[pace][name](desk)
    sessions = {
        it["session"]
        for it in tape.exchanges
        if it["to"] == "open" and (it["body"] or {}).get("learner_id") == learner
    }
    mine = [
        it
        for it in tape.exchanges
        if it["session"] in sessions or (it["body"] or {}).get("learner_id") == learner
    ]
    return {
        "scene": name,
        "what": " ".join((SCENES[pace][name].__doc__ or "").split()),
        "pace": pace,
        "film_s": FILM_S[pace],
        "made_on": datetime.now(UTC).date().isoformat(),
        "browser": version,
        "sdk": _sdk_version(),
        "acts": [[at - began, what] for at, what in desk.acts],
        "exchanges": [
            {**it, "at_ms": it["at_ms"] - began, "body": _from(it["body"], device_began)}
            for it in sorted(mine, key=lambda it: it["at_ms"])
        ],
    }


def _sdk_version() -> str:
    source = (Path(app.sdk.__file__).parent / "v1" / "zhenxue.js").read_text("utf-8")
    return source.partition('export const VERSION = "')[2].partition('"')[0]


def _from(body: Any, began: int) -> Any:
    """The device's stamps counted from the scene's begin, as all other times."""
    if not isinstance(body, dict):
        return body
    body = {name: value for name, value in body.items() if name != "client"}
    for name in ("sent_at_ms", "started_at_ms", "at_ms", "taken_at_ms"):
        if isinstance(body.get(name), int):
            body[name] -= began
    if "events" in body:
        body["events"] = [_from(event, began) for event in body["events"]]
    return body


def _pretty(told: dict[str, Any]) -> str:
    """One line an exchange."""
    head = {name: value for name, value in told.items() if name not in ("acts", "exchanges")}
    lines = [json.dumps(head, ensure_ascii=False)[:-1] + ',"acts":' + json.dumps(told["acts"])]
    rows = ",\n".join(
        json.dumps(it, ensure_ascii=False, separators=(",", ":")) for it in told["exchanges"]
    )
    return lines[0] + ',\n"exchanges":[\n' + rows + "\n]}\n"


if __name__ == "__main__":
    sys.exit(main())
