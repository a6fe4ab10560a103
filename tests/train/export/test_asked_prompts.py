"""What an exported model is asked is what `ovct segment` asks."""

from pathlib import Path

from tests.train.inference.segment_cases import checkpoint_between_kidneys
from train.export.asked_prompts import open_source


def test_a_prompt_that_the_model_reads_as_several_structures_is_asked_by_their_names(tmp_path: Path) -> None:
    source = open_source(
        checkpoint_between_kidneys(tmp_path, "the filters of blood"), ["the filters of blood", "right kidney"]
    )
    assert source.asked.asked == (("left kidney", "right kidney"), ("right kidney",))
    assert source.asked.texts == ("left kidney", "right kidney")
    assert source.asked.embeddings.shape == (2, source.model.connector.embedding_dim)
