"""Find the titles of a report's text: the lines and headings that name the examination, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from curation.report import Section
from prompts.vocabulary import load_vocabulary

from .modalities import ASIDE, MODALITY, SENTENCE, WORD, modalities_in
from .words import BODY_WORDS, MANNER_WORDS

# Characters and lines from the beginning of a text in which its title stands.
HEAD = 2_000
TITLE_LINES = 4
LONGEST_TITLE = 160
LABEL = re.compile(
    r"(?:^|[.;]\s+|[\r\n])[\W\d_]{0,8}(?:name of (?:the )?|type of (?:the )?|title of (?:the )?|imaging |radiology |"
    r"requested |performed )?"
    r"(?:exam(?:ination)?|study|procedure|test|modality|title|untersuchung|investigation|scan|protocol)s?"
    r"(?: (?:name|type|description|title|performed|requested|ordered|protocol))?[*_ \t]*:[*_]*[ \t]*(?:\r?\n[ \t]*)?"
    r"(?P<value>[^\r\n]{1,300})",
    re.IGNORECASE,
)
# Where the value behind a label ends: at the next label, a sentence's end, or the report's first section.
VALUE_END = re.compile(
    r"\.(?:\s|$)|;|\s(?:[A-Z][A-Za-z]*(?:[ /][A-Za-z]+){0,3}):|\s(?:FINDINGS|IMPRESSION|TECHNIQUE|HISTORY|INDICATION)\b"
)
# Where a title ends that others follow on its line.
PHRASE_END = re.compile(r":|\.(?:\s|$)")
MARKUP = re.compile(r"<[^<>]{1,60}>|[*_#`|]+")
ACQUIRED = re.compile(
    r"\b(?:performed|obtained|acquired|images?|scan(?:s|ned|ning)?|sequences?|acquisitions?|views?|protocol)\b", re.I
)
OTHER = re.compile(
    r"\b(?:compar\w*|prior|previous\w*|correlat\w*|recommend\w*|suggest\w*|outside|scout|topogram)\b", re.I
)


def titles(text: str, sections: Sequence[Section]) -> Iterator[str]:
    """Yield the phrases that name the examination, the surest first; each names a modality.

    These are what stands behind a label such as "EXAM:", then the first lines and the section of the title, where they
    hold nothing but the name of an examination, and last the first sentence of the technique.
    """
    head = text[:HEAD]
    for label in LABEL.finditer(head) if ":" in head else ():
        phrase = _name_of(VALUE_END.split(MARKUP.sub(" ", label["value"]), maxsplit=1)[0])
        if phrase and modalities_in(phrase):
            yield phrase
    exam = (text[section.start : section.end][:HEAD] for section in sections if section.name == "exam")
    for passage in (head, *exam):
        lines = [line for line in passage.splitlines() if line.strip()][:TITLE_LINES]
        yield from (phrase for line in lines if (phrase := _title(line)))
    for section in sections:
        if section.name == "technique" and (phrase := _technique(text[section.start : section.end][:HEAD])):
            yield phrase


def _name_of(phrase: str) -> str | None:
    """Return the name of an examination without what speaks of another one; None for a sentence."""
    name = ASIDE.sub("", phrase).strip(" .,;:-")
    return None if not name or SENTENCE.search(name) else name


def _title(line: str) -> str | None:
    """Return the name of an examination that a line is, or begins with, before a colon or full stop; else None."""
    phrase = MARKUP.sub(" ", PHRASE_END.split(line, maxsplit=1)[0]).strip()
    if not phrase or len(phrase) > LONGEST_TITLE or not modalities_in(phrase):
        return None
    name = ASIDE.sub("", phrase).strip(" .,;-")
    if not name or SENTENCE.search(name) or not modalities_in(name):
        return None
    words = [word.lower() for word in WORD.findall(MODALITY.sub(" ", name))]
    return name if all(word in MANNER_WORDS or word in BODY_WORDS or word in _organ_words() for word in words) else None


def _technique(text: str) -> str | None:
    """Return the first sentence of a technique that names the examination, or how images of one modality were taken."""
    if name := _title(text.strip().partition("\n")[0]):
        return name
    sentence = re.split(r"\.(?:\s|$)|[\r\n]{2}", text.strip(), maxsplit=1)[0]
    if OTHER.search(sentence) or not ACQUIRED.search(sentence) or len(modalities_in(sentence)) != 1:
        return None
    return " ".join(sentence.split())


@cache
def _organ_words() -> frozenset[str]:
    """Return the words of all names of organs."""
    organs = load_vocabulary().organs.values()
    return frozenset(
        word.lower()
        for organ in organs
        for name in (organ.name, *organ.nouns, *organ.adjectives)
        for word in WORD.findall(name)
    )
