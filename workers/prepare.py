"""Preparing a scan: pages are rendered one at a time, judged, matched and cut; what is needed later is stored.

Nothing here knows the model. Memory holds one page. What is stored under `scans/<scan>/<token>/` counts once the
manifest is committed under that token; the leavings of a lost worker are never looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace

from pipeline.evidence import derived
from pipeline.harvest import harvest
from pipeline.instances import group
from pipeline.locate import Atlas, Location
from pipeline.pages import Page, render
from pipeline.quality import Quality, assess
from pipeline.reading import Evidence
from records.objects import original
from records.words import Lease
from workers import observe
from workers.heartbeat import Work
from workers.manifest import EvidenceEntry, Manifest, PageEntry
from workers.pictures import EvidenceWriter, jpeg
from workers.station import Station
from workers.stopwatch import Stopwatch


def prepare(station: Station, lease: Lease, work: Work) -> Manifest:
    """Takes a document apart. Raises `pipeline.pages.BadFile`, and whatever a service that is away raises."""
    folder = f"scans/{lease.scan_id}/{lease.token}"
    atlas, version = station.types.atlas()
    with original(station.store, lease.document_id) as path, closing(EvidenceWriter()) as archive:
        sheets = _Sheets(station, folder, archive)
        with sheets.watch.timed("render"):
            pages = iter(render(path, station.config.limits))
        while (page := sheets.next(pages)) is not None:
            sheets.add(page, atlas)
            observe.PAGES.labels("none" if sheets.entries[-1].blank else "some").inc()
            work.advanced()
        entries, evidences = sheets.grouped()
        key = f"{folder}/evidence.zip" if archive.count else None
        if key is not None:
            with sheets.watch.timed("store"):
                archive.store(station.store, key)
    return Manifest(folder, key, version, tuple(entries), tuple(evidences), dict(sheets.watch.seconds))


@dataclass
class _Sheets:
    """The pages of one file as they pass."""

    station: Station
    folder: str
    archive: EvidenceWriter
    watch: Stopwatch = field(default_factory=Stopwatch)
    locations: list[Location] = field(default_factory=list)
    entries: list[PageEntry] = field(default_factory=list)
    evidences: dict[tuple[int, str | None, int | None], list[EvidenceEntry]] = field(default_factory=dict)

    def next(self, pages: Iterator[Page]) -> Page | None:
        with self.watch.timed("render"):
            return next(pages, None)

    def add(self, page: Page, atlas: Atlas) -> None:
        """Judges, matches and cuts a page, and stores its picture."""
        with self.watch.timed("quality"):
            quality = assess(page)
        with self.watch.timed("locate"):
            location = atlas.locate(page)
        with self.watch.timed("cut"):
            # Which of two editions with the same print it is, the other pages tell later: both are cut.
            found = {
                _key(each): harvest(page, each) for each in (location, *location.twins) if each.doctype is not None
            }
            picture = derived(page, location)
        with self.watch.timed("encode"):
            for place, evidences in found.items():
                self.evidences[place] = [self._entry(one) for one in evidences]
            body = jpeg(picture)
        with self.watch.timed("store"):
            key = f"{self.folder}/page-{page.number}.jpg"
            self.station.store.put(key, body)
        self.entries.append(self._page(page, key, quality))
        self.locations.append(_slim(location))

    def grouped(self) -> tuple[list[PageEntry], list[EvidenceEntry]]:
        """Pages with the form they belong to, and the evidence of those forms."""
        pages, evidences = [], []
        by_number = {one.number: one for one in self.entries}
        for instance, form in enumerate(group(self.locations)):
            for location in form.locations:
                entry = replace(
                    by_number[location.page],
                    doctype=location.doctype.key if location.doctype else None,
                    form_page=location.form_page,
                    sure=location.sure,
                    why=location.why,
                    instance=instance,
                )
                pages.append(entry)
                evidences += self.evidences.get(_key(location), [])
        return pages, evidences

    def _page(self, page: Page, key: str, quality: Quality) -> PageEntry:
        height, width = page.image.shape[:2]
        return PageEntry(
            page.number, key, width, height, None, None, False, "", 0, tuple(quality.faults), blank=quality.blank
        )

    def _entry(self, evidence: Evidence) -> EvidenceEntry:
        name, box = f"{self.archive.count:05d}.png", evidence.box
        return EvidenceEntry(
            field=evidence.field,
            kind=evidence.kind.value,
            page=evidence.page,
            box=(box.x0, box.y0, box.x1, box.y1),
            image=self.archive.add(name, evidence.image),
            ordinal=evidence.ordinal,
            residual=evidence.residual,
            cells=evidence.cells,
            faults=evidence.faults,
            untouched=evidence.untouched,
        )


def _key(location: Location) -> tuple[int, str | None, int | None]:
    return location.page, location.doctype.key if location.doctype else None, location.form_page


def _slim(location: Location) -> Location:
    """A location without its pictures: a file may have five hundred pages."""
    twins = tuple(replace(twin, fit=None) for twin in location.twins)
    return replace(location, fit=None, twins=twins)
