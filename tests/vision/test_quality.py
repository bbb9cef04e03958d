"""Every reason against a picture is one the person in front of the camera can act on."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.vision.backends import Backends
from app.vision.face_reading import FaceReading
from app.vision.image import Rgb, decode
from app.vision.quality import ENROLMENT, SNAPSHOT
from app.vision.reading import read_picture
from app.vision.reasons import QUALITY


@pytest.fixture(scope="module")
def photo() -> Rgb:
    return decode(portrait(PORTRAIT_SEEDS[0]))


@pytest.fixture
def reasons(backends: Backends) -> Callable[[Rgb], tuple[str, ...]]:
    return lambda picture: read_picture(picture, backends, ENROLMENT).reasons


def test_a_good_photo_has_nothing_against_it(
    photo: Rgb, reasons: Callable[[Rgb], tuple[str, ...]]
) -> None:
    assert reasons(photo) == ()


def test_an_empty_room_has_no_face(reasons: Callable[[Rgb], tuple[str, ...]]) -> None:
    assert reasons(np.full((480, 640, 3), 140, np.uint8)) == ("no_face",)


def test_a_second_person_is_noticed(photo: Rgb, reasons: Callable[[Rgb], tuple[str, ...]]) -> None:
    other = decode(portrait(PORTRAIT_SEEDS[1]))
    assert "several_faces" in reasons(np.hstack([photo[:, 100:540], other[:, 100:540]]))


def test_a_blurred_photo_says_so(photo: Rgb, reasons: Callable[[Rgb], tuple[str, ...]]) -> None:
    assert reasons(np.asarray(cv2.GaussianBlur(photo, (0, 0), 5), np.uint8))[-1:] == ("blurred",)


def test_a_dark_photo_is_dark_and_not_another_person(
    photo: Rgb, reasons: Callable[[Rgb], tuple[str, ...]]
) -> None:
    assert "too_dark" in reasons((photo * 0.2).astype(np.uint8))


def test_dim_light_is_not_taken_for_blur(
    photo: Rgb, reasons: Callable[[Rgb], tuple[str, ...]]
) -> None:
    assert "blurred" not in reasons((photo * 0.35).astype(np.uint8))


def test_an_overexposed_photo_says_so(
    photo: Rgb, reasons: Callable[[Rgb], tuple[str, ...]]
) -> None:
    assert "too_bright" in reasons(np.clip(photo * 0.2 + 225, 0, 255).astype(np.uint8))


def test_a_face_across_the_room_is_too_small(
    photo: Rgb, reasons: Callable[[Rgb], tuple[str, ...]]
) -> None:
    room = np.full((960, 1280, 3), 150, np.uint8)
    room[300:540, 400:720] = cv2.resize(photo, (320, 240))
    assert reasons(room)[0] in {"face_too_small", "no_face"}


def test_a_face_at_the_edge_is_cut_off(
    photo: Rgb, reasons: Callable[[Rgb], tuple[str, ...]], backends: Backends
) -> None:
    box = read_picture(photo, backends).box
    assert box is not None
    cut = np.ascontiguousarray(photo[:, box.left + box.width // 6 :])
    assert set(reasons(cut)) & {"face_cut_off", "no_face"}


def test_a_turned_head_is_asked_to_face_the_camera(
    reading_of: Callable[..., FaceReading],
) -> None:
    assert "turned_away" in reading_of(PORTRAIT_SEEDS[0], pose=1.0).reasons


def test_a_tilted_head_is_asked_to_straighten_up(
    photo: Rgb, reasons: Callable[[Rgb], tuple[str, ...]]
) -> None:
    turn = cv2.getRotationMatrix2D((320, 240), 20, 1.0)
    tilted = cv2.warpAffine(photo, turn, (640, 480), borderMode=cv2.BORDER_REPLICATE)
    assert "tilted" in reasons(np.asarray(tilted, np.uint8))


def test_enrolment_asks_for_more_than_a_snapshot() -> None:
    assert ENROLMENT.min_interocular > SNAPSHOT.min_interocular
    assert ENROLMENT.min_sharpness > SNAPSHOT.min_sharpness
    assert ENROLMENT.max_jaw_ratio < SNAPSHOT.max_jaw_ratio


def test_every_reason_speaks_chinese_and_english() -> None:
    for chinese, english in QUALITY.values():
        assert any("\u4e00" <= character <= "\u9fff" for character in chinese)
        assert english.isascii()
