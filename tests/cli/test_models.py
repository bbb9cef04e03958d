"""`zhenxue models`: files are known by their hash, and nothing decides that was not asked to."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from app.cli.models import app
from app.settings import Settings
from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.vision import dlib_models, recommended
from app.vision.model_card import CARDS, read_card
from app.vision.onnx_graph import Graph
from app.vision.recommended import ModelRole, PublishedFile, RecommendedModel

CARD = """
id = "borrowed"
version = "7"
dim = 128
metric = "euclidean"
licence = "as its owner says"

[thresholds]
match = 0.4
mismatch = 0.6
cohort_alarm_below = 0.2
source = "a test"
"""


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZHENXUE_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def run(*arguments: str | Path, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(it) for it in arguments])
    assert done.exit_code == code, done.output
    return done.output


def pair() -> bytes:
    graph = Graph()
    pooled = graph.node("Flatten", [graph.node("GlobalAveragePool", ["face"])])
    graph.node("Softmax", [pooled], output="classes")
    return graph.model("pair", ("face", [3, 80, 80]), ("classes", [3]))


@pytest.fixture
def published(site: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recommended pair whose files somebody carried in under other names."""
    model, folder = pair(), site / "usb"
    folder.mkdir()
    (folder / "download (1)").write_bytes(model)
    (folder / "README").write_text("beside it")
    sha256 = hashlib.sha256(model).hexdigest()
    entry = RecommendedModel(
        name="pair",
        role=ModelRole.ANTI_SPOOF,
        zh="一对",
        en="a pair",
        licence="MIT",
        published="here",
        provenance="made by a test",
        file=[PublishedFile(name, len(model), sha256) for name in ("a.onnx", "b.onnx")],
    )
    monkeypatch.setattr(recommended, "recommended", lambda: [entry])
    return folder


def test_the_catalogue_names_for_each_file_its_licence_source_and_hash() -> None:
    told = json.loads(run("--json"))
    assert told["in_force"] == {"detector": [], "embedder": [], "anti_spoof": []}
    assert {it["role"] for it in told["recommended"]} == set(ModelRole)
    for model in told["recommended"]:
        assert model["licence"] and model["published"] and model["provenance"]
        assert all(len(bytes.fromhex(it["sha256"])) == 32 for it in model["file"])
        if model["role"] == ModelRole.EMBEDDER:
            read_card(CARDS / model["card"])


def test_a_carried_file_is_known_by_its_hash_and_decides(published: Path) -> None:
    assert "pair is installed" in run("install", "pair", published)
    assert json.loads(run("--json"))["in_force"]["anti_spoof"] == ["a.onnx", "b.onnx"]
    assert len(Settings().model_files.anti_spoof) == 2
    assert not Settings().model_files.complaints()


def test_another_file_of_that_name_is_refused_and_nothing_changes(published: Path) -> None:
    (published / "download (1)").write_bytes(b"x" * len(pair()))
    assert "does not hold a.onnx" in run("install", "pair", published, code=2)
    assert not Settings().model_files.anti_spoof


def test_what_was_installed_can_be_taken_out(published: Path) -> None:
    run("install", "pair", published)
    assert "pair decides no more" in run("remove", "anti_spoof")
    assert not Settings().model_files.anti_spoof
    assert "none is installed" in run("remove", "anti_spoof")


def test_a_path_that_is_configured_comes_before_what_is_installed(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("install", "pair", published)
    monkeypatch.setenv("ZHENXUE_ANTI_SPOOF_PATHS", "/x/a.onnx,/x/b.onnx")
    monkeypatch.setenv("ZHENXUE_ANTI_SPOOF_SHA256S", "00,00")
    assert [str(it.path) for it in Settings().model_files.anti_spoof] == ["/x/a.onnx", "/x/b.onnx"]


def test_an_unreadable_list_of_installed_models_is_told_and_the_defaults_stay(site: Path) -> None:
    folder = site / "data" / "models"
    folder.mkdir(parents=True)
    (folder / "in-force.json").write_text("{")
    (complaint,) = Settings().model_files.complaints()
    assert "in-force.json" in complaint and "the defaults stay" in complaint


def test_an_embedder_on_trial_tells_what_it_sees_and_decides_only_when_told_to(site: Path) -> None:
    weights, card, photos = site / "other.dat", site / "card.toml", site / "photos"
    weights.write_bytes(dlib_models.resnet_weights_path().read_bytes())
    card.write_text(CARD)
    for number, seed in enumerate((*PORTRAIT_SEEDS[:2], *PORTRAIT_SEEDS[:2])):
        place = photos / f"person-{seed}" / f"{number}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(portrait(seed))

    told = json.loads(run("try", weights, card, "--pictures", photos, "--json"))
    assert told["model"] == "borrowed@7" and told["in_force"] is False
    assert told["pictures"] == {"files": 4, "faces": 4, "persons": 2, "eer": 0.0, "at": 0.0}
    assert told["site"]["persons"] == 0
    assert Settings().model_files.embedder is None

    run("try", weights, card, "--use")
    assert Settings().model_files.card().model == "borrowed@7"


def test_a_file_that_is_no_embedder_is_refused_with_its_name(site: Path) -> None:
    weights, card = site / "other.onnx", site / "card.toml"
    weights.write_bytes(b"no network")
    card.write_text(CARD)
    assert "no [input] section" in run("try", weights, card, code=2)


def test_the_list_of_installed_models_is_readable_by_people(published: Path) -> None:
    run("install", "pair", published)
    listed = (Settings().data_dir / "models" / "in-force.json").read_bytes()
    assert listed.count(b"\n") > 3 and msgspec.json.decode(listed)["anti_spoof"]["name"] == "pair"
