"""Networks in ncnn's form, converted: the same numbers, or a refusal that names the layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.vision.embedder import inference_session
from app.vision.errors import ModelFileRejected
from app.vision.ncnn_net import onnx_model

SHAPE = (2, 4, 4)
PARAM = """7767517
10 11
Input          data   0 1 data 0=4 1=4 2=2
Convolution    conv   1 1 data a 0=3 1=1 2=1 3=1 4=0 5=1 6=6
BatchNorm      norm   1 1 a b 0=3
Scale          scale  1 1 b c 0=3 1=1
PReLU          prelu  1 1 c d 0=3
Split          split  1 2 d e f
Pooling        pool   1 1 f g 0=1 4=1
Flatten        flat   1 1 g h
Scale          gate   2 1 e h i 0=-233 1=0
Pooling        whole  1 1 i j 0=1 1=4 2=4
Flatten        flat2  1 1 j k
InnerProduct   fc     1 1 k l 0=3 1=0 2=9
Softmax        soft   1 1 l m 0=0
"""


def network(rng: np.random.Generator) -> tuple[dict[str, np.ndarray], bytes]:
    parts = {
        "kernel": rng.normal(size=(3, 2)),
        "bias": rng.normal(size=3),
        "slope": rng.normal(size=3),
        "mean": rng.normal(size=3),
        "variance": rng.uniform(0.5, 2, size=3),
        "shift": rng.normal(size=3),
        "factor": rng.normal(size=3),
        "offset": rng.normal(size=3),
        "leak": rng.uniform(0, 1, size=3),
        "fc": rng.normal(size=(3, 3)),
    }
    parts = {name: values.astype(np.float32) for name, values in parts.items()}
    tagged = ("kernel", "fc")
    data = [(b"\0" * 4 if name in tagged else b"") + v.tobytes() for name, v in parts.items()]
    return parts, b"".join(data)


def expected(parts: dict[str, np.ndarray], picture: np.ndarray) -> np.ndarray:
    def channels(name: str) -> np.ndarray:
        return parts[name][:, None, None]

    x = np.einsum("oc,chw->ohw", parts["kernel"], picture) + channels("bias")
    x = (x - channels("mean")) / np.sqrt(channels("variance")) * channels("slope")
    x = (x + channels("shift")) * channels("factor") + channels("offset")
    x = np.where(x < 0, x * channels("leak"), x)
    x = x * x.mean(axis=(1, 2), keepdims=True)
    powers = np.exp(parts["fc"] @ x.mean(axis=(1, 2)))
    return powers / powers.sum()


def files(folder: Path, param: str, weights: bytes) -> tuple[Path, Path]:
    (folder / "net.param").write_text(param)
    (folder / "net.bin").write_bytes(weights)
    return folder / "net.param", folder / "net.bin"


@pytest.mark.parametrize("seed", range(3))
def test_a_converted_network_computes_what_its_layers_say(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    parts, weights = network(rng)
    session = inference_session(onnx_model(*files(tmp_path, PARAM, weights), SHAPE))
    picture = rng.normal(size=SHAPE).astype(np.float32)
    (found,) = session.run(None, {"data": picture[None]})
    np.testing.assert_allclose(found[0], expected(parts, picture), atol=1e-5)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda p, w: (p.replace("Softmax ", "Swish "), w), "layer soft is of the unknown kind"),
        (lambda p, w: (p.replace("7767517", "7767516"), w), "no ncnn network"),
        (lambda p, w: (p, w[:-4]), "numbers wanted at byte"),
        (lambda p, w: (p, w + w[:4]), "more weights than layers"),
        (lambda p, w: (p, b"\x47\x6b\x30\x01" + w[4:]), "another storage"),
    ],
)
def test_what_cannot_be_converted_is_refused_by_name(change, told: str, tmp_path: Path) -> None:
    param, weights = change(PARAM, network(np.random.default_rng(0))[1])
    with pytest.raises(ModelFileRejected, match=told):
        onnx_model(*files(tmp_path, param, weights), SHAPE)
