"""`zhenxue simulate`: scenarios and the demo county, as import files or as live traffic.

Exits with 0 fine, 1 when a live service had something against a request, 2 on bad usage.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.answer import FOUND, Json, refuse, require_address, require_key, say
from app.simulation import bundle
from app.simulation.casebook import Scenario
from app.simulation.county import county
from app.simulation.entities import Photo, Record
from app.simulation.environment import LESSON_S, SHANGHAI, Setting
from app.simulation.live import LiveReport, play_live
from app.simulation.scenarios import SCENARIOS, perform, setting_of
from app.simulation.transport import Api, Problem, UrllibClient

app = typer.Typer(help="Simulated learners: scenarios and the demo county.")


@app.command()
def simulate(
    scenario: Annotated[str | None, typer.Option(help="Its id, such as F02; see --list.")] = None,
    listing: Annotated[bool, typer.Option("--list", help="List all scenarios.")] = False,
    demo: Annotated[
        bool, typer.Option("--county", help="The demo county: one file per platform in --out.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Import file: .zip with photos, else NDJSON. Default: NDJSON on stdout."),
    ] = None,
    live: Annotated[str | None, typer.Option(help="Base URL of a service to play against.")] = None,
    key: Annotated[
        str | None, typer.Option(envvar="ZHENXUE_API_KEY", help="API key for --live.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed, another sitting.")] = 0,
    media_s: Annotated[
        float, typer.Option("--lesson-seconds", min=60, max=36_000, help="Length of a lesson.")
    ] = LESSON_S,
    speed: Annotated[
        float, typer.Option(min=0.01, help="Live: times as fast as the wall clock.")
    ] = 1.0,
    today: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The county's today.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Learners' behaviour: a scenario or the demo county, as an import file or as live traffic."""
    if sum((listing, demo, scenario is not None)) != 1:
        refuse("say one of --scenario, --county and --list")
    if listing:
        _list(as_json)
    elif demo:
        if out is None or live is not None:
            refuse("--county needs --out FOLDER and is not played live")
        _write_county(out, today or datetime.now(SHANGHAI), seed, media_s, as_json)
    else:
        assert scenario is not None
        case = SCENARIOS.get(scenario.upper())
        if case is None:
            refuse(f"there is no scenario {scenario!r}: see --list")
        if live is None:
            _write_scenario(case, out, seed, media_s, as_json)
        elif key is None or out is not None:
            refuse("--live needs --key and takes no --out")
        else:
            _play(case, live, key, seed, media_s, speed, as_json)


def _list(as_json: bool) -> None:
    cases = SCENARIOS.values()
    lines = (f"{it.id}  {it.name:28} {it.expected.outcome:15} {it.zh} / {it.en}" for it in cases)
    say({"scenarios": [_described(it) for it in cases]}, as_json, "\n".join(lines))


def _described(case: Scenario) -> dict[str, Any]:
    expected = case.expected
    return {
        "id": case.id,
        "name": case.name,
        "zh": case.zh,
        "en": case.en,
        "expected": {
            "outcome": expected.outcome,
            "or_outcomes": list(expected.or_outcomes),
            "rules": dict(expected.rules),
            "tolerated": sorted(expected.tolerated),
            "credited_s": list(expected.credited_s),
        },
    }


def _write_scenario(
    case: Scenario, out: Path | None, seed: int, media_s: float, as_json: bool
) -> None:
    setting = Setting(lesson=case.lesson, lessons=case.lessons, media_s=media_s)
    scene = perform(case.id, seed=seed, setting=setting)
    records = [*scene.catalogue, *scene.evidence]
    if out is None:
        for line in bundle.ndjson(records):
            sys.stdout.buffer.write(line)
        return
    _write(out, records, scene.photos)
    facts = {"file": str(out), **_counted(records, scene.photos)}
    answer = {**_described(case), "sessions": list(scene.judged), **facts}
    say(answer, as_json, f"{case.id} {case.name}: {len(records)} records in {out}")


def _write_county(folder: Path, today: datetime, seed: int, media_s: float, as_json: bool) -> None:
    made = county(today.date(), seed=seed, media_s=media_s)
    files = []
    for platform in made.platforms:
        file = folder / f"{platform.slug}.zip"
        typer.echo(f"drawing {len(platform.photos)} photos for {file.name} ...", err=True)
        _write(file, platform.records, platform.photos)
        files.append(
            {
                "platform": platform.slug,
                "name": platform.name,
                "file": str(file),
                **_counted(platform.records, platform.photos),
            }
        )
    answer = {"today": made.today.isoformat(), "files": files}
    say(answer, as_json, "\n".join(f"{it['file']}: {it['name']}" for it in files))


def _write(file: Path, records: Iterable[Record], photos: dict[str, Photo]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".zip":
            bundle.write(file, records, photos)
        else:
            bundle.write_records(file, records)
    except OSError as error:
        refuse(f"cannot write {file}: {error.strerror}")


def _counted(records: Iterable[Record], photos: dict[str, Photo]) -> dict[str, Any]:
    kinds = Counter(record["kind"] for record in records)
    return {"records": dict(sorted(kinds.items())), "photos": len(photos)}


def _play(
    case: Scenario, url: str, key: str, seed: int, media_s: float, speed: float, as_json: bool
) -> None:
    require_address(url, "--live")
    require_key(key)
    now_ms = round(datetime.now(SHANGHAI).timestamp() * 1000)
    setting = setting_of(
        case,
        Setting(lesson=case.lesson, lessons=case.lessons, media_s=media_s, start_ms=now_ms),
    )
    try:
        report = play_live(
            case.id, Api(UrllibClient(url), key), seed=seed, setting=setting, speed=speed
        )
    except (Problem, OSError) as error:
        refuse(f"the service at {url} cannot be played against: {error}")
    say(asdict(report), as_json, "\n".join(_lines(report)))
    if report.problems:
        raise typer.Exit(FOUND)


def _lines(report: LiveReport) -> list[str]:
    return [
        f"{report.scenario}: {report.requests} requests",
        *(
            f"  {session}: {state.get('state', state.get('problem', 'unknown'))}"
            for session, state in report.states.items()
        ),
        *(f"  refused: {code}" for code in report.refused),
        *(f"  {problem}" for problem in report.problems),
    ]
