"""Traces by OpenTelemetry: where the time of a request, a commit, a judgement or a night went.

Nothing is traced, and nothing of OpenTelemetry is loaded, until `begin` is given an address. Spans
hold names, counts and numbers of runs. No person, no path, no query and no word of an exception
goes into them: routes are told by their pattern, errors by their class. What callers send in
`traceparent` is not taken over, for a stranger would choose what is traced.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

EXPORT_S = 3.0  # a collector that does not answer by then never gets those spans
_MOST_LINKS = 128

Number = str | int | bool

_NONE: Mapping[str, Number] = {}
_NOTHING: AbstractContextManager[Any] = nullcontext()
_provider: Any = None
_exporter: Any = None
_tracer: Any = None


def begin(endpoint: str, version: str) -> None:
    """Trace this process from now on, to an OTLP/HTTP collector (`http://host:4318`), unless the
    address is empty. Sampling, headers and names of the process are OpenTelemetry's own `OTEL_…`.
    """
    global _provider, _exporter, _tracer
    if not endpoint or _provider is not None:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource({"service.name": "zhenxue", "service.version": version})
    _provider = TracerProvider(resource=resource.merge(Resource.create()), shutdown_on_exit=False)
    address = f"{endpoint.rstrip('/')}/v1/traces"
    _exporter = OTLPSpanExporter(endpoint=address, timeout=EXPORT_S)
    _provider.add_span_processor(BatchSpanProcessor(_exporter))
    logging.getLogger("opentelemetry").setLevel("ERROR")  # it warns at each try
    atexit.register(end)
    _tracer = _provider.get_tracer("zhenxue", version)


def end() -> None:
    """Send what was traced, and trace no more. A collector that is away is not waited for longer
    than one answer takes."""
    global _provider, _tracer
    if _provider is not None:
        _tracer, ending, _provider = None, _provider, None
        patience = threading.Timer(EXPORT_S / 2, _exporter.shutdown)
        patience.start()
        ending.shutdown()
        patience.cancel()


def span(
    name: str,
    numbers: Mapping[str, Number] = _NONE,
    *,
    after: str | None = None,
    links: Iterable[str] = (),
    server: bool = False,
) -> AbstractContextManager[Any]:
    """What happens in the block, as a span: of the trace around it, else of the one that `after`
    names (`here()`, in whatever thread or process), else the first of its own trace."""
    if _tracer is None:
        return _NOTHING
    return _span(name, after, links, server, numbers)


def part(name: str) -> AbstractContextManager[Any]:
    """A span where there is a trace already; else nothing: what looks around every second is no
    trace of its own."""
    if _tracer is None or here() is None:
        return _NOTHING
    return _span(name, None, (), False, _NONE)


def tell(name: str | None, numbers: Mapping[str, Number] = _NONE) -> None:
    """Name the span around, or add to it."""
    if _tracer is None:
        return
    from opentelemetry import trace

    around = trace.get_current_span()
    if name is not None:
        around.update_name(name)
    around.set_attributes(numbers)


def tell_request(method: str, route: str, status: int) -> None:
    """Name the span around by what was asked, a route's pattern, and how it was answered."""
    tell(
        f"{method} {route}",
        {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
        },
    )


def here() -> str | None:
    """The span around (W3C `traceparent`), for `after` and `links`; None where there is none."""
    if _tracer is None:
        return None
    from opentelemetry import trace

    it = trace.get_current_span().get_span_context()
    if not it.is_valid:
        return None
    return f"00-{it.trace_id:032x}-{it.span_id:016x}-{it.trace_flags:02x}"


def in_log() -> dict[str, str]:
    """What a line of the log says of the trace that it belongs to."""
    around = here()
    return {} if around is None else {"trace_id": around.split("-")[1]}


@contextmanager
def _span(
    name: str, after: str | None, links: Iterable[str], server: bool, numbers: Mapping[str, Number]
) -> Iterator[Any]:
    from opentelemetry import trace

    tracer = _tracer or trace.NoOpTracer()  # ended by another thread this very moment
    around = None if after is None else trace.set_span_in_context(_remote(after))
    with tracer.start_as_current_span(
        name,
        context=around,
        kind=trace.SpanKind.SERVER if server else trace.SpanKind.INTERNAL,
        attributes=numbers,
        links=[trace.Link(_remote(it).get_span_context()) for it in [*links][:_MOST_LINKS]],
        record_exception=False,  # its words may name people
        set_status_on_exception=False,
    ) as seen:
        try:
            yield seen
        except BaseException as error:
            seen.set_attribute("error.type", type(error).__qualname__)
            seen.set_status(trace.StatusCode.ERROR)
            raise


def _remote(traceparent: str) -> Any:
    from opentelemetry import trace

    _, trace_id, span_id, flags = traceparent.split("-")
    context = trace.SpanContext(
        int(trace_id, 16), int(span_id, 16), True, trace.TraceFlags(int(flags, 16))
    )
    return trace.NonRecordingSpan(context)
