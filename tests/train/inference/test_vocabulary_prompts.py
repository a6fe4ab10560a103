"""Prompts that the vocabulary knows: asked by the names of the training, a group as the union of its members."""

from pathlib import Path

import numpy as np
import pytest
import torch

from models.checkpoint import Checkpoint, load_checkpoint
from tests.train.inference.segment_cases import affine_of, ball, field_of, hounsfield, nifti, tiny_checkpoint
from train.data.structure_prompts import PromptBook, prompt_book
from train.inference.prompts import known_as
from train.inference.segmenting import segment

pytestmark = pytest.mark.usefixtures("one_thread")
STRUCTURES = ("kidney_left", "kidney_right", "gallbladder")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("checkpoint")
    return load_checkpoint(tiny_checkpoint(folder, prompts=prompt_book(STRUCTURES).to_json()))


def test_words_are_taken_as_what_was_trained(model: Checkpoint) -> None:
    book = PromptBook.recorded(model.record.trained_on)
    assert known_as("vesica fellea", book) == ("gallbladder",)
    assert known_as("Gall Bladder", book) == ("gallbladder",)
    assert known_as("kidneys", book) == known_as("renal", book) == ("left kidney", "right kidney")
    # What the checkpoint was not trained on, and what nobody knows, is asked as it stands.
    assert known_as("spleen", book) == ("spleen",)
    assert known_as("the thing on the left", book) == ("the thing on the left",)
    assert known_as("kidneys", PromptBook.recorded(())) == ("kidneys",)


def test_a_group_is_the_union_of_its_members_and_another_name_the_same_structure(
    model: Checkpoint, tmp_path: Path
) -> None:
    ct = nifti(tmp_path / "ct.nii.gz", hounsfield((24, 20, 16)), affine_of((2, 2, 2)))
    prompts = ["kidneys", "left kidney", "right kidney", "vesica fellea", "gallbladder"]
    found = segment(ct, prompts, model, presence_threshold=0)
    both = found.mask("left kidney") | found.mask("right kidney")
    assert np.array_equal(found.mask("kidneys"), both)
    assert np.array_equal(found.mask("vesica fellea"), found.mask("gallbladder"))
    probability = np.maximum(found.probability("left kidney"), found.probability("right kidney"))
    np.testing.assert_allclose(found.probability("kidneys"), probability, atol=1e-3)
    said = [text for text in found.record.warnings if "taken as" in text]
    assert len(said) == 2 and "left kidney + right kidney" in said[0]

    alone = segment(ct, prompts, model, presence_threshold=0, vocabulary=False)
    assert not any("taken as" in text for text in alone.record.warnings)
    assert not np.array_equal(alone.mask("kidneys"), both)
    assert np.array_equal(alone.mask("left kidney"), found.mask("left kidney"))


def test_a_member_that_is_absent_adds_nothing() -> None:
    shape = (12, 10, 8)
    logits = torch.stack([ball(shape, (3, 5, 4), 2.5), ball(shape, (9, 5, 4), 2.5), ball(shape, (6, 5, 4), 1.5)])
    field = field_of(logits, presence=(4.0, -4.0, -4.0))
    united = field.united([(0, 1), (1, 2), (2,)], 0.0)
    assert united.presence.tolist() == [4.0, -4.0, -4.0]
    values = logits.flatten(1)
    of = united.logits(values, torch.tensor([0, 1]))
    assert torch.equal(of[0], values[0])
    assert torch.equal(of[1], torch.maximum(values[1], values[2]))
    one = united.of_one(1)
    torch.testing.assert_close(torch.from_numpy(one.stored[0]).float().flatten(), of[1], atol=0.01, rtol=0.01)
