"""What a model is asked about each case: every structure by its name, by held-out synonyms, and merged groups."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from train.data.structure_prompts import StructurePrompts, build_structure_prompts

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


def questions(
    structures: Sequence[str], structure_prompts: StructurePrompts | None, kinds: Sequence[Kind] = KINDS
) -> Questions:
    """The questions for a data set with these structures, for a model that was trained with `structure_prompts`.

    A structure that these do not have is asked for by the vocabulary's words; a prompt that training used is
    never counted as a held-out one.
    """
    own = build_structure_prompts(structures)
    used = (
        {prompt for prompts in structure_prompts.trained.values() for prompt in prompts} if structure_prompts else set()
    )

    def ask(kind: Kind, subject: str, prompt: str, members: tuple[str, ...]) -> Question:
        return Question(kind, subject, prompt, members, prompt in used if structure_prompts else None)

    asked = [
        ask("name", structure, _from(structure_prompts, own, structure).names[structure], (structure,))
        for structure in structures
    ]
    asked += [
        ask("synonym", structure, prompt, (structure,))
        for structure in structures
        for prompt in _from(structure_prompts, own, structure).held_out.get(structure, ())
    ]
    asked += [
        ask("group", group.name, prompt, group.members)
        for group in own.groups
        for prompt in own.group_prompts[group.name]
    ]
    fair = (question for question in asked if question.kind == "name" or not question.trained)
    return Questions(tuple(question for question in fair if question.kind in kinds), structure_prompts is not None)


def _from(structure_prompts: StructurePrompts | None, own: StructurePrompts, structure: str) -> StructurePrompts:
    return structure_prompts if structure_prompts and structure in structure_prompts.names else own
