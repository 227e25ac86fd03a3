"""Pictures come back from the object store as the model must see them."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from pipeline.reading import Pixels
from records.objects import FolderStore, Missing
from workers.pictures import EvidenceWriter, evidence, grey, jpeg, png


def picture(seed: int, height: int = 40, width: int = 120) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)


def test_evidence_keeps_every_pixel(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with closing(EvidenceWriter()) as writer:
        for seed in range(20):
            assert writer.add(f"{seed}.png", picture(seed, 20 + seed)) == f"{seed}.png"
        assert writer.count == 20
        writer.store(store, "scans/1/1/evidence.zip")
    with evidence(store, "scans/1/1/evidence.zip") as reader:
        for seed in range(20):
            assert np.array_equal(reader.image(f"{seed}.png"), picture(seed, 20 + seed))
        with pytest.raises(KeyError):
            reader.image("nothing.png")


def test_threads_may_share_an_archive(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with closing(EvidenceWriter()) as writer:
        for seed in range(10):
            writer.add(f"{seed}.png", picture(seed))
        writer.store(store, "scans/1/1/evidence.zip")
    wrong: list[int] = []
    with evidence(store, "scans/1/1/evidence.zip") as reader:

        def look() -> None:
            for seed in range(10):
                if not np.array_equal(reader.image(f"{seed}.png"), picture(seed)):
                    wrong.append(seed)

        threads = [threading.Thread(target=look) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_a_missing_archive_says_so(tmp_path: Path) -> None:
    with pytest.raises(Missing), evidence(FolderStore(tmp_path), "scans/1/1/evidence.zip"):
        pass


def test_pages_are_jpeg_in_the_colours_they_have() -> None:
    red = np.zeros((32, 48, 3), np.uint8)
    red[..., 0] = 255
    body = jpeg(red)
    assert body[:2] == b"\xff\xd8"
    # Red is a third as bright as white to the eye; blue, were the channels swapped, a ninth.
    assert 60 < grey(body).mean() < 90
    assert jpeg(picture(1))[:2] == b"\xff\xd8"


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="decoded"):
        grey(b"nothing")
    assert np.array_equal(grey(png(picture(3))), picture(3))
