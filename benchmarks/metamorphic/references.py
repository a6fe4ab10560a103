"""Rewrites: references to series and images, as dictation software and radiologists write them into sentences."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from benchmarks.quality.captions.kinds import NOUN_PHRASE
from benchmarks.quality.captions.statements import NEGATION

from .rewriting import Rewrite, edit_sentences

# "{s}" is the number of the series, "{i}" that of the image, "{j}" one a little further.
FORMS = {
    "colon": "({s}:{i})",
    "long": "(series {s}, image {i})",
    "square": "[se {s}; im {i}]",
    "short": "(S{s}: {i})",
    "reversed": "(image {i}; series {s})",
    "range": "(se {s}, im {i}-{j})",
}
# Further ones, of which each sentence gets one by chance.
MORE_FORMS = (
    "(Se {s}/Im {i})", "(image {i})", "(axial image {i})", "(series #{s}, image #{i})", "(images {i}-{j})",
    "(Series {s} Image {i})", "({s}/{i})", "(im. {i})", "(series {s}, images {i} and {j})", "[{s}:{i}]",
    "(coronal series {s}, image {i})", "(IMG {i}, SE {s})", "({s}:{i}, {s}:{j})", "[Series {s}; Image {i}/{j}]",
    "(series {s} image {i})", "(see series {s}, image {i})",
)  # fmt: skip
_BEHIND_NOUN = re.compile(r" (?:in|at|of|within|is|are|was|were|measuring)\b")


def reference(form: str, rng: Random) -> str:
    """Return a reference in one form, with numbers by chance."""
    image = rng.randint(2, 280)
    return form.format(s=rng.randint(2, 9), i=image, j=image + rng.randint(1, 9))


def _before_stop(forms: tuple[str, ...]) -> Callable[[str, Random], str | None]:
    def edit(text: str, rng: Random) -> str | None:
        return edit_sentences(text, lambda sentence: f"{sentence[:-1]} {reference(rng.choice(forms), rng)}.")

    return edit


def _behind_stop(text: str, rng: Random) -> str | None:
    return edit_sentences(text, lambda sentence: f"{sentence} {reference(FORMS['long'], rng).capitalize()}")


def _opening(text: str, rng: Random) -> str | None:
    return edit_sentences(text, lambda sentence: f"{reference(rng.choice(list(FORMS.values())), rng)} {sentence}")


def _behind_finding(text: str, rng: Random) -> str | None:
    forms = (*FORMS.values(), *MORE_FORMS)

    def edit(sentence: str) -> str | None:
        noun = NOUN_PHRASE.search(sentence)
        if noun is None or NEGATION.search(sentence) or not _BEHIND_NOUN.match(sentence, noun.end()):
            return None
        return f"{sentence[: noun.end()]} {reference(rng.choice(forms), rng)}{sentence[noun.end() :]}"

    return edit_sentences(text, edit)


REWRITES = (
    *(
        Rewrite(f"reference_{name}", f"{form.format(s=3, i=44, j=48)} before each full stop", "references",
                _before_stop((form,)))
        for name, form in FORMS.items()
    ),
    Rewrite("reference_other", "references in 16 further forms before each full stop", "references",
            _before_stop(MORE_FORMS)),
    Rewrite("reference_behind_stop", "(Series 3, image 44) behind each full stop", "references", _behind_stop),
    Rewrite("reference_opening", "a reference before each sentence", "references", _opening),
    Rewrite("reference_behind_finding", "a reference right behind the finding", "references", _behind_finding),
)  # fmt: skip
