"""What stands on letters, deeds and forms of no known layout, in English and French."""

from __future__ import annotations

import numpy as np

from models.synthesis import wording
from models.synthesis.people import CITIES, MEN, STREETS, SURNAMES, WOMEN, listed

WORDS = listed(
    "the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which"
    " company shares meeting agreement dear your letter please find enclosed regarding account transfer securities"
    " we would be pleased to receive further information concerning the matter referred above le la les des du une"
    " société associés gérant statuts capital social article présente décision assemblée générale pour dans par sur"
    " avec conformément dispositions toute actions représentants research analysis results smoking program committee"
    " report tobacco samples department director vice president project budget contract order delivery payment invoice"
    " bank depository participant nominee holder demat instruction registered office certificate hereby declare"
)
CLOSINGS = listed(
    "Sincerely, Yours sincerely, Yours faithfully, Very truly yours, Best regards, Respectfully, Cordially,"
    " Yours truly, Regards, For and on behalf of, Veuillez agréer, Fait à Paris, Pour la société, Thanking you,",
    sep=", ",
)
LABELS = listed(
    "Signature|Signature of the holder|Authorised signatory|Signed|Signé|Le Président|Le gérant|Witness|By:|Director|"
    "Approved by|Sign here|Signature du souscripteur|Date and signature|Name and signature|for the Company|"
    "Accepted:|Please sign above|Sign here please|Signature of the first holder|Authorised signatories",
    sep="|",
)
NOTES = listed(
    "Lu et approuvé|Bon pour acceptation|ok|see file|call back Monday|Please handle|copy to legal|urgent|paid|"
    "pls discuss|bon pour accord|received with thanks|noted|why?|needs a new date|send to Mr Jones|see p. 4|File|"
    "not correct - check|tel 22 40 18|thanks|je soussigné accepte|done|good idea, let us talk about it",
    sep="|",
)
TITLES = listed(
    "Director,Vice President,Manager,Company Secretary,Président,Gérant,Partner,Research Director,Chairman", sep=","
)


def words(rng: np.random.Generator, count: int) -> str:
    """So many words of letters and deeds, in no order."""
    return " ".join(WORDS[place] for place in rng.integers(0, len(WORDS), count))


def person(rng: np.random.Generator) -> str:
    """A name, or its initial and surname."""
    given = str(rng.choice(MEN + WOMEN))
    return f"{given if rng.random() < 0.6 else given[0] + '.'} {rng.choice(SURNAMES)}"


def address(rng: np.random.Generator) -> str:
    """A line of an address."""
    city = CITIES[int(rng.integers(len(CITIES)))]
    return (
        person(rng),
        f"{rng.integers(1, 400)}, {rng.choice(STREETS)}",
        f"{city[0]} {city[3]}{rng.integers(1, 999):03d}",
        f"Tel. {rng.integers(20, 99)} {rng.integers(10**6, 10**7)}",
    )[int(rng.integers(4))]


def value(rng: np.random.Generator) -> str:
    """What somebody writes into a field."""
    return (
        person(rng),
        wording.date(rng, 0),
        f"{rng.integers(1, 10**6)}",
        str(CITIES[int(rng.integers(len(CITIES)))][0]),
        words(rng, 2),
    )[int(rng.integers(5))]


def remark(rng: np.random.Generator) -> str:
    """What somebody notes in a margin."""
    return str(rng.choice(NOTES)) if rng.random() < 0.6 else words(rng, int(rng.integers(1, 6)))
