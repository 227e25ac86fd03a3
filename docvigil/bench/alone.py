"""The engine by itself: how fast it reads the evidence that the pipeline stored, and how long one question of a person
takes while it is kept busy."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count, cycle
from typing import Any

import numpy as np
import torch

from models.engine import Engine
from models.reader import ModelReader
from pipeline.doctypes.schema import DocumentType
from pipeline.questions import questions
from pipeline.reading import Question, QuestionKind, Reader
from records.objects import ObjectStore
from workers.infer import unpacked
from workers.manifest import Manifest
from workers.pictures import evidence

#: Questions of a person asked of the idle engine and of the busy one, and the seconds after which no more are.
ASKED, ASKING_SECONDS = 100, 60.0

#: Seconds after which no more documents are read.
READING_SECONDS = 120.0

#: Documents whose questions are put to the engine together, so that its batches are full.
TOGETHER = 8


@dataclass(frozen=True)
class Alone:
    """`interactive_*` are the 95th percentiles of one question's seconds, from asking to the answer."""

    documents_per_s: float
    questions_per_document: float
    cpu_ms: float
    interactive_alone_s: float
    interactive_busy_s: float
    interactive_over_alone: float


def asked(store: ObjectStore, manifest: Mapping[str, Any], types: Mapping[str, DocumentType]) -> list[Question]:
    """What the model is asked about a document, as the worker asks it; print is left to OCR."""
    told = Manifest.from_json(manifest)
    doctypes = {page.number: page.doctype for page in told.pages}
    found: list[Question] = []
    if told.archive is None:
        return found
    with evidence(store, told.archive) as pictures:
        for one in told.evidences:
            key = doctypes.get(one.page)
            field = None if key is None or one.field == "unexpected" else types[key].field(one.field)
            found += questions(unpacked(one, pictures, field), field)
    return [one for one in found if one.kind is not QuestionKind.PRINT]


def measured(ink: Reader, documents: Sequence[Sequence[Question]], *, max_batch: int, callers: int) -> Alone:
    """Reads the documents with all cores that the model is worth, then asks single questions: of the idle engine, and
    of one that `callers` threads keep busy with whole documents."""
    # As the worker has it: a small model's products are done before a second thread has begun.
    torch.set_num_threads(1 if isinstance(ink, ModelReader) else os.cpu_count() or 1)
    engine = Engine(ink, max_batch=max_batch)
    try:
        engine.warm_up()
        read, put, started, processor = 0, 0, time.perf_counter(), time.process_time()
        while read < len(documents) and time.perf_counter() - started < READING_SECONDS:
            some = documents[read : read + TOGETHER]
            together = [question for each in some for question in each]
            engine.read(together)
            read, put = read + len(some), put + len(together)
        seconds, processor = time.perf_counter() - started, time.process_time() - processor
        single = [replace(one, interactive=True) for each in documents for one in each]
        idle = _percentile(engine, single)
        with _busy(engine, documents, callers):
            busy = _percentile(engine, single)
    finally:
        engine.close()
    return Alone(
        documents_per_s=read / seconds,
        questions_per_document=put / read,
        cpu_ms=processor / read * 1000,
        interactive_alone_s=idle,
        interactive_busy_s=busy,
        interactive_over_alone=busy / idle,
    )


def _percentile(engine: Engine, single: Sequence[Question]) -> float:
    seconds: list[float] = []
    until = time.monotonic() + ASKING_SECONDS
    # Questions of all kinds, each some way from the last.
    for number in count():
        if number >= ASKED or (seconds and time.monotonic() > until):
            return float(np.percentile(seconds, 95))
        started = time.perf_counter()
        engine.read([single[number * 7 % len(single)]])
        seconds.append(time.perf_counter() - started)
    raise AssertionError


@contextmanager
def _busy(engine: Engine, documents: Sequence[Sequence[Question]], callers: int) -> Iterator[None]:
    """Keeps an engine busy as the worker's threads do, each with a document at a time."""
    end, turn, lock = threading.Event(), cycle(documents), threading.Lock()

    def call() -> None:
        while not end.is_set():
            with lock:
                own = next(turn)
            engine.read(own)

    with ThreadPoolExecutor(callers, thread_name_prefix="busy") as pool:
        futures = [pool.submit(call) for _ in range(callers)]
        try:
            time.sleep(0.5)
            yield
        finally:
            end.set()
        for future in futures:
            future.result()
