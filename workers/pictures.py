"""Pictures in and out of the object store: pages one by one, the evidence of a scan in one archive."""

from __future__ import annotations

import tempfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.reading import Pixels
from records.objects import ObjectStore

#: Pages are kept as JPEG of this quality: ink stays clean, a page stays below half a megabyte.
JPEG_QUALITY = 85


def jpeg(image: npt.NDArray[np.uint8]) -> bytes:
    """A grey or RGB page as JPEG."""
    if image.ndim == 3:
        image = cast("npt.NDArray[np.uint8]", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return _encoded(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])


def png(image: Pixels) -> bytes:
    """An evidence as PNG: exactly the pixels that the model sees."""
    # Run lengths suit paper: two thirds of the time of a search, and smaller.
    how = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    return _encoded(".png", image, how)


def grey(body: bytes) -> Pixels:
    """The pixels of a PNG. Raises ValueError where it is none."""
    image = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise ValueError("a stored picture can't be decoded")
    return cast(Pixels, image)


class EvidenceWriter:
    """Collects evidence in an archive on the disk, and stores it in one piece."""

    def __init__(self) -> None:
        # PNG is compressed already.
        self._file = tempfile.TemporaryFile(prefix="docvigil-")  # noqa: SIM115
        self._archive = zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED)
        self.count = 0

    def add(self, name: str, image: Pixels) -> str:
        """Adds a picture under `name`, and returns it."""
        self._archive.writestr(name, png(image))
        self.count += 1
        return name

    def store(self, store: ObjectStore, key: str) -> None:
        self._archive.close()
        self._file.seek(0)
        store.put_file(key, self._file)

    def close(self) -> None:
        self._archive.close()
        self._file.close()


class EvidenceReader:
    """Pictures of an archive by name; may be shared by threads."""

    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path)
        self._lock = threading.Lock()

    def png(self, name: str) -> bytes:
        """The picture as it was stored. Raises KeyError where there is none of that name."""
        with self._lock:
            return self._archive.read(name)

    def image(self, name: str) -> Pixels:
        return grey(self.png(name))


@contextmanager
def evidence(store: ObjectStore, key: str) -> Iterator[EvidenceReader]:
    """The archive under `key` while the context lasts. Raises `records.objects.Missing`."""
    with store.path(key) as path:
        yield EvidenceReader(path)


def _encoded(suffix: str, image: npt.NDArray[np.uint8], options: list[int]) -> bytes:
    done, body = cv2.imencode(suffix, image, options)
    if not done:
        raise ValueError(f"a picture of {image.shape} can't be written as {suffix}")
    return body.tobytes()
