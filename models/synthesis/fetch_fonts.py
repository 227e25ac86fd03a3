"""Fetches handwriting and print fonts for training: `python -m models.synthesis.fetch_fonts [FOLDER]`.

Each is an npm package of Fontsource under an open licence, fetched with the `npm` client. Of each only the regular
Latin file is kept, as `fonts/hand/NAME.woff2` or `fonts/print/NAME.woff2`; `fonts/LICENCES.tsv` says what is there
under which licence. Fonts that are there already are not fetched again.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from models.synthesis.faces import FOLDER
from models.synthesis.people import listed

HAND = listed(
    "caveat kalam patrick-hand indie-flower shadows-into-light dancing-script homemade-apple"
    " nothing-you-could-do reenie-beanie rock-salt covered-by-your-grace gloria-hallelujah architects-daughter"
    " just-another-hand permanent-marker cedarville-cursive la-belle-aurore sue-ellen-francisco"
    " waiting-for-the-sunrise zeyada over-the-rainbow loved-by-the-king give-you-glory crafty-girls schoolbell"
    " coming-soon annie-use-your-telescope kristi swanky-and-moo-moo the-girl-next-door walter-turncoat"
    " short-stack gochi-hand neucha bad-script marck-script caveat-brush sedgwick-ave mansalva nanum-pen-script"
    " gaegu hi-melody dekko pangolin handlee delius sriracha itim mali amatic-sc rancho sacramento mr-dafoe"
    " mrs-saint-delafield herr-von-muellerhoff mr-de-haviland league-script dawning-of-a-new-day meddon"
    " aguafina-script qwigley allura alex-brush satisfy yellowtail damion cookie licorice fuzzy-bubbles"
    " grape-nuts edu-nsw-act-foundation edu-sa-beginner klee-one yomogi zen-kurenaido kolker-brush square-peg"
    " water-brush twinkle-star ruge-boogie estonia gwendolyn inspiration oooh-baby passions-conflict"
    " puppies-play the-nautigal whisper just-me-again-down-here bilbo arizonia mynerve playpen-sans"
    " gamja-flower poor-story east-sea-dokdo single-day cute-font unkempt life-savers ruthie stalemate vibur"
    " norican montez redressed sunshiney calligraffitti eagle-lake arima bilbo-swash-caps babylonica beth-ellen"
    " butterfly-kids charm charmonman caramel carattere chilanka clicker-script comic-relief corinthia"
    " comforter delius-swash-caps ephesis explora felipa festive fondamento grechen-fuemen great-vibes"
    " grand-hotel hachi-maru-pop hurricane imperial-script ingrid-darling jim-nightshade island-moments"
    " italianno kirang-haerang kavivanar liu-jian-mao-cao long-cang lovers-quarrel love-ya-like-a-sister"
    " love-light lugrasimo ma-shan-zheng luxurious-script meie-script meow-script merienda moon-dance"
    " mountains-of-christmas mr-bedfort ms-madi my-soul niconne nanum-brush-script parisienne"
    " petit-formal-script pinyon-script playball quintessential romanesco rouge-script seaweed-script"
    " sassy-frass sedgwick-ave-display sevillana shantell-sans sofia style-script tangerine tillana updock"
    " waterfall windsong yesteryear yuji-boku yuji-mai zhi-mang-xing"
)

#: Hands as they are taught in the schools of many countries.
TAUGHT = listed(
    "edu-au-vic-wa-nt-pre edu-au-vic-wa-nt-hand edu-nsw-act-cursive edu-qld-beginner edu-nsw-act-hand-pre"
    " edu-qld-hand edu-sa-hand edu-vic-wa-nt-beginner edu-tas-beginner edu-vic-wa-nt-hand playwrite-ar"
    " playwrite-at playwrite-au-qld playwrite-be-wal playwrite-au-vic playwrite-br playwrite-ca playwrite-cl"
    " playwrite-co playwrite-cu playwrite-cz playwrite-de-grund playwrite-de-sas playwrite-dk-loopet"
    " playwrite-dk-uloopet playwrite-es playwrite-fr-moderne playwrite-es-deco playwrite-fr-trad playwrite-hr"
    " playwrite-hr-lijeva playwrite-hu playwrite-ie playwrite-id playwrite-it-trad playwrite-in playwrite-is"
    " playwrite-it-moderna playwrite-mx playwrite-ng-modern playwrite-nl playwrite-no playwrite-nz playwrite-pe"
    " playwrite-pl playwrite-pt playwrite-ro playwrite-sk playwrite-tz playwrite-us-modern playwrite-us-trad"
    " playwrite-vn playwrite-za"
)
PRINT = listed(
    "roboto open-sans lato montserrat source-sans-3 noto-sans noto-serif merriweather pt-sans pt-serif inconsolata"
    " courier-prime cousine tinos arimo ibm-plex-mono ibm-plex-sans ubuntu roboto-mono roboto-slab libre-baskerville"
    " eb-garamond space-mono special-elite cutive-mono anonymous-pro share-tech-mono oswald barlow"
    " work-sans vt323"
)

#: Licences under which a font may be used to train a model that is given away: SIL Open Font, Apache, Ubuntu Font.
OPEN = ("OFL-1.1", "Apache-2.0", "UFL-1.0")

#: The generation of the packages, and how long one may take (seconds).
VERSION, PATIENCE = "5", 120

#: Packages fetched at a time.
AT_ONCE = 4


def fetch(kind: str, name: str, folder: Path) -> tuple[str, str]:
    """Fetches one font into `folder/kind`, returning its package's version and licence.

    Raises `ValueError` for a licence that is not open and a package without a regular Latin file, `RuntimeError` where
    npm fails, and `subprocess.TimeoutExpired`.
    """
    with tempfile.TemporaryDirectory() as work:
        command = ["npm", "pack", "--silent", "--pack-destination", work, f"@fontsource/{name}@{VERSION}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        packed = sorted(Path(work).glob("*.tgz"))
        if done.returncode or not packed:
            raise RuntimeError(
                f"npm could not fetch @fontsource/{name}: {done.stderr.strip()[-200:] or 'no reason given'}"
            )
        with tarfile.open(packed[0]) as archive:
            about = json.loads(_content(archive, "package/package.json"))
            licence = str(about.get("license"))
            if licence not in OPEN:
                raise ValueError(f"{name} is under {licence}, not one of {', '.join(OPEN)}; take it off the list")
            target = folder / kind / f"{name}.woff2"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_content(archive, _regular(archive.getnames(), name)))
    return str(about["version"]), licence


def _regular(members: list[str], name: str) -> str:
    """The file with Latin letters of ordinary weight, or else of the weight there is."""
    latin = [one for one in members if re.search(r"/files/.*(?<!ext)-latin-\d+-normal\.woff2$", one)]
    latin.sort(key=lambda one: ("-400-" not in one, one))
    if not latin:
        raise ValueError(f"the package of {name} has no Latin file; take it off the list")
    return latin[0]


def _content(archive: tarfile.TarFile, member: str) -> bytes:
    file = archive.extractfile(member)
    if file is None:
        raise ValueError(f"{member} is no file")
    return file.read()


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    if shutil.which("npm") is None:
        raise SystemExit("npm is not installed; fonts come as npm packages, so install Node.js and try again")
    every = [("hand", name) for name in (*HAND, *TAUGHT)] + [("print", name) for name in PRINT]
    wanted = [(kind, name) for kind, name in every if not (folder / kind / f"{name}.woff2").exists()]
    notes = folder / "LICENCES.tsv"
    notes.parent.mkdir(parents=True, exist_ok=True)
    missing = 0
    with ThreadPoolExecutor(AT_ONCE) as pool, notes.open("a", encoding="utf-8") as file:
        jobs = [(kind, name, pool.submit(fetch, kind, name, folder)) for kind, name in wanted]
        for kind, name, job in jobs:
            try:
                version, licence = job.result()
            except (ValueError, RuntimeError, OSError, subprocess.TimeoutExpired) as wrong:
                missing += 1
                print(f"{name}: {wrong}", file=sys.stderr)
                continue
            file.write(f"{kind}/{name}.woff2\t@fontsource/{name}@{version}\t{licence}\n")
    print(f"{len(every) - missing} of {len(every)} fonts are in {folder}")
    if missing:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
