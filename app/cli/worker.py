"""`zhenxue worker`: face checks beside the service, or on another machine."""

from __future__ import annotations

import os
import signal
import threading
from typing import Annotated

import typer

from app.cli.answer import Json, say

app = typer.Typer(help="Work on face checks.")


@app.callback(invoke_without_command=True)
def worker(
    processes: Annotated[
        int, typer.Option(help="Readers at a time; 0: one a core.", min=0, max=64)
    ] = 0,
    drain: Annotated[bool, typer.Option("--drain", help="Stop when nothing waits.")] = False,
    as_json: Json = False,
) -> None:
    """Read and compare the photos that wait, until interrupted."""
    from app.jobs.face_worker import FaceWorker, run_pending
    from app.logging import configure
    from app.services import open_services
    from app.vision.readers import FaceReaders

    with open_services() as services:
        configure(as_json=as_json or services.settings.log_json)
        readers = FaceReaders(processes or os.cpu_count() or 1, services.settings.model_files)
        try:
            if drain:
                handled = run_pending(services, readers=readers)
                say({"handled": handled}, as_json, f"{handled} photos handled")
                return
            ended = threading.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: ended.set())
            face_worker = FaceWorker(services, readers)
            face_worker.start()
            ended.wait()
            face_worker.stop()
        finally:
            readers.stop()
