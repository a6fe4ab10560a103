"""What a model is asked about each case: structures by name and by synonyms, groups, and words that mean nothing."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from train.data.structure_prompts import StructurePrompts, build_structure_prompts
from train.prompting.nonsense_words import ASKED_NONSENSE

Kind = Literal["name", "synonym", "group", "nonsense"]
KINDS: tuple[Kind, ...] = ("name", "synonym", "group", "nonsense")
# Kinds that have a reference, and so Dice and NSD.
SCORED_KINDS = KINDS[:3]


class EvaluationQuestion(NamedTuple):
    """One prompt, and the structures of the data set whose labels together are its reference.

    `subject` is the structure, or the group. `trained`: whether training used this prompt; None where that is unknown.
    A word that means nothing has no members: its reference is empty.
    """

    kind: Kind
    subject: str
    prompt: str
    members: tuple[str, ...]
    trained: bool | None


class QuestionSet(NamedTuple):
    """All questions, and whether the checkpoint says what it was trained with."""

    questions: tuple[EvaluationQuestion, ...]
    training_recorded: bool

    @property
    def prompts(self) -> tuple[str, ...]:
        """Each prompt once, in order."""
        return tuple(dict.fromkeys(question.prompt for question in self.questions))


def build_questions(
    structures: Sequence[str], trained: StructurePrompts | None, kinds: Sequence[Kind] = KINDS
) -> QuestionSet:
    """Return the questions for a data set with these structures, for a model that was trained with `trained`.

    They are the same whatever was held out: each structure by its name and by the synonyms that a hold-out takes, and
    each group by all of its names; which of them training used, each question says. A structure that the training did
    not have is asked for by the vocabulary's words.
    """
    by_vocabulary = build_structure_prompts(structures)
    used = trained.trained_prompts if trained else frozenset[str]()

    def question(kind: Kind, subject: str, prompt: str, members: tuple[str, ...]) -> EvaluationQuestion:
        return EvaluationQuestion(kind, subject, prompt, members, prompt in used if trained else None)

    def synonyms(structure: str) -> tuple[str, ...]:
        held_out = trained.held_out.get(structure, ()) if trained else ()
        return held_out or by_vocabulary.held_out[structure]

    names = {**by_vocabulary.names, **(trained.names if trained else {})}
    questions = [question("name", structure, names[structure], (structure,)) for structure in structures]
    questions += [
        question("synonym", structure, prompt, (structure,))
        for structure in structures
        for prompt in synonyms(structure)
    ]
    questions += [
        question("group", group.name, prompt, group.members)
        for group in by_vocabulary.groups
        for prompt in by_vocabulary.group_prompts[group.name]
    ]
    questions += [question("nonsense", prompt, prompt, ()) for prompt in ASKED_NONSENSE]
    return QuestionSet(tuple(each for each in questions if each.kind in kinds), trained is not None)
