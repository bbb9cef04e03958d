"""Errors of the vision package that are not about one picture.

VisionError
├── VisionUnavailable   the face packages cannot be loaded in this process
└── ModelFileRejected   a user-supplied model file is missing, altered or not what its card says

A picture that is refused is `app.vision.image_header.ImageRejected`.
"""

from __future__ import annotations


class VisionError(RuntimeError):
    """Something about the installation; the message tells the operator what to do."""


class VisionUnavailable(VisionError):
    """face_recognition, dlib or their model files cannot be loaded."""


class ModelFileRejected(VisionError):
    """A model file named in the configuration cannot be used; the default stays."""
