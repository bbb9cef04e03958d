"""Logs: one structured line an event, on standard error, with the request's id in it."""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from typing import Any, TextIO

import structlog


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to what is standard error at that moment. Whoever put another in its place for a
    while, as tests do, has closed it since."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


# What PostgreSQL says of the row in hand, with all that stands in it.
_ROW = re.compile(
    r"^(?:DETAIL|CONTEXT):.*?"
    r"(?=^(?:HINT:|\[SQL|\(Background|The above|During handling|Traceback)|\Z)",
    re.MULTILINE | re.DOTALL,
)


def _traceback(exc_info: tuple[Any, Any, Any]) -> str:
    return _ROW.sub("", "".join(traceback.format_exception(*exc_info))).rstrip()


def _print_traceback(out: TextIO, exc_info: tuple[Any, Any, Any]) -> None:
    out.write(f"\n{_traceback(exc_info)}")


def _to_console() -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        # The other formatters print local variables: passwords, keys, database addresses.
        exception_formatter=_print_traceback,
    )


def beside_the_answer() -> None:
    """For a command, whose standard output is the answer's alone, which a program may read. What
    ends it, or a thread of it, is told as what is logged: without the row in hand."""
    sys.excepthook = lambda *it: print(_traceback(it), file=sys.stderr)
    threading.excepthook = lambda it: print(
        _traceback((it.exc_type, it.exc_value, it.exc_traceback)), file=sys.stderr
    )
    if not structlog.is_configured():
        processors = structlog.get_config()["processors"][:-1]
        structlog.configure(
            processors=[*processors, _to_console()],
            logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        )


def configure(*, as_json: bool, level: str = "INFO") -> None:
    """Send structlog and the standard library's loggers to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else _to_console()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    last = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    if as_json:
        last.insert(1, structlog.processors.ExceptionRenderer(_traceback))
    handler = _StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last)
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("alembic").setLevel("WARNING")
    logging.getLogger("apscheduler").setLevel("WARNING")
