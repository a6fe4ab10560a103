"""What a model is asked about each case: every structure by its name, by held-out synonyms, and merged groups."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from train.data.structure_prompts import PromptBook, prompt_book

Kind = Literal["name", "synonym", "group"]
KINDS: tuple[Kind, ...] = ("name", "synonym", "group")


class Question(NamedTuple):
    """One prompt, and the structures of the data set whose labels together are its reference.

    `subject` is the structure, or the group. `trained`: whether training used this prompt; None where that is unknown.
    """

    kind: Kind
    subject: str
    prompt: str
    members: tuple[str, ...]
    trained: bool | None


class Questions(NamedTuple):
    """All questions, and whether the checkpoint says what it was trained with."""

    asked: tuple[Question, ...]
    known: bool

    @property
    def prompts(self) -> tuple[str, ...]:
        """Each prompt once, in order."""
        return tuple(dict.fromkeys(question.prompt for question in self.asked))


def questions(structures: Sequence[str], book: PromptBook | None, kinds: Sequence[Kind] = KINDS) -> Questions:
    """The questions for a data set with these structures, for a model that was trained with `book`.

    A structure that the book does not have is asked for by the vocabulary's words; a prompt that training used is
    never counted as a held-out one.
    """
    own = prompt_book(structures)
    used = {prompt for prompts in book.trained.values() for prompt in prompts} if book else set()

    def ask(kind: Kind, subject: str, prompt: str, members: tuple[str, ...]) -> Question:
        return Question(kind, subject, prompt, members, prompt in used if book else None)

    asked = [
        ask("name", structure, _from(book, own, structure).names[structure], (structure,)) for structure in structures
    ]
    asked += [
        ask("synonym", structure, prompt, (structure,))
        for structure in structures
        for prompt in _from(book, own, structure).held_out.get(structure, ())
    ]
    asked += [
        ask("group", group.name, prompt, group.members)
        for group in own.groups
        for prompt in own.group_prompts[group.name]
    ]
    fair = (question for question in asked if question.kind == "name" or not question.trained)
    return Questions(tuple(question for question in fair if question.kind in kinds), book is not None)


def _from(book: PromptBook | None, own: PromptBook, structure: str) -> PromptBook:
    return book if book and structure in book.names else own
