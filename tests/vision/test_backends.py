"""The defaults always work; a user-supplied file is used only when it is what it should be."""

from __future__ import annotations

import hashlib
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.vision import dlib_graph, dlib_models, embedder
from app.vision.backends import Backends, load
from app.vision.dlib_weights import CONVOLUTIONS, WeightsUnreadable, read_weights
from app.vision.embedder import DlibEmbedder
from app.vision.errors import ModelFileRejected
from app.vision.image import decode
from app.vision.model_card import DLIB_RESNET, read_card
from app.vision.model_files import BackendFiles, ModelFile
from app.vision.onnx_graph import Graph
from app.vision.reading import read

CARD = """
id = "borrowed"
version = "7"
dim = 128
metric = "cosine"
licence = "CC0-1.0"
[thresholds]
match = 0.2
mismatch = 0.4
cohort_alarm_below = 0.1
source = "test"
[input]
width = 150
height = 150
mean = [122.782, 117.001, 104.298]
scale = 0.00390625
channels = "rgb"
template = [[50.0, 60.0], [100.0, 60.0], [75.0, 90.0], [55.0, 112.0], [95.0, 112.0]]
"""


def supplied(path: Path) -> ModelFile:
    return ModelFile(path, hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.fixture(scope="module")
def network() -> bytes:
    return dlib_graph.onnx_model(read_weights(dlib_models.resnet_weights_path()))


def test_the_port_agrees_with_dlib(backends: Backends) -> None:
    port = backends.embedder
    assert isinstance(port, DlibEmbedder) and port.ported
    encoder = dlib_models.face_recognition_api().face_encoder
    for seed in PORTRAIT_SEEDS[:3]:
        picture = decode(portrait(seed))
        box = backends.detector.detect(picture)[0]
        points = backends.landmarker.locate(picture, box)
        chip = embedder.face_chip(picture, points)
        expected = np.array(encoder.compute_face_descriptor(chip))
        assert np.abs(port.embed(picture, points) - expected).max() < 1e-5


def test_all_weights_of_the_network_are_read() -> None:
    weights = read_weights(dlib_models.resnet_weights_path())
    assert len(weights.convolutions) == CONVOLUTIONS
    assert weights.convolutions[0].kernel.shape == (32, 3, 7, 7)
    assert weights.projection.shape == (256, 128)


@pytest.mark.parametrize("keep", [0, 1000, 5_000_000])
def test_a_truncated_weights_file_is_refused(keep: int, tmp_path: Path) -> None:
    broken = tmp_path / "weights.dat"
    broken.write_bytes(dlib_models.resnet_weights_path().read_bytes()[:keep])
    with pytest.raises(WeightsUnreadable):
        read_weights(broken)


def test_unreadable_weights_fall_back_to_dlib_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(dlib_models, "resnet_weights_path", lambda: tmp_path / "gone.dat")
    with caplog.at_level(logging.WARNING):
        fallback = DlibEmbedder()
    assert not fallback.ported and "falling back to dlib" in caplog.text


def test_face_recognition_quitting_is_our_own_error(tmp_path: Path) -> None:
    (tmp_path / "pkg_resources.py").write_text("raise ImportError('as with setuptools 82')")
    code = (
        "from app.vision.backends import load\n"
        "from app.vision.errors import VisionUnavailable\n"
        "try:\n    load()\nexcept VisionUnavailable as refused:\n    print('refused', refused)\n"
    )
    environment = {"PYTHONPATH": f"{tmp_path}:{Path.cwd()}"}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert "refused face_recognition cannot be imported" in ran.stdout


def test_models_are_loaded_once_a_process(backends: Backends) -> None:
    assert load() is backends and load(BackendFiles()) is backends


def test_a_missing_file_is_named_and_the_default_stays(tmp_path: Path) -> None:
    loaded = load(BackendFiles(yunet=ModelFile(tmp_path / "yunet.onnx", "0" * 64)))
    assert loaded.detector.model == "dlib-hog@1"
    assert "yunet.onnx cannot be read" in loaded.notices[0]


def test_an_altered_file_is_named_and_the_default_stays(tmp_path: Path) -> None:
    file = tmp_path / "pair.onnx"
    file.write_bytes(b"altered")
    loaded = load(BackendFiles(anti_spoof=(ModelFile(file, "ab" * 32),) * 2))
    assert loaded.anti_spoof is None
    assert "SHA-256" in loaded.notices[0] and "ab" * 32 in loaded.notices[0]


def test_a_file_that_is_no_model_is_named_and_the_default_stays(tmp_path: Path) -> None:
    rubbish = tmp_path / "model.onnx"
    rubbish.write_bytes(b"rubbish")
    card = tmp_path / "card.toml"
    card.write_text(CARD)
    files = BackendFiles(
        yunet=supplied(rubbish),
        embedder=supplied(rubbish),
        embedder_card=supplied(card),
        anti_spoof=(supplied(rubbish),) * 2,
    )
    loaded = load(files)
    assert len(loaded.notices) == 3
    assert loaded.detector.model == "dlib-hog@1" and loaded.embedder.card.id == "dlib-resnet"


def test_an_embedder_needs_its_card(tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(b"")
    assert "needed together" in load(BackendFiles(embedder=supplied(model))).notices[0]


def test_a_supplied_embedder_reads_and_names_itself(network: bytes, tmp_path: Path) -> None:
    model, card = tmp_path / "model.onnx", tmp_path / "card.toml"
    model.write_bytes(network)
    card.write_text(CARD)
    loaded = load(BackendFiles(embedder=supplied(model), embedder_card=supplied(card)))
    assert loaded.notices == ()
    reading = read(portrait(PORTRAIT_SEEDS[0]), loaded)
    assert reading.model == "borrowed@7" and reading.embedding is not None
    assert np.linalg.norm(reading.embedding) == pytest.approx(1, abs=1e-5)


def test_weights_of_dlibs_network_are_an_embedder_with_their_card(
    backends: Backends, tmp_path: Path
) -> None:
    model, card = tmp_path / "other.dat", tmp_path / "card.toml"
    model.write_bytes(dlib_models.resnet_weights_path().read_bytes())
    card.write_text(CARD)
    loaded = load(BackendFiles(embedder=supplied(model), embedder_card=supplied(card)))
    assert loaded.notices == ()
    made, usual = (read(portrait(PORTRAIT_SEEDS[0]), it) for it in (loaded, backends))
    assert made.model == "borrowed@7" and made.embedding is not None
    np.testing.assert_allclose(made.embedding, usual.embedding, atol=1e-5)


def test_a_dat_file_that_is_no_network_of_dlib_is_refused(tmp_path: Path) -> None:
    model, card = tmp_path / "other.dat", tmp_path / "card.toml"
    model.write_bytes(b"no network")
    card.write_text(CARD)
    loaded = load(BackendFiles(embedder=supplied(model), embedder_card=supplied(card)))
    assert "other.dat is no face network of dlib" in loaded.notices[0]


def test_an_embedder_that_is_not_what_its_card_says_is_refused(
    network: bytes, tmp_path: Path
) -> None:
    model, card = tmp_path / "model.onnx", tmp_path / "card.toml"
    model.write_bytes(network)
    card.write_text(CARD.replace("dim = 128", "dim = 512"))
    loaded = load(BackendFiles(embedder=supplied(model), embedder_card=supplied(card)))
    assert "gives 128 numbers, its card says 512" in loaded.notices[0]
    assert loaded.embedder.card.id == "dlib-resnet"


def test_a_supplied_anti_spoofing_pair_scores_every_reading(tmp_path: Path) -> None:
    graph = Graph()
    pooled = graph.node("Flatten", [graph.node("GlobalAveragePool", ["face"])])
    graph.node("Softmax", [pooled], output="classes")
    model = tmp_path / "pair.onnx"
    model.write_bytes(graph.model("pair", ("face", [3, 80, 80]), ("classes", [3])))
    loaded = load(BackendFiles(anti_spoof=(supplied(model), supplied(model))))
    assert loaded.notices == ()
    reading = read(portrait(PORTRAIT_SEEDS[0]), loaded)
    assert reading.live_score is not None and 0 <= reading.live_score <= 1
    assert reading.anti_spoof is not None and reading.anti_spoof.startswith("minifasnet-pair@")


@pytest.mark.parametrize("line", ["dim = 128", 'metric = "cosine"', "match = 0.2", "width = 150"])
def test_a_card_that_lacks_a_field_names_it(line: str, tmp_path: Path) -> None:
    card = tmp_path / "card.toml"
    card.write_text(CARD.replace(line, ""))
    with pytest.raises(ModelFileRejected, match=line.split()[0]):
        read_card(card)


@pytest.mark.parametrize(
    ("good", "bad"),
    [("match = 0.2", "match = 0.9"), ('"cosine"', '"manhattan"'), ('"rgb"', '"grey"')],
)
def test_a_card_that_makes_no_sense_is_refused(good: str, bad: str, tmp_path: Path) -> None:
    card = tmp_path / "card.toml"
    card.write_text(CARD.replace(good, bad))
    with pytest.raises(ModelFileRejected):
        read_card(card)


def test_the_default_card_says_where_its_thresholds_come_from() -> None:
    card = read_card(DLIB_RESNET)
    assert (card.thresholds.match, card.thresholds.mismatch) == pytest.approx(
        (0.352, 0.69), abs=0.005
    )
    assert (card.thresholds.fmr, card.spread.people, card.spread.pairs) == (0.01, 5, 10)
    assert "product default" in card.thresholds.source
