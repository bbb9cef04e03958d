"""`python -m tests.fuzz [--seconds N] [TARGET …]`: fuzzing led by coverage.

What it finds stays in build/fuzz/<target>; a crash is written there too, and is the input that
`python -m tests.fuzz --again FILE TARGET` runs once more.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path("build/fuzz")
CODE_OF_CHILD = "import sys; from tests.fuzz.__main__ import child; child(sys.argv[1:])"


def child(arguments: list[str]) -> None:
    import atheris

    with atheris.instrument_imports(include=["app", "zipfile", "openpyxl", "tomllib", "email"]):
        from tests.fuzz import targets
    target = targets.TARGETS[arguments[0]]
    atheris.Setup(["fuzz", *arguments[1:]], lambda data: targets.tried(target, data) and None)
    atheris.Fuzz()


def fuzz(name: str, bound: str, again: str | None = None, folder: Path = FOLDER) -> tuple[int, str]:
    """Run until `bound`, an option of libFuzzer; the exit code, and what was said."""
    from tests.fuzz import targets

    folder = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    for at, seed in enumerate(targets.SEEDS[targets.TARGETS[name]]):
        (folder / f"seed-{at}").write_bytes(seed)
    bounds = ["-timeout=10", "-rss_limit_mb=2048", "-max_len=65536", "-close_fd_mask=1"]
    told = [again] if again else [*bound.split(), f"-artifact_prefix={folder}/"]
    command = [sys.executable, "-c", CODE_OF_CHILD, name, *bounds, *told]
    command += [] if again else [str(folder)]
    same = os.environ | {"PYTHONHASHSEED": "0"}  # the same seed leads to the same inputs
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=same)
    return done.returncode, done.stderr


def main() -> int:
    from tests.fuzz import targets

    asked = argparse.ArgumentParser(prog="python -m tests.fuzz")
    asked.add_argument("--seconds", type=int, default=60, help="for each parser")
    asked.add_argument("--again", help="a file that made a parser fall over")
    asked.add_argument("targets", nargs="*", default=[], metavar=" ".join(targets.TARGETS))
    chosen = asked.parse_args()
    wrong = 0
    for name in chosen.targets or targets.TARGETS:
        code, log = fuzz(name, f"-max_total_time={chosen.seconds}", chosen.again)
        runs = re.findall(r"^#(\d+)\s+\w+\s+cov: (\d+)", log, re.MULTILINE) or [("0", "0")]
        print(f"{name:<11} {runs[-1][0]:>9} inputs  {runs[-1][1]:>6} edges  ", end="")
        print("ok" if code == 0 else "FELL OVER", flush=True)
        if code:
            print(log[-3000:])
            wrong += 1
    return wrong


if __name__ == "__main__":
    raise SystemExit(main())
