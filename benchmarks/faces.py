"""Face checks: snapshots a second and a core, beside a plain face_recognition loop, and errors.

    python -m benchmarks.faces
    python -m benchmarks.faces --people DIR SET.npz --no-speed
    python -m benchmarks.faces --yunet YUNET.onnx --photos DIR

Both loops read the same JPEG bytes in the same run and end with a comparison against enrolled
faces. Times of one core are CPU time, so other load matters little; scaling is wall time. The
pictures are artificial portraits, the photographs that come with scikit-image and matplotlib when
those are installed, and the JPEG and PNG files of --photos. Whom --people takes, and what is
measured on them, is told in `benchmarks/face_errors.py`.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import io
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from app.bench.faces import check
from app.bench.machine import machine
from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.vision import dlib_models
from app.vision.backends import load
from app.vision.face_reading import FaceReading
from app.vision.image import decode
from app.vision.model_files import BackendFiles, ModelFile
from app.vision.reading import read
from benchmarks import face_errors

SIZES = ((640, 480), (1280, 720))

console = Console()


def main() -> None:
    arguments = parse_arguments()
    files = BackendFiles(
        yunet=supplied(arguments.yunet),
        anti_spoof=tuple(ModelFile(p, sha256(p)) for p in arguments.anti_spoof),
        embedder=supplied(arguments.embedder),
        embedder_card=supplied(arguments.card),
    )
    print_machine()
    if not arguments.no_speed:
        console.print(speed_table(arguments, files))
        console.print(scaling_table(arguments))
    for path in arguments.people:
        for table in face_errors.tables(path, load(files)):
            console.print(table)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--snapshots", type=int, default=30, help="pictures a size (default 30)")
    parser.add_argument("--plain", type=int, default=8, help="of them for the plain loop")
    parser.add_argument("--processes", type=int, nargs="*", default=[1, 2])
    parser.add_argument(
        "--people",
        "--embeddings",
        type=Path,
        nargs="*",
        default=[],
        help=".npz files, or folders with one a person",
    )
    parser.add_argument("--no-speed", action="store_true", help="only what --people asks for")
    parser.add_argument("--embedder", type=Path, help="an embedder of the operator's own")
    parser.add_argument("--card", type=Path, help="its card")
    parser.add_argument("--photos", type=Path, help="a folder of JPEG and PNG files")
    parser.add_argument("--yunet", type=Path, help="a YuNet .onnx file")
    parser.add_argument("--anti-spoof", type=Path, nargs="*", default=[], help="a MiniFASNet pair")
    return parser.parse_args()


def print_machine() -> None:
    packages = ("dlib-bin", "face-recognition", "onnxruntime", "opencv-python-headless", "numpy")
    console.print(
        f"{machine()}; " + ", ".join(f"{package} {version(package)}" for package in packages)
    )


def speed_table(arguments: argparse.Namespace, files: BackendFiles) -> Table:
    """CPU milliseconds a snapshot on one core, and the ratio to the plain loop."""
    table = Table(title="One core: from JPEG bytes to a comparison with the enrolled face")
    for column in ("size", "loop", "found", "CPU ms", "p95 ms", "snapshots/s", "x plain"):
        table.add_column(column, justify="left" if column in ("size", "loop") else "right")
    loops: list[tuple[str, Callable[[Sequence[bytes]], tuple[int, list[float]]]]] = [
        ("Zhenxue, defaults", lambda pictures: check(pictures, load()))
    ]
    if files != BackendFiles():
        supplied_backends = load(files)
        for notice in supplied_backends.notices:
            console.print(f"[red]{notice}")
        loops.append(
            ("Zhenxue, supplied files", lambda pictures: check(pictures, supplied_backends))
        )
    for size in SIZES:
        pictures = snapshots(size, arguments.snapshots, arguments.photos)
        found, times = plain_loop(pictures[: arguments.plain])
        plain = float(np.mean(times))
        add_row(table, size, "plain face_recognition", found, times, plain)
        for name, loop in loops:
            found, times = loop(pictures)
            add_row(table, size, name, found, times, plain)
    return table


def add_row(
    table: Table, size: tuple[int, int], name: str, found: int, times: list[float], plain: float
) -> None:
    mean = float(np.mean(times))
    table.add_row(
        f"{size[0]}x{size[1]}",
        name,
        f"{found}/{len(times)}",
        f"{1000 * mean:.1f}",
        f"{1000 * np.quantile(times, 0.95):.1f}",
        f"{1 / mean:.1f}",
        f"{plain / mean:.1f}",
    )


def plain_loop(pictures: Sequence[bytes]) -> tuple[int, list[float]]:
    """face_recognition as its documentation uses it."""
    api = dlib_models.face_recognition_api()
    enrolled = [np.zeros(128)]
    times, found = [], 0
    for picture in pictures:
        start = time.process_time()
        pixels = api.load_image_file(io.BytesIO(picture))
        encodings = api.face_encodings(pixels, api.face_locations(pixels))
        for encoding in encodings:
            api.face_distance(enrolled, encoding)
        times.append(time.process_time() - start)
        found += bool(encodings)
    return found, times


def scaling_table(arguments: argparse.Namespace) -> Table:
    """Snapshots a second of wall time with several worker processes."""
    table = Table(title="Worker processes, 640x480, wall time")
    for column in ("processes", "snapshots/s", "x one process"):
        table.add_column(column, justify="right")
    first: float | None = None
    for processes in arguments.processes:
        rate = throughput(processes, arguments.snapshots)
        first = first or rate
        table.add_row(str(processes), f"{rate:.1f}", f"{rate / first:.2f}")
    return table


def throughput(processes: int, count: int) -> float:
    pictures = snapshots((640, 480), count, None)
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=load) as pool:
        list(pool.map(read_in_worker, pictures[: 4 * processes]))  # every worker has loaded
        start = time.perf_counter()
        rounds = 3 * processes
        list(pool.map(read_in_worker, pictures * rounds, chunksize=4))
        return rounds * len(pictures) / (time.perf_counter() - start)


def read_in_worker(picture: bytes) -> FaceReading:
    return read(picture, load())


def snapshots(size: tuple[int, int], count: int, photos: Path | None) -> list[bytes]:
    """Photographs first, fitted into the size, then portraits."""
    pictures = [fitted(photo, size) for photo in (*packaged_photos(), *folder(photos))][:count]
    seeds = PORTRAIT_SEEDS[: count - len(pictures)]
    return [*pictures, *(portrait(seed, size=size) for seed in seeds)]


def packaged_photos() -> list[bytes]:
    """US-government photographs that scikit-image and matplotlib install."""
    places = {
        "skimage": "data/astronaut.png",
        "matplotlib": "mpl-data/sample_data/grace_hopper.jpg",
    }
    found = []
    for package, inside in places.items():
        spec = importlib.util.find_spec(package)
        if spec and spec.origin and (path := Path(spec.origin).parent / inside).exists():
            found.append(path.read_bytes())
    return found


def folder(photos: Path | None) -> list[bytes]:
    if photos is None:
        return []
    wanted = {".jpg", ".jpeg", ".png"}
    return [path.read_bytes() for path in sorted(photos.iterdir()) if path.suffix.lower() in wanted]


def fitted(photo: bytes, size: tuple[int, int]) -> bytes:
    """The photograph scaled into ``size`` on grey, as JPEG."""
    pixels = decode(photo)
    scale = min(size[0] / pixels.shape[1], size[1] / pixels.shape[0])
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    canvas = np.full((size[1], size[0], 3), 128, np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small
    return cv2.imencode(".jpg", canvas[..., ::-1])[1].tobytes()


def supplied(path: Path | None) -> ModelFile | None:
    return None if path is None else ModelFile(path, sha256(path))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
