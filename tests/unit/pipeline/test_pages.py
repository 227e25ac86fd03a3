"""Every format becomes the same page; every kind of bad file is named."""

from __future__ import annotations

import io
import struct
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, TiffImagePlugin
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from pipeline.formats import sniff
from pipeline.pages import BadFile, Limits, Page, render

LIMITS = Limits()
SMALL = Limits(dpi=50)


def sheet(width: int = 413, height: int = 585, mode: str = "L") -> Image.Image:
    """A white page with a black bar across its top fifth."""
    image = Image.new("L", (width, height), 255)
    ImageDraw.Draw(image).rectangle((width // 10, height // 20, width * 9 // 10, height // 5), fill=0)
    return image.convert(mode)


def is_sheet(page: Page) -> bool:
    height, width = page.image.shape
    return bool(page.image[height // 10, width // 2] < 60 and page.image[height // 2, width // 2] > 200)


def pdf(path: Path, pages: int = 1, encrypt: StandardEncryption | None = None) -> Path:
    canvas = Canvas(str(path), pagesize=A4, encrypt=encrypt, pageCompression=0)
    for number in range(pages):
        canvas.rect(60, 690, 480, 110, fill=1)
        canvas.drawString(100, 300, f"page {number + 1}")
        canvas.showPage()
    canvas.save()
    return path


def reason(path: Path, limits: Limits = LIMITS) -> str:
    with pytest.raises(BadFile) as caught:
        list(render(path, limits))
    assert str(caught.value).endswith(".") and path.name not in str(caught.value)
    return caught.value.reason


@pytest.mark.parametrize("suffix", ["png", "jpeg", "webp", "tiff"])
def test_pictures_come_out_alike_whatever_their_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "scan.pdf"
    sheet(1654, 2339).save(path, format=suffix, **({} if suffix == "webp" else {"dpi": (200, 200)}))
    (page,) = render(path, LIMITS)
    assert page.number == 1 and page.image.shape == (2339, 1654) and page.colour is None
    assert page.dpi == pytest.approx(200, abs=1) and is_sheet(page)


def test_pdf_pages_are_drawn_at_the_limit(tmp_path: Path) -> None:
    pages = list(render(pdf(tmp_path / "form", pages=3), SMALL))
    assert [page.number for page in pages] == [1, 2, 3]
    assert pages[0].image.shape == (585, 414) and all(is_sheet(page) for page in pages)


def test_pdf_of_a_scan_is_not_drawn_finer_than_it_was_scanned(tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    sheet(827, 1169).save(path, resolution=100)
    (page,) = render(path, LIMITS)
    assert page.dpi == pytest.approx(100, abs=1) and abs(page.image.shape[0] - 1169) <= 2 and is_sheet(page)


def test_finer_scans_are_brought_down_to_the_limit(tmp_path: Path) -> None:
    sheet(2480, 3508).save(tmp_path / "a.png", dpi=(300, 300))
    (page,) = render(tmp_path / "a.png", LIMITS)
    assert page.image.shape == (2339, 1653) and page.dpi == 200


def test_a_resolution_nobody_set_is_taken_for_a4(tmp_path: Path) -> None:
    sheet(1240, 1754).save(tmp_path / "a.png", dpi=(96, 96))
    (page,) = render(tmp_path / "a.png", LIMITS)
    assert page.dpi == pytest.approx(150, abs=1) and page.image.shape == (1754, 1240)


def test_fax_pixels_are_made_square(tmp_path: Path) -> None:
    sheet(1728, 1145, "1").save(tmp_path / "fax.tif", compression="group4", dpi=(204, 98))
    (page,) = render(tmp_path / "fax.tif", LIMITS)
    height, width = page.image.shape
    assert height / width == pytest.approx((1145 / 98) / (1728 / 204), rel=0.01) and is_sheet(page)


def test_every_page_of_a_tiff_but_not_its_previews(tmp_path: Path) -> None:
    preview = sheet(40, 60)
    with TiffImagePlugin.AppendingTiffWriter(str(tmp_path / "a.tif"), new=True) as out:
        for image, info in ((sheet(), {}), (preview, {254: 1}), (sheet(), {})):
            image.save(out, format="TIFF", tiffinfo=info, dpi=(50, 50))
            out.newFrame()
    pages = list(render(tmp_path / "a.tif", SMALL))
    assert [page.number for page in pages] == [1, 2] and all(page.image.shape == (585, 413) for page in pages)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpeg", "png", "webp", "tiff"])
def test_orientation_is_obeyed(tmp_path: Path, orientation: int, suffix: str) -> None:
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = sheet().transpose(turns[orientation]) if orientation > 1 else sheet()
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a", format=suffix, exif=exif)
    (page,) = render(tmp_path / "a", SMALL)
    assert page.image.shape == (585, 413) and is_sheet(page)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16"])
def test_modes_become_grey_on_white(tmp_path: Path, mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.asarray(sheet(), np.uint16) * 257)
    elif mode == "PA":
        image = sheet(mode="P")
        image.info["transparency"] = 255
    else:
        image = sheet(mode=mode)
    if mode in ("LA", "RGBA"):
        # What is transparent is paper, whatever colour hides beneath it.
        alpha = np.where(np.asarray(sheet()) > 128, 0, 255).astype(np.uint8)
        image = Image.new("RGBA", image.size, "black").convert(mode)
        image.putalpha(Image.fromarray(alpha))
    image.save(tmp_path / "a", format="PNG")
    (page,) = render(tmp_path / "a", SMALL)
    assert page.image.dtype == np.uint8 and is_sheet(page)


@pytest.mark.parametrize(("mode", "suffix"), [("CMYK", "jpeg"), ("CMYK", "tiff"), ("F", "tiff"), ("LAB", "tiff")])
def test_printers_modes(tmp_path: Path, mode: str, suffix: str) -> None:
    image = Image.merge("LAB", (sheet(), *(Image.new("L", sheet().size, 128),) * 2)) if mode == "LAB" else sheet()
    (image if mode == "LAB" else image.convert(mode)).save(tmp_path / "a", format=suffix)
    (page,) = render(tmp_path / "a", SMALL)
    assert is_sheet(page)


def test_colour_is_kept_for_the_reviewer(tmp_path: Path) -> None:
    image = sheet(mode="RGB")
    ImageDraw.Draw(image).rectangle((100, 300, 200, 400), fill=(0, 0, 255))
    image.save(tmp_path / "a.png")
    (page,) = render(tmp_path / "a.png", SMALL)
    assert page.colour is not None and tuple(page.colour[350, 150]) == (0, 0, 255)


def test_tags_nobody_knows_are_silent(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for compression in ("raw", "group4"):
        sheet(mode="1").save(tmp_path / "a.tif", compression=compression, tiffinfo={65000: "scanner", 34022: 7})
        assert is_sheet(*render(tmp_path / "a.tif", SMALL))
    assert capfd.readouterr() == ("", "")


def test_filled_pdf_forms_show_what_was_filled(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4)
    canvas.acroForm.textfield(name="name", value="MMMMMMMM", x=100, y=400, width=300, height=60, fontSize=40)
    canvas.showPage()
    canvas.save()
    (page,) = render(tmp_path / "a.pdf", SMALL)
    assert page.image[268:300, 80:200].min() < 100


def test_names_of_any_bytes(tmp_path: Path) -> None:
    path = tmp_path / b"a\n\xff.pdf".decode(errors="surrogateescape")
    path.write_bytes(pdf(tmp_path / "form").read_bytes())
    assert is_sheet(*render(path, SMALL))


def test_pages_are_streamed(tmp_path: Path) -> None:
    pages = render(pdf(tmp_path / "long.pdf", pages=300), SMALL)
    started = time.monotonic()
    assert next(pages).number == 1
    assert time.monotonic() - started < 1.0
    pages.close()  # type: ignore[attr-defined]


# Bad input


def test_empty_and_unknown(tmp_path: Path) -> None:
    (tmp_path / "nothing").write_bytes(b"")
    (tmp_path / "letter.pdf").write_bytes(b"Dear Sir, enclosed please find")
    assert reason(tmp_path / "nothing") == "empty"
    assert reason(tmp_path / "letter.pdf") == "unknown_format"


def test_too_large_is_judged_before_reading(tmp_path: Path) -> None:
    with (tmp_path / "a.pdf").open("wb") as file:
        file.write(b"%PDF-1.4")
        file.truncate(2**30)
    assert reason(tmp_path / "a.pdf") == "too_large"


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("suffix", ["jpeg", "png", "webp", "pdf"])
def test_truncated(tmp_path: Path, suffix: str, share: float) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (300, 300), dtype=np.uint8))
    noise.save(tmp_path / "whole", format=suffix)
    whole = (tmp_path / "whole").read_bytes()
    (tmp_path / "cut").write_bytes(whole[: max(16, int(len(whole) * share))])
    assert reason(tmp_path / "cut") in ("truncated", "corrupt")


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "group4"])
def test_truncated_tiff(tmp_path: Path, compression: str, capfd: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(1)
    pages = [Image.fromarray(rng.integers(0, 255, (300, 300), dtype=np.uint8)).convert("1") for _ in range(3)]
    pages[0].save(tmp_path / "whole", "TIFF", save_all=True, append_images=pages[1:], compression=compression)
    whole = (tmp_path / "whole").read_bytes()
    for share in (0.02, 0.3, 0.5, 0.8, 0.95):
        (tmp_path / "cut").write_bytes(whole[: int(len(whole) * share)])
        assert reason(tmp_path / "cut", SMALL) in ("truncated", "corrupt")


def test_encrypted(tmp_path: Path) -> None:
    locked = pdf(tmp_path / "a.pdf", encrypt=StandardEncryption("secret", ownerPassword="owner"))
    assert reason(locked) == "encrypted"
    only_owner = pdf(tmp_path / "b.pdf", encrypt=StandardEncryption("", ownerPassword="owner"))
    assert is_sheet(*render(only_owner, SMALL))


def test_no_pages(tmp_path: Path) -> None:
    document = pypdfium2.PdfDocument.new()
    document.save(tmp_path / "a.pdf")
    assert reason(tmp_path / "a.pdf") == "no_pages"


def test_too_many_pages(tmp_path: Path) -> None:
    assert reason(pdf(tmp_path / "a.pdf", pages=4), Limits(max_pages=3)) == "too_many_pages"
    sheet().save(tmp_path / "a.tif", save_all=True, append_images=[sheet()] * 3)
    assert reason(tmp_path / "a.tif", Limits(max_pages=3)) == "too_many_pages"


def bomb(side: int) -> bytes:
    """A PNG of a few kilobytes that declares `side` × `side` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    body = zlib.compress(bytes(2**20), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_decompression_bombs(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(bomb(60_000))
    assert reason(tmp_path / "a.png") == "too_many_pixels"
    sheet(2000, 2000, "1").save(tmp_path / "a.tif", compression="group4")
    assert reason(tmp_path / "a.tif", Limits(max_pixels=1_000_000)) == "too_many_pixels"
    sheet(2000, 2000).save(tmp_path / "a.pdf", resolution=100)
    assert reason(tmp_path / "a.pdf", Limits(max_pixels=1_000_000)) == "too_many_pixels"


def test_a_page_larger_than_any_paper(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=(200_000, 200_000))
    canvas.drawString(10, 10, "x")
    canvas.save()
    assert reason(tmp_path / "a.pdf") == "too_many_pixels"


def test_pixels_bound_the_resolution(tmp_path: Path) -> None:
    (page,) = render(pdf(tmp_path / "a.pdf"), Limits(max_pixels=500_000))
    assert page.image.size <= 510_000 and page.dpi < 80 and is_sheet(page)


def test_slow_files_run_out_of_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(0, 10_000, 20))
    monkeypatch.setattr("pipeline.pages.time.monotonic", lambda: float(next(ticks)))
    pages = render(pdf(tmp_path / "a.pdf", pages=10), Limits(dpi=50, render_seconds=60))
    with pytest.raises(BadFile) as caught:
        for page in pages:
            last = page.number
    assert caught.value.reason == "timeout" and last == 3


def test_animated_pictures_are_no_scans(tmp_path: Path) -> None:
    # Pillow merges equal frames into one, so they must differ.
    sheet().save(tmp_path / "a.webp", save_all=True, append_images=[Image.new("L", (413, 585), 40)])
    assert reason(tmp_path / "a.webp") == "unknown_format"


def test_a_directory_is_the_callers_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        list(render(tmp_path, LIMITS))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["png", "jpeg", "tiff", "pdf", "webp"]), st.data())
def test_damaged_bytes_raise_nothing_but_bad_file(suffix: str, data: st.DataObject) -> None:
    out = io.BytesIO()
    sheet(60, 85).save(out, format=suffix)
    damaged = bytearray(out.getvalue())
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with tempfile.NamedTemporaryFile() as file:
        file.write(damaged)
        file.flush()
        try:
            for page in render(Path(file.name), Limits(dpi=50, max_pixels=4_000_000)):
                assert page.image.ndim == 2 and page.image.size
        except BadFile as error:
            assert error.reason and str(error)


@pytest.mark.parametrize(
    ("head", "kind"), [(b"%PDF-1.7", "pdf"), (b"\r\n%PDF-1.4", "pdf"), (b"II*\0", "tiff"), (b"", None)]
)
def test_sniff(head: bytes, kind: str | None) -> None:
    assert sniff(head) == kind


@pytest.mark.parametrize(
    ("size", "dpi"),
    [
        ((1654, 2339), 200),
        ((2550, 3300), 300),
        ((1240, 1754), 150),
        ((2480, 1754), 300),
        ((2372, 1093), 300),
        ((1000, 1100), 94.1),
    ],
    ids=["A4", "letter", "A4 coarse", "A5", "cheque", "no usual sheet"],
)
def test_without_a_resolution_a_picture_is_a_usual_sheet(tmp_path: Path, size: tuple[int, int], dpi: float) -> None:
    path = tmp_path / "page.png"
    Image.new("L", size, 255).save(path)
    (page,) = render(path, Limits(dpi=300))
    assert page.dpi == pytest.approx(dpi, rel=0.01)
