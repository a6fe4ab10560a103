"""Kinds of captions: what one is, where they are collected, and the word lists and edits that several of them share.

A kind takes a statement and gives (organ, caption), or None where it does not apply or where its label would not
surely be true.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random

from benchmarks.quality.captions.statements import Document, Statement, organs_in

FAITHFUL: dict[str, Kind] = {}
"""What a verifier should keep."""
HALLUCINATED: dict[str, Kind] = {}
"""What it should refuse."""


def faithful(kind: Kind) -> Kind:
    FAITHFUL[kind.__name__] = kind
    return kind


def hallucinated(kind: Kind) -> Kind:
    HALLUCINATED[kind.__name__] = kind
    return kind


Claim = tuple[str, str]

Kind = Callable[[Random, Document, Statement], "Claim | None"]

BE = r"(?:is|are|was|were)"

SEEN = r"(?:seen|observed|noted|detected|identified|present|demonstrated|visuali[sz]ed|appreciated|found|evident)"

FINDING = (
    r"(?:nodules?|mass(?:es)?|consolidations?|effusions?|cysts?|calcul(?:us|i)|stones?|fractures?|calcifications?|atelectas[ie]s|"
    r"emphysema|bronchiectas[ie]s|hernias?|aneurysms?|thromb(?:us|osis)|h(?:a)?emorrhage|h(?:a)?ematomas?|(?:o)?edema|abscess(?:es)?|"
    r"thickenings?|opacit(?:y|ies)|infiltrat(?:ion|ions|e|es)|lymphadenopathy|pneumothorax|ascites|stenosis|osteophytes?|plaques?|"
    r"lesions?|densit(?:y|ies)|dilatation|diverticul(?:a|osis|itis)|steatosis|infarct(?:ion)?s?|hydronephrosis|swelling)"
)

ADJECTIVE = (
    r"(?:(?:pleural|pericardial|hiatal|renal|hepatic|cortical|pulmonary|simple|calcified|calcific|atheroma|"
    r"hypodense|linear|subpleural|nonspecific|ground[- ]glass|centrilobular|paraseptal|mucosal|wall|lymph|cystic|solid|"
    r"free|soft tissue|bronchial|parenchymal|millimetric|\d+(?:\.\d+)?(?: ?[x×] ?\d+(?:\.\d+)?)? ?(?:mm|cm)) )*"
)

NOUN_PHRASE = re.compile(rf"\b{ADJECTIVE}{FINDING}\b", re.IGNORECASE)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def bare(text: str) -> str:
    return re.sub(r"^(?:There (?:is|are|was|were) )?(?:(?:an?|the|some) )?", "", text.strip(), flags=re.IGNORECASE)


def flip(text: str, match: re.Match[str], new: str) -> str:
    return text[: match.start()] + (capital(new) if match.group()[0].isupper() else new) + text[match.end() :]


def organ_of(caption: str, fallback: Statement) -> str:
    return (organs_in(caption) or fallback.organs)[0]


def swapped(rng: Random, doc: Document, st: Statement, table: Mapping[str, str]) -> Claim | None:
    """One word of a table turned into its opposite."""
    words = "|".join(sorted(table, key=len, reverse=True))
    found = list(re.finditer(rf"(?<![\w-])(?:{words})(?![\w-])(?! bowel)", st.text, re.IGNORECASE))
    if not found:
        return None
    match = rng.choice(found)
    new = table[match.group().lower()]
    told = new[:5] in st.text.lower().replace(match.group().lower(), "")
    return None if told or doc.echoes(st.text, new) else (st.organs[0], flip(st.text, match, new))


def inserted(rng: Random, doc: Document, st: Statement, words: Mapping[str, str]) -> Claim | None:
    """A word set before the finding of a plainly positive statement, in a report that nowhere says the like.

    `words` gives for each word the beginnings of all words that say nearly the same.
    """
    match = NOUN_PHRASE.search(st.text)
    if not match or not st.positive:
        return None
    options = [word for word, like in words.items() if not re.search(rf"\b(?:{like}|{word[:5]})", doc.flat)]
    if not options:
        return None
    word = rng.choice(options)
    article = "an " if word[0] in "aeiou" else "a "
    before = re.sub(r"\ban? $", article, st.text[: match.start()])
    before = re.sub(r"\bAn? $", article.capitalize(), before)
    noun = match.group()
    noun = noun if before else noun[:1].lower() + noun[1:]
    return st.organs[0], f"{before}{word if before else capital(word)} {noun}{st.text[match.end() :]}"
