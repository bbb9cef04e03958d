"""Models of the operator's own: used when they are what the settings say, told of when not."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from app.main import create_app
from app.settings import Settings
from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.vision.model_files import BackendFiles, ModelFile
from app.vision.readers import FaceReaders
from app.vision.seen import Seen
from tests.people import TestClock


def test_an_altered_model_file_is_told_and_the_service_stays_ready(
    settings: Settings, clock: TestClock, tmp_path: Path
) -> None:
    (tmp_path / "yunet.onnx").write_bytes(b"altered")
    supplied = settings.model_copy(
        update={"yunet_path": str(tmp_path / "yunet.onnx"), "yunet_sha256": "0" * 64}
    )
    with TestClient(create_app(supplied, clock)) as client:
        ready = client.get("/readyz")
        assert ready.status_code == 200
        (notice,) = ready.json()["notices"]
        assert "yunet.onnx has SHA-256" in notice and "the default stays" in notice
        assert "zhenxue_face_model_files_rejected 1.0" in client.get("/metrics").text


def test_a_file_with_the_right_hash_that_is_no_model_is_told_once_it_was_tried(
    tmp_path: Path,
) -> None:
    path = tmp_path / "yunet.onnx"
    path.write_bytes(b"no network")
    file = ModelFile(path, hashlib.sha256(b"no network").hexdigest())
    readers = FaceReaders(0, BackendFiles(yunet=file))
    assert readers.notices == ()
    (seen,) = readers.read([portrait(PORTRAIT_SEEDS[0])])
    assert isinstance(seen, Seen) and seen.fields["detector"].startswith("dlib-hog")
    assert len(readers.notices) == 1 and "is no YuNet model" in readers.notices[0]


def test_readiness_tells_what_reads_faces_and_that_nothing_recognises_prints(
    settings: Settings, clock: TestClock
) -> None:
    with TestClient(create_app(settings, clock)) as client:
        models = client.get("/readyz").json()["models"]
    assert models == {"detector": "default", "embedder": "dlib-resnet@1", "anti_spoof": False}


def test_a_path_without_its_hash_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHENXUE_YUNET_PATH", "yunet.onnx")
    with pytest.raises(ValidationError, match="ZHENXUE_YUNET_SHA256"):
        Settings()
    monkeypatch.delenv("ZHENXUE_YUNET_PATH")
    monkeypatch.setenv("ZHENXUE_ANTI_SPOOF_PATHS", "a.onnx,b.onnx")
    with pytest.raises(ValidationError, match="ZHENXUE_ANTI_SPOOF_SHA256S"):
        Settings()
