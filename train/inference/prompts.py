"""Which prompts are asked of a volume, and under which names: given one by one, in a file, or all that there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from curation.runtime.errors import OvctError
from models.checkpoint_record import Record
from models.text import TextEncoder
from prompts.vocabulary import load_vocabulary
from train.data.layout_totalsegmentator import V2
from train.data.structure_prompts import PromptBook

# Labels are int16.
MOST_PROMPTS = 32767


class SegmentError(OvctError, ValueError):
    """Prompts, a checkpoint or an output that cannot be used as they are."""

    exit_code = 2


@dataclass(frozen=True)
class Prompt:
    """What is asked, and the name that its mask goes by."""

    name: str
    text: str


def checked_prompts(given: Iterable[str | Prompt] | Mapping[str, str]) -> tuple[Prompt, ...]:
    """Prompts as texts, as name -> text, or as `Prompt`s: white space made one blank, the same prompt once.

    SegmentError for none, an empty one, and a name that stands for two.
    """
    if isinstance(given, str):
        raise SegmentError(f"prompts are a list of texts; [{given!r}] is one prompt")
    pairs = [Prompt(*pair) for pair in given.items()] if isinstance(given, Mapping) else list(given)
    found: dict[str, Prompt] = {}
    for number, one in enumerate(pairs, 1):
        asked = one if isinstance(one, Prompt) else Prompt(one, one)
        name, text = (" ".join(str(part).split()) for part in (asked.name, asked.text))
        if not name or not text:
            raise SegmentError(f"prompt {number} is empty: write what to look for, such as 'left kidney'")
        if found.setdefault(name, Prompt(name, text)).text != text:
            raise SegmentError(f"the name {name!r} stands for two prompts, {found[name].text!r} and {text!r}")
    if not 0 < len(found) <= MOST_PROMPTS:
        raise SegmentError(f"one prompt at least and {MOST_PROMPTS:,} at most, not {len(found):,}")
    return tuple(found.values())


def refuse_long(prompts: Sequence[Prompt], text: TextEncoder) -> None:
    """SegmentError for a prompt of which the text encoder would read the beginning alone."""
    for asked in prompts:
        tokens = len(text.tokenizer(text.handling.apply(asked.text), verbose=False)["input_ids"])
        if tokens > text.max_length:
            raise SegmentError(
                f"the prompt {asked.text[:60]!r}… has {tokens} tokens, and this checkpoint's text encoder reads "
                f"{text.max_length}: write a shorter one"
            )


def read_prompts(path: Path) -> list[Prompt]:
    """A file of prompts, one a line, `name: prompt` where the mask is to have another name; # begins a comment.

    SegmentError names the file.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise SegmentError(f"{path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise SegmentError(f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8 text") from error
    found = []
    for number, line in enumerate(lines, 1):
        name, colon, text = line.partition("#")[0].partition(":")
        if not colon:
            text = name
        if not name.strip() and not text.strip():
            continue
        if not name.strip() or not text.strip():
            raise SegmentError(f"{path}, line {number}: write `prompt` or `name: prompt`, not {line.strip()!r}")
        found.append(Prompt(name.strip(), text.strip()))
    if not found:
        raise SegmentError(f"{path} holds no prompt: write one a line")
    return found


def all_prompts(record: Record) -> list[Prompt]:
    """The structures that a checkpoint was trained on, by the plain names that it was trained with; where it does not
    say, the 117 of TotalSegmentator v2.
    """
    book = PromptBook.recorded(record.trained_on)
    if book is not None:
        return [Prompt(name, text) for name, text in book.names.items()]
    vocabulary = load_vocabulary()
    return [Prompt(label, vocabulary.resolve(label) or label.replace("_", " ")) for label in V2]


def known_as(text: str, book: PromptBook | None) -> tuple[str, ...]:
    """What a prompt means by the vocabulary, in names that a checkpoint was trained with: one, or a group's members.

    The prompt itself where vocabulary or `book` do not know it.
    """
    organ = load_vocabulary().resolve(text) if book else None
    if book is None or organ is None:
        return (text,)
    if organ in book.names.values():
        return (organ,)
    members = next((group.members for group in book.groups if group.name == organ), ())
    return tuple(book.names[member] for member in members) or (text,)
