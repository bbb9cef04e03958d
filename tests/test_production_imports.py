"""What production runs loads no invented person and no bench, whatever import-linter sees."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_EVERYTHING_ELSE = """
import importlib, sys
from pathlib import Path
import app
APART = ("app.simulation", "app.bench", "app.cli.bench", "app.cli.demo", "app.cli.simulate")
root = Path(app.__file__).parent.parent
for path in sorted((root / "app").rglob("*.py")):
    name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
    if not name.startswith(APART):
        importlib.import_module(name)
UNASKED = ("opentelemetry.exporter", "opentelemetry.sdk")  # until an address of a collector is set
loaded = sorted(it for it in sys.modules if it.startswith(APART + UNASKED))
sys.exit(f"loaded: {loaded}" if loaded else 0)
"""


def test_nothing_but_three_commands_loads_the_simulation_or_the_bench_and_nothing_tracing() -> None:
    done = subprocess.run([sys.executable, "-c", _EVERYTHING_ELSE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


_ONE_COMMAND = """
import sys
from app.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
HEAVY = ("cv2", "dlib", "face_recognition", "fastapi", "hypothesis", "jinja2", "onnxruntime",
    "pyarrow", "scipy", "starlette", "typst", "uvicorn", "xlsxwriter")
print("loaded:", [it for it in HEAVY if it in sys.modules])
"""


@pytest.mark.parametrize("words", ["--help", "migrate"])
def test_a_command_that_serves_nothing_and_sees_nothing_starts_without_the_heavy_parts(
    words: str, tmp_path: Path
) -> None:
    environment = os.environ | {"ZHENXUE_DATA_DIR": str(tmp_path), "ZHENXUE_DATABASE_URL": ""}
    command = [sys.executable, "-c", _ONE_COMMAND, words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == ["loaded: []"], done.stdout + done.stderr
