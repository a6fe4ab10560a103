"""Writes proposals as files for ``--lexicon`` and ``--organs``, every one of them commented out: a person decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from curation.caption_set.unknown_words import UnknownWord
from curation.runtime.errors import InputError
from curation.runtime.files import write_text
from curation.runtime.provenance import ovct_version

from .trials import WordProposal, WordSuggestions

LONGEST_EXAMPLE = 110
FIRST_WORDS = "# Proposals"


def write_proposals(suggestions: WordSuggestions, out: Path, *, overwrite: bool = False) -> tuple[Path, ...]:
    """Write the proposed synonyms to ``out``, and names of organs to a file beside it; return what was written.

    Raises ``InputError`` where a file is there already.
    """
    words = [proposal for proposal in suggestions.proposals if proposal.kind == "synonyms"]
    organs = [proposal for proposal in suggestions.proposals if proposal.kind == "organs"]
    texts = {out: _text(suggestions, words, "synonyms")} if words or suggestions.not_understood else {}
    if organs:
        texts[_organs_file(out)] = _text(suggestions, organs, "organs")
    check_free(out, overwrite=overwrite)
    for path, text in texts.items():
        write_text(path, text)
    return tuple(texts)


def check_free(out: Path, *, overwrite: bool = False) -> None:
    """Raise ``InputError`` where the files cannot be written, or are there already: they may have been edited."""
    if not out.absolute().parent.is_dir():
        raise InputError(f"{out.parent}: no such folder")
    for path in (out, _organs_file(out)):
        if path.is_dir():
            raise InputError(f"{path} is a folder; name a file")
        if path.exists() and overwrite and not path.read_bytes().startswith(FIRST_WORDS.encode()):
            raise InputError(f"{path} is there already and holds no proposals of ours: name another with --out")
        if path.exists() and not overwrite:
            raise InputError(
                f"{path} is there already, and may have been edited: name another with --out, or --overwrite"
            )


def _organs_file(out: Path) -> Path:
    """Return the file beside ``out`` for names of organs."""
    return out.with_name(f"{out.stem}_organs{out.suffix}")


def _text(suggestions: WordSuggestions, proposals: Sequence[WordProposal], kind: str) -> str:
    option = "--lexicon" if kind == "synonyms" else "--organs"
    folder = _shortened(suggestions.folder)
    lines = [
        f"{FIRST_WORDS} for {option}, from {suggestions.refused:,} refused captions of {folder} "
        f"(ovct {ovct_version()}).",
        "#",
        "# Each pair was found in a report and a refused caption that are alike but for it. Whether both mean the same",
        "# is yours to say: take the # away from the lines that are right in every report, and delete the others. A",
        "# line without # is believed: captions that it makes true are accepted from then on.",
        "#",
        f"# Then `ovct lexicon check {'' if kind == 'synonyms' else '--organs '}FILE` shows what it adds. Use it with",
        f"# `ovct curate … {option} FILE`; for a set by a language model",
        f"# `ovct verify --replay {folder} {option} FILE`.",
        "",
        *(["synonyms:"] if kind == "synonyms" and proposals else []),
    ]
    for proposal in proposals:
        lines += _lines(proposal, "  " if kind == "synonyms" else "")
    if kind == "synonyms":
        lines += _unknown_lines(suggestions.not_understood)
    return "\n".join(lines) + "\n"


def _lines(proposal: WordProposal, indent: str) -> Iterator[str]:
    """Yield a proposal with what it saves and its examples, as comments."""
    counts = f"{proposal.saved:,} of {proposal.refused:,} refused captions, in {proposal.reports:,} reports"
    yield f"{indent}# accepts {counts}"
    for example in proposal.examples:
        yield f"{indent}#   report {_shortened(example.report_id)}: {_shortened(example.evidence)}"
        yield f"{indent}#   caption ({example.organ}): {_shortened(example.caption)}"
    first, second = proposal.phrases
    if proposal.kind == "synonyms":
        yield f"{indent}# - {_yaml([first, second])}"
    else:
        yield f"# {_yaml({first: {'terms': [second]}})[1:-1]}"
    yield ""


def _unknown_lines(words: Sequence[UnknownWord]) -> Iterator[str]:
    """Yield the words that were not understood, under both keys that they may belong to, commented out."""
    if not words:
        return
    yield "# Words on which the rules refused statements. Those that name a finding belong under `findings`, those that"
    yield "# call an organ normal under `normality`; others may be put beside a word of the same meaning (`synonyms`)."
    for key in ("findings", "normality"):
        yield f"{key}:"
        for word in words:
            if key == "findings":
                report = f"report {_shortened(word.report_id)}: {_shortened(word.example)}"
                yield f"  # {word.statements:,} statements; {report}"
            yield f"  # - {_yaml([word.word])[1:-1]}"
        yield ""


def _yaml(value: object) -> str:
    """Return a value as one line of YAML, with quotes where a word would be read as something else ("no", "on")."""
    return yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000).strip()


def _shortened(text: str) -> str:
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return plain if len(plain) <= LONGEST_EXAMPLE else f"{plain[: LONGEST_EXAMPLE - 1]}…"
