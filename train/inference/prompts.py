"""The prompts: one by one or from a file, and the words that the model is asked instead."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from prompts.vocabulary import load_vocabulary
from train.data.structure_prompts import StructurePrompts

from .engines.anatomy_names import organs_named
from .engines.coordination import members_of
from .errors import SegmentError

if TYPE_CHECKING:
    from models.text import TextEncoder

# Labels are int16.
MOST_PROMPTS = 32767
# Endings of tables, which hold more than prompts.
TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".xlsx", ".parquet")


@dataclass(frozen=True)
class SegmentPrompt:
    """A free text that says what to segment, and the name of its mask."""

    name: str
    text: str


def checked_prompts(prompts: Iterable[str | SegmentPrompt] | Mapping[str, str]) -> tuple[SegmentPrompt, ...]:
    """Return prompts that were given as texts, as name -> text, or as `SegmentPrompt`s.

    White space becomes one blank, and a prompt that stands twice is kept once. Raises SegmentError for no prompt, an
    empty one, and a name that stands for two.
    """
    if isinstance(prompts, str):
        raise SegmentError(f"prompts are a list of texts; [{prompts!r}] is one prompt")
    pairs = [SegmentPrompt(*pair) for pair in prompts.items()] if isinstance(prompts, Mapping) else list(prompts)
    by_name: dict[str, SegmentPrompt] = {}
    for number, item in enumerate(pairs, 1):
        prompt = item if isinstance(item, SegmentPrompt) else SegmentPrompt(item, item)
        name, text = (" ".join(str(part).split()) for part in (prompt.name, prompt.text))
        if not name or not text:
            raise SegmentError(f"prompt {number} is empty: write what to look for, such as 'left kidney'")
        if by_name.setdefault(name, SegmentPrompt(name, text)).text != text:
            raise SegmentError(f"the name {name!r} stands for two prompts, {by_name[name].text!r} and {text!r}")
    if not 0 < len(by_name) <= MOST_PROMPTS:
        raise SegmentError(f"one prompt at least and {MOST_PROMPTS:,} at most, not {len(by_name):,}")
    return tuple(by_name.values())


def check_lengths(prompts: Sequence[SegmentPrompt], encoder: TextEncoder) -> None:
    """Raise SegmentError for a prompt that the text encoder would cut short."""
    for prompt in prompts:
        tokens = len(encoder.tokenizer(encoder.handling.apply(prompt.text), verbose=False)["input_ids"])
        if tokens > encoder.max_length:
            raise SegmentError(
                f"the prompt {prompt.text[:60]!r}… has {tokens} tokens, and this checkpoint's text encoder reads "
                f"{encoder.max_length}: write a shorter one"
            )


def read_prompts(path: Path) -> list[SegmentPrompt]:
    """Read a file of prompts, one a line, `name: prompt` to give the mask another name, or a list or object of JSON.

    A line that begins with # is a comment, and so is what stands behind a # with a blank on either side; "nodule #3" is
    a prompt.

    Raises SegmentError, which names the file, if it cannot be read or has a wrong line or no prompt, or is a table.
    """
    if path.suffix.lower() in TABLES:
        raise SegmentError(
            f"{path} is a table, and would be asked line by line: write one prompt a line into a .txt, or rows with "
            "columns ct, out and prompts for --jobs"
        )
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise SegmentError(f"{path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise SegmentError(f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8 text") from error
    if path.suffix.lower() == ".json":
        return _json_prompts(path, "\n".join(lines))
    prompts = []
    for number, line in enumerate(lines, 1):
        name, colon, text = _without_comment(line).partition(":")
        if not colon:
            text = name
        if not name.strip() and not text.strip():
            continue
        if not name.strip() or not text.strip():
            raise SegmentError(f"{path}, line {number}: write `prompt` or `name: prompt`, not {line.strip()!r}")
        prompts.append(SegmentPrompt(name.strip(), text.strip()))
    if not prompts:
        raise SegmentError(f"{path} holds no prompt: write one a line")
    return prompts


def _without_comment(line: str) -> str:
    return "" if line.lstrip().startswith("#") else re.split(r"\s#(?:\s|$)", line, maxsplit=1)[0]


def _json_prompts(path: Path, text: str) -> list[SegmentPrompt]:
    """Return the prompts of a list of texts, or of an object of names and texts. Raises SegmentError for other JSON."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SegmentError(f"{path} is no JSON ({error}): a list of prompts, or an object name -> prompt") from error
    pairs = list(content.items()) if isinstance(content, dict) else []
    pairs = [(item, item) for item in content] if isinstance(content, list) else pairs
    if not pairs or not all(isinstance(prompt, str) for _, prompt in pairs):
        raise SegmentError(f"{path}: expected a list of prompts, or an object name -> prompt, all of them texts")
    return [SegmentPrompt(name, prompt) for name, prompt in pairs]


def training_names(text: str, structure_prompts: StructurePrompts | None) -> tuple[str, ...]:
    """Return the names of the training that a prompt means by the vocabulary: one, or those of all that it names.

    An organ that has nothing to do with any structure of the training is asked by its own name ("splenic parenchyma":
    spleen), which a model may know to be none of them. It is the prompt itself if the vocabulary does not know it, if
    it names a part or a whole of a structure ("fundus of the gallbladder"), if that holds for one of several that it
    names ("liver and a lesion"), and without `structure_prompts`.
    """
    if structure_prompts is None:
        return (text,)
    if members := members_of(text, load_vocabulary()):
        names = [training_names(member, structure_prompts) for member in members]
        known = {*structure_prompts.names.values()}
        return tuple(dict.fromkeys(sum(names, ()))) if all(known >= {*of_member} for of_member in names) else (text,)
    named = organs_named(text, load_vocabulary())
    if len(named.organs) != 1 or named.is_part:
        return (text,)
    (organ,) = named.organs
    trained = {*structure_prompts.names.values()}
    if organ in trained:
        return (organ,)
    members = next((group.members for group in structure_prompts.groups if group.name == organ), ())
    if members:
        return tuple(structure_prompts.names[member] for member in members)
    vocabulary = load_vocabulary()
    return (organ,) if trained.isdisjoint(vocabulary.ancestors(organ) | vocabulary.descendants(organ)) else (text,)


def is_trained(text: str, structure_prompts: StructurePrompts) -> bool:
    """Whether a prompt is one that names a structure of the training, or several, whether or not it was trained on."""
    by_use = (structure_prompts.trained, structure_prompts.held_out, structure_prompts.group_prompts)
    known = {prompt.lower() for prompts in by_use for words in prompts.values() for prompt in words}
    known |= {name.lower() for names in (structure_prompts.names, structure_prompts.group_prompts) for name in names}
    return text.lower() in known
