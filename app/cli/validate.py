"""`zhenxue validate`: judge a class now, from stored evidence, and print its verdicts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from app.cli.answer import ACTOR, Json, say

if TYPE_CHECKING:
    from app.domain.judging.views import ClassReport

app = typer.Typer(help="Judge a class now.")


@app.command()
def validate(
    class_id: Annotated[str, typer.Argument(metavar="CLASS", help="The platform's id of it.")],
    platform: Annotated[
        str | None, typer.Option("--platform", help="Its slug, where several have such a class.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the class, enrolment, class-hour and session verdicts with their findings.

    Exits with 0 whatever the verdicts say, and with 2 when there is no such class.
    """
    from app.domain import runs
    from app.domain.catalogue import classes
    from app.domain.judging import class_report
    from app.jobs import class_run
    from app.logging import configure
    from app.services import open_services
    from app.store.scope import EVERYTHING

    with open_services() as services:
        configure(as_json=as_json or services.settings.log_json)
        with services.database.write() as connection:
            klass = classes.class_seen(connection, EVERYTHING, class_id, platform)
            run_id = runs.begin(connection, klass.id, ACTOR, services.clock())
        with _Progress() as progress:
            summary = class_run.perform(services, run_id, progress.tell)
        with services.database.read() as connection:
            report = class_report.everything(connection, klass, services.clock())
    say(msgspec.to_builtins(report) | {"run": summary}, as_json, "\n".join(_lines(report, summary)))


class _Progress:
    """A bar on standard error, where somebody is looking."""

    def __enter__(self) -> _Progress:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        self._bar = Progress(
            "{task.description}",
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(file=sys.stderr),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._bar.start()
        self._task = self._bar.add_task("validate", total=None)
        return self

    def tell(self, done: int, total: int) -> None:
        self._bar.update(self._task, completed=done, total=total)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def _lines(told: ClassReport, summary: dict[str, Any]) -> list[str]:
    """The verdicts for people: the class, then every learner, then what stands against them."""
    klass = told.klass
    lines = [f"{klass.class_id}  {klass.outcome}"]
    lines += [f"    {reason.sentence.zh}" for reason in klass.reasons]
    for it in told.enrolments:
        lines.append(f"  {it.learner_id}  {it.outcome}  {it.hours.valid}/{it.hours.planned}")
        lines += [f"      {reason.sentence.zh}" for reason in it.reasons]
    lines += [f"  {it.outcome:10} {it.sentence.zh}" for it in told.findings]
    counts = summary["standing"]
    for kind in ("class_hour", "session"):
        message_of = ", ".join(f"{count} {outcome}" for outcome, count in counts[kind].items())
        lines.append(f"{kind}: {message_of or 'none'}")
    return lines
