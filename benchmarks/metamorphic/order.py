"""Rewrites: the order of sentences that do not depend on each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

from benchmarks.quality.captions.statements import organs_in

from .lines import GOES_ON
from .rewriting import Rewrite, Sentence, is_plain, sentences

# A sentence with one of these leans on another one.
_LEANS = re.compile(
    r"\b(?:it|its|this|these|that|those|they|them|also|other|another|additional|same|described|above|mentioned|below|"
    r"respectively|former|latter|remaining|remainder|rest|otherwise|however|therefore|similar\w*|here|again|"
    r"the (?:lesions?|nodules?|mass(?:es)?|cysts?|stones?|effusions?|area|level|case|finding)|patient|"
    r"both sides|two sides|either side|opposite|contralateral|first|second|largest|one|ones|such|defined|follow\w*|"
    r"figure|images?|section|window|on the (?:left|right)|more prominent\w*)\b|[;:?\"“”]",
    re.IGNORECASE,
)


def is_independent(sentence: str) -> bool:
    """Return whether a sentence names an organ and leans on no other sentence."""
    return bool(
        is_plain(sentence) and organs_in(sentence) and not GOES_ON.match(sentence) and not _LEANS.search(sentence)
    )


def _runs(text: str) -> Iterator[list[Sentence]]:
    """Yield runs of independent sentences on one line; what follows a run is independent too, or on another line."""
    run: list[Sentence] = []
    for sentence in sentences(text):
        near = run and sentence.line == run[-1].line and text[run[-1].end : sentence.start] == " "
        if run and not near:
            yield run
            run = []
        if is_independent(text[sentence.start : sentence.end]):
            run.append(sentence)
        else:
            yield run[:-1]
            run = []
    yield run


def _without_same_organ(text: str, run: list[Sentence]) -> bool:
    organs = [name for start, end, _ in run for name in {*organs_in(text[start:end])}]
    return len(organs) == len(set(organs))


def _parts(text: str, run: list[Sentence]) -> Iterator[list[Sentence]]:
    """Yield the parts of a run in which each sentence names organs of its own."""
    part: list[Sentence] = []
    for sentence in run:
        if not _without_same_organ(text, [*part, sentence]):
            yield part
            part = []
        part.append(sentence)
    yield part


def _reordered(text: str, rng: Random) -> str | None:
    rewritten = text
    for part in [part for run in _runs(text) for part in _parts(text, run) if len(part) > 1]:
        bodies = [text[start:end] for start, end, _ in part]
        order = bodies[:]
        while order == bodies and len(set(bodies)) > 1:
            rng.shuffle(order)
        rewritten = rewritten[: part[0].start] + " ".join(order) + rewritten[part[-1].end :]
    return rewritten if rewritten != text else None


REWRITES = (
    Rewrite("order", "independent sentences of one paragraph in another order", "order", _reordered),
)  # fmt: skip
