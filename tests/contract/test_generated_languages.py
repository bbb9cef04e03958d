"""Clients that a public generator makes of the document compile, in platforms' languages.

Nothing generated is kept. The generator is pinned in `generator.lock`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI

from tests.machine import GENERATOR, Part, lacks

pytestmark = [pytest.mark.thorough, pytest.mark.slow]
HERE = Path(__file__).parent
JAR = HERE.parents[1] / "build" / "generator" / "openapi_generator_cli" / "openapi-generator.jar"
ANNOTATIONS = Path("/usr/share/java/geronimo-annotation-1.3-spec.jar")


def run(*command: str | Path, folder: Path) -> str:
    told = subprocess.run(
        [str(it) for it in command], cwd=folder, capture_output=True, text=True, timeout=500
    )
    assert told.returncode == 0, (told.stdout + told.stderr)[-4_000:]
    return told.stdout


@pytest.fixture
def generate(app: FastAPI, tmp_path: Path) -> Callable[..., Path]:
    if shutil.which("java") is None or not JAR.is_file():
        lacks(GENERATOR)
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(app.openapi()), encoding="utf-8")

    def generate(language: str, *more: str) -> Path:
        folder = tmp_path / language
        run("java", "-jar", JAR, "generate", "-g", language, "-i", document, "-o", folder, *more,
            folder=tmp_path)  # fmt: skip
        return folder

    return generate


def needs(command: str, package: str) -> None:
    if shutil.which(command) is None:
        lacks(Part(command, f"apt-get install {package}", GENERATOR.variable))


def test_a_client_in_java_compiles(generate: Callable[..., Path]) -> None:
    needs("javac", "default-jdk-headless")
    if not ANNOTATIONS.is_file():
        lacks(Part("javax.annotation", "apt-get install libgeronimo-annotation-1.3-spec-java",
                   GENERATOR.variable))  # fmt: skip
    folder = generate(
        "java", "--library", "native", "--additional-properties=openApiNullable=false"
    )
    sources = sorted((folder / "src" / "main").rglob("*.java"))
    path = f"{JAR}:{ANNOTATIONS}"  # the generator brings the libraries that its clients stand on
    run("javac", "-nowarn", "-d", folder / "out", "-cp", path, *sources, folder=folder)
    assert len(sorted((folder / "out/org/openapitools/client/api").glob("*Api.class"))) > 10


def test_a_client_in_go_compiles_without_anything_else(generate: Callable[..., Path]) -> None:
    needs("go", "golang-go")
    folder = generate("go", "--additional-properties=enumClassPrefix=true,packageName=zhenxue")
    run("go", "build", ".", folder=folder)


def test_a_client_in_php_is_read_without_a_fault(generate: Callable[..., Path]) -> None:
    needs("php", "php-cli")
    folder = generate("php", "--additional-properties=invokerPackage=Zhenxue")
    for source in sorted((folder / "lib").rglob("*.php")):
        assert "No syntax errors" in run("php", "-l", source, folder=folder)


def test_a_client_in_python_is_imported(generate: Callable[..., Path]) -> None:
    folder = generate("python", "--additional-properties=packageName=zhenxue_client")
    run("python3", "-m", "compileall", "-q", "zhenxue_client", folder=folder)
