"""The one place that imports face_recognition, and with it dlib.

face_recognition ends the process with ``quit()`` when its models package cannot be imported (exit
code 0, invisible to ``except Exception``), so the import is guarded. It takes seconds and 150 MB,
so it happens once a process, when first needed.
"""

from __future__ import annotations

import functools
import warnings
from pathlib import Path
from typing import Any

from app.vision.errors import VisionUnavailable


@functools.cache
def face_recognition_api() -> Any:
    """The module ``face_recognition.api`` with dlib's models loaded; raises VisionUnavailable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pkg_resources announces its own end
            from face_recognition import api  # type: ignore[import-untyped]
    except (ImportError, SystemExit, RuntimeError) as failed:
        raise VisionUnavailable(
            "face_recognition cannot be imported: install the locked requirements "
            f"(dlib-bin, face_recognition_models, setuptools < 81). Cause: {failed!r}"
        ) from failed
    return api


def dlib() -> Any:
    """The module ``dlib`` as face_recognition imported it; raises VisionUnavailable."""
    return face_recognition_api().dlib


def resnet_weights_path() -> Path:
    """The ``.dat`` file with the weights of dlib's face recognition network."""
    models = face_recognition_api().face_recognition_models
    return Path(models.face_recognition_model_location())
