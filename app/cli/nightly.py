"""`zhenxue nightly`: run the night now, or go on with one that was interrupted."""

from __future__ import annotations

import signal
import sys
import threading
from typing import Any

import typer

from app.cli.answer import ACTOR, FOUND, Json, say

app = typer.Typer(help="Run the night now.")


@app.callback(invoke_without_command=True)
def nightly(as_json: Json = False) -> None:
    """Settle, compare faces, look after photos, judge every class that is due.

    Exits with 1 when something failed, stored evidence was altered, or an interrupt left classes
    to the next start, with 2 when it cannot run: another one is under way, or a setting is wrong.
    """
    from app.jobs.nightly import perform
    from app.logging import configure
    from app.services import open_services

    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    with open_services() as services, _Bar() as bar:
        configure(as_json=as_json or services.settings.log_json)
        summary = perform(services, ACTOR, tell=bar.tell, stopping=stopping)
    say(summary, as_json, "\n".join(_lines(summary)))
    failed = summary["classes_failed"] or summary["classes_left"] or summary["problems"]
    if failed or summary["evidence_altered"]:
        raise typer.Exit(FOUND)


class _Bar:
    """Classes done of all, how fast and how much longer, on standard error."""

    def __enter__(self) -> _Bar:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            Task,
            TextColumn,
            TimeRemainingColumn,
        )

        class Rate(TextColumn):
            def render(self, task: Task) -> Any:
                speed = task.finished_speed or task.speed
                return super().render(task) if speed is None else f"{speed:.1f}/s"

        self._bar = Progress(
            "{task.description}",
            BarColumn(),
            MofNCompleteColumn(),
            Rate("–"),
            TimeRemainingColumn(),
            console=Console(file=sys.stderr),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._bar.start()
        self._task = self._bar.add_task("nightly", total=None)
        return self

    def tell(self, done: int, total: int) -> None:
        self._bar.update(self._task, completed=done, total=total)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def _lines(summary: dict[str, Any]) -> list[str]:
    photos, seconds = summary["photos"], summary["seconds"]
    lines = [
        f"{summary['classes_done']} of {summary['classes']} classes,"
        f" {summary['sessions']} sessions",
        f"{summary['verdicts_stored']} verdicts, {summary['new_findings']} new findings",
        f"photos: {photos['checked']} checked, {photos['lost']} lost,"
        f" {photos['found_again']} found again, {photos['erased']} erased",
        f"{seconds['all']:.1f} s",
    ]
    if summary["evidence_altered"]:
        lines.append(
            f"ALARM: stored evidence of {summary['evidence_altered']} sittings was altered"
        )
    lines += [f"failed: class {klass}" for klass in summary["classes_failed"]]
    lines += [f"failed: {step}" for step in summary["problems"]]
    if summary["classes_left"]:
        lines.append(f"interrupted: the next start goes on with {summary['classes_left']} classes")
    return lines
