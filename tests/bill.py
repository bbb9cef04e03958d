"""`python -m tests.bill FILE`: what requirements.lock installs, by CycloneDX, always the same.

No address of a registry is in it: where packages come from is a matter of each installation.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
CYCLONEDX = ["-m", "cyclonedx_py", "requirements", "--output-reproducible", "--no-validate"]


def main(to: Path) -> None:
    command = [sys.executable, "-W", "ignore", *CYCLONEDX, "--pyproject=pyproject.toml"]
    command += ["requirements.lock"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    bill = json.loads(done.stdout)
    for part in bill["components"]:
        part.pop("description", None)
        for reference in part.get("externalReferences", ()):
            if reference["type"] == "distribution":
                reference["url"] = part["purl"]
    for tool in bill["metadata"]["tools"]["components"]:
        tool.pop("externalReferences", None)
    to.write_text(json.dumps(bill, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
