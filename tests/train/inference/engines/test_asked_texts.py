"""Which texts a model is asked for prompts, and the masks of prompts from those of texts."""

from pathlib import Path

import pytest
import torch

from models.checkpoint import load_checkpoint
from models.segmenter import TextSegmenter
from models.text import TextEncoder
from tests.train.inference.segment_cases import checkpoint_between_kidneys
from train.data.structure_prompts import StructurePrompts
from train.inference.engines.asked_texts import AskedTexts

BOTH = "the filters of blood"


def test_masks_of_prompts_are_unions_and_what_is_embedded_is_not_embedded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, record = load_checkpoint(checkpoint_between_kidneys(tmp_path, BOTH))
    assert isinstance(model, TextSegmenter) and model.text is not None
    trained = StructurePrompts.from_training_record(record.trained_on)
    asked = AskedTexts.of(model, [BOTH, "right kidney"], trained, vocabulary=False)
    assert asked.of_prompts == (("left kidney", "right kidney"), ("right kidney",))
    left, right = torch.tensor([[True, False, False], [False, True, False]])
    assert asked.unions(torch.stack((left, right))).tolist() == [[True, True, False], [False, True, False]]

    embedded = dict(zip((BOTH, *asked.texts), model.text.encode([BOTH, *asked.texts]), strict=True))
    encode, new = TextEncoder.encode, list[str]()

    def counted(self: TextEncoder, texts: list[str]) -> torch.Tensor:
        new.extend(texts)
        return encode(self, texts)

    monkeypatch.setattr(TextEncoder, "encode", counted)
    again = AskedTexts.of(model, [BOTH, "right kidney"], trained, vocabulary=False, embedded=embedded)
    assert again.of_prompts == asked.of_prompts and not new
    torch.testing.assert_close(again.embeddings, asked.embeddings)
