"""What is asked: prompts that training knew, and those that it did not."""

import dataclasses

from tests.train.evaluation.evaluations import STRUCTURE_PROMPTS, WHOLE
from train.data.structure_prompts import build_structure_prompts
from train.evaluation.questions import build_questions


def test_questions_of_a_data_set_that_training_did_not_know() -> None:
    trained = build_structure_prompts(("liver", "spleen"))
    questions = build_questions(("liver", "kidney_left", "kidney_right", "tumour_x"), trained).questions
    was_trained = {(question.kind, question.prompt): question.trained for question in questions}
    assert was_trained["name", "liver"] is True and was_trained["name", "left kidney"] is False
    assert was_trained["name", "tumour x"] is False and was_trained["group", "kidneys"] is False
    assert {question.trained for question in build_questions(("liver",), None).questions} == {None}
    assert not build_questions(("liver",), None).training_recorded


def test_a_trained_prompt_is_no_held_out_one() -> None:
    trained = dataclasses.replace(
        STRUCTURE_PROMPTS,
        trained={**STRUCTURE_PROMPTS.trained, "liver": (*STRUCTURE_PROMPTS.trained["liver"], "kidneys")},
    )
    prompts = {question.prompt for question in build_questions(WHOLE, trained).questions if question.kind == "group"}
    assert prompts and "kidneys" not in prompts
