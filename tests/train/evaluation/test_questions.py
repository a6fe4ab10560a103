"""What is asked: prompts that training knew, and those that it did not."""

import dataclasses

from tests.train.evaluation.evaluations import STRUCTURE_PROMPTS, WHOLE
from train.config.prompting import HoldOut
from train.data.structure_prompts import StructurePrompts, build_structure_prompts
from train.evaluation.questions import build_questions

LOBES = ("lung_upper_lobe_left", "lung_lower_lobe_left")


def test_questions_of_a_data_set_that_training_did_not_know() -> None:
    trained = build_structure_prompts(("liver", "spleen"))
    questions = build_questions(("liver", "kidney_left", "kidney_right", "tumour_x"), trained).questions
    was_trained = {(question.kind, question.prompt): question.trained for question in questions}
    assert was_trained["name", "liver"] is True and was_trained["name", "left kidney"] is False
    assert was_trained["name", "tumour x"] is False and was_trained["group", "kidneys"] is False
    assert {question.trained for question in build_questions(("liver",), None).questions} == {None}
    assert not build_questions(("liver",), None).training_recorded


def test_the_same_is_asked_whatever_was_held_out_and_each_question_says_if_it_was_trained() -> None:
    asked = set()
    for hold_out in ("none", "all", "1/2", "2/2"):
        prompts = build_structure_prompts(WHOLE + LOBES, hold_out=HoldOut.parse(hold_out))
        questions = build_questions(WHOLE + LOBES, prompts).questions
        asked.add(tuple(question[:-1] for question in questions))
        trained = {question.prompt for question in questions if question.trained}
        assert trained == {question.prompt for question in questions} & prompts.trained_prompts
        groups = {question.subject for question in questions if question.kind == "group" and question.trained}
        assert groups == set(prompts.trained_of_groups)
        synonyms = {question.trained for question in questions if question.kind == "synonym"}
        assert synonyms == {hold_out == "none"}
        assert {question.members for question in questions if question.kind == "nonsense"} == {()}
    assert len(asked) == 1


def test_checkpoints_from_before_groups_were_trained_held_all_of_them_out() -> None:
    record = STRUCTURE_PROMPTS.to_json()
    del record["held_out_of_groups"]
    prompts = StructurePrompts.from_json(record)
    groups = [question for question in build_questions(WHOLE, prompts).questions if question.kind == "group"]
    assert groups and not any(question.trained for question in groups)


def test_a_synonym_that_an_earlier_training_used_is_no_held_out_one() -> None:
    trained = dataclasses.replace(
        STRUCTURE_PROMPTS,
        trained={**STRUCTURE_PROMPTS.trained, "liver": (*STRUCTURE_PROMPTS.trained["liver"], "kidneys")},
    )
    was_trained = {question.prompt: question.trained for question in build_questions(WHOLE, trained).questions}
    assert was_trained["kidneys"] is True and was_trained["kidney"] is False
