"""What preparing hands to judging comes back as it was."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pipeline.pages import Limits
from workers.config import WorkerConfig
from workers.manifest import EvidenceEntry, Manifest, PageEntry

text = st.text(max_size=20)
number = st.integers(1, 10**6)
share = st.floats(0, 1)
pages = st.builds(
    PageEntry,
    number=number,
    key=text,
    width=number,
    height=number,
    doctype=st.none() | text,
    form_page=st.none() | number,
    sure=st.booleans(),
    why=text,
    instance=number,
    faults=st.lists(text, max_size=3).map(tuple),
)
evidences = st.builds(
    EvidenceEntry,
    field=text,
    kind=text,
    page=number,
    box=st.tuples(share, share, share, share),
    image=text,
    ordinal=number,
    residual=st.none() | share,
    cells=st.none() | number,
    faults=st.lists(text, max_size=3).map(tuple),
    untouched=st.booleans(),
)
manifests = st.builds(
    Manifest,
    folder=text,
    archive=st.none() | text,
    doctypes=text,
    pages=st.lists(pages, max_size=3).map(tuple),
    evidences=st.lists(evidences, max_size=3).map(tuple),
    timings=st.dictionaries(text, share, max_size=3),
)


@given(manifests)
def test_a_manifest_survives_the_database(manifest: Manifest) -> None:
    assert Manifest.from_json(json.loads(json.dumps(manifest.to_json()))) == manifest


def test_a_configuration_survives_the_way_to_a_process_of_its_own_but_for_the_key() -> None:
    config = WorkerConfig(
        "postgresql://db",
        "redis://r",
        "/objects",
        "a.b:c",
        limits=Limits(max_pages=7),
        clear={"date.stale": 0.9},
        audit_key=b"k" * 32,
    )
    there = WorkerConfig.from_json(config.to_json())
    assert there.limits.max_pages == 7 and there.clear == {"date.stale": 0.9}
    assert there.audit_key is None
    assert "kkkk" not in config.to_json() + repr(config)
