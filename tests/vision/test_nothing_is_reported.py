"""What is computed on faces is told to nobody: libraries that report home are silenced."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_ONE_READING = """
import numpy as np
from app.vision.embedder import inference_session
from app.vision.onnx_graph import Graph

graph = Graph()
graph.node("Relu", ["given"], "made")
session = inference_session(graph.model("one", ("given", [2]), ("made", [2])))
print(session.run(None, {"given": np.ones((1, 2), np.float32)}))
"""


def test_the_inference_library_keeps_no_device_id_and_no_queue_of_reports(tmp_path: Path) -> None:
    """ONNX Runtime reports to its maker by default and lays down an identifier of the machine and
    what waits to be sent; where CI is set it does not, so the environment here is an operator's."""
    paths = {name: str(tmp_path) for name in ("HOME", "XDG_CACHE_HOME", "TMPDIR")}
    done = subprocess.run(
        [sys.executable, "-c", _ONE_READING],
        env=paths | {"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(tmp_path.rglob("*")) == []
