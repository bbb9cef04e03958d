"""What production runs loads no invented person and no bench, whatever import-linter sees."""

from __future__ import annotations

import subprocess
import sys

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
loaded = sorted(it for it in sys.modules if it.startswith(APART))
sys.exit(f"loaded: {loaded}" if loaded else 0)
"""


def test_nothing_but_three_commands_loads_the_simulation_or_the_bench() -> None:
    done = subprocess.run([sys.executable, "-c", _EVERYTHING_ELSE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
