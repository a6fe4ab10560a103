"""What a model is asked about each case: every structure by its name, by held-out synonyms, and merged groups."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from train.data.structure_prompts import StructurePrompts, build_structure_prompts

Kind = Literal["name", "synonym", "group"]
KINDS: tuple[Kind, ...] = ("name", "synonym", "group")


class EvaluationQuestion(NamedTuple):
    """One prompt, and the structures of the data set whose labels together are its reference.

    `subject` is the structure, or the group. `trained`: whether training used this prompt; None where that is unknown.
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

    A structure that the training did not have is asked for by the vocabulary's words; a prompt that training used is
    never counted as a held-out one.
    """
    by_vocabulary = build_structure_prompts(structures)
    used = {prompt for prompts in trained.trained.values() for prompt in prompts} if trained else set()

    def prompts_for(structure: str) -> StructurePrompts:
        return trained if trained and structure in trained.names else by_vocabulary

    def question(kind: Kind, subject: str, prompt: str, members: tuple[str, ...]) -> EvaluationQuestion:
        return EvaluationQuestion(kind, subject, prompt, members, prompt in used if trained else None)

    candidates = [
        question("name", structure, prompts_for(structure).names[structure], (structure,)) for structure in structures
    ]
    candidates += [
        question("synonym", structure, prompt, (structure,))
        for structure in structures
        for prompt in prompts_for(structure).held_out.get(structure, ())
    ]
    candidates += [
        question("group", group.name, prompt, group.members)
        for group in by_vocabulary.groups
        for prompt in by_vocabulary.group_prompts[group.name]
    ]
    fair = (candidate for candidate in candidates if candidate.kind == "name" or not candidate.trained)
    return QuestionSet(tuple(candidate for candidate in fair if candidate.kind in kinds), trained is not None)
