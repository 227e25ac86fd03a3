"""Where settings become the parts that the lower layers ask for. Nothing else brings model, workers and records together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.doctypes.load import builtin, load_all

from docvigil.settings import Settings
from pipeline.doctypes.schema import DocumentType
from pipeline.locate import Atlas
from pipeline.pages import Limits
from pipeline.reading import Reader

if TYPE_CHECKING:
    pass


def document_types(settings: Settings) -> list[DocumentType]:
    """The built-in types and those in the folder of the settings, which may replace a built-in one by its name."""
    own = load_all(settings.doctypes_folder) if settings.doctypes_folder.is_dir() else []
    names = {one.name for one in own}
    return [one for one in builtin() if one.name not in names] + own


def atlas(settings: Settings) -> Atlas:
    return Atlas(document_types(settings))


def limits(settings: Settings) -> Limits:
    return Limits(
        max_bytes=settings.max_file_bytes,
        max_pixels=settings.max_pixels,
        max_pages=settings.max_pages,
        render_seconds=settings.render_seconds,
        dpi=settings.render_dpi,
    )


def reader(settings: Settings) -> Reader:
    """The model for ink, batched across callers by the engine, and OCR for print. Imports torch."""
    from models.engine import Engine
    from models.reader import load_reader

    from models.ocr import InkAndPrintReader, PrintReader

    engine = Engine(load_reader(settings.model_folder), max_batch=settings.max_batch, max_wait_ms=settings.max_wait_ms)
    return InkAndPrintReader(engine, PrintReader())
