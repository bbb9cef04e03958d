"""The web process takes photos in without an image library of its own."""

from __future__ import annotations

import subprocess
import sys

_WEB_PROCESS = """
import sys
import app.main
from app.domain.faces import calibration, enrolment_photos, face_checks, photo_copies, same_face
from app.jobs import face_worker, pixels
heavy = {"cv2", "dlib", "face_recognition", "onnxruntime"} & set(sys.modules)
sys.exit(f"loaded: {sorted(heavy)}" if heavy else 0)
"""


def test_taking_photos_in_loads_no_image_library() -> None:
    done = subprocess.run([sys.executable, "-c", _WEB_PROCESS], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
