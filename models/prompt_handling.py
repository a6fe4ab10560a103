"""Prepares texts for a text encoder: what is done to a prompt, how long it may be, and what counts as a text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast

from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

# How the vectors of a text's tokens become one: their mean, that of the first token ([CLS]), the maximum of each
# component, that of the last token. The names are sentence-transformers'.
TextPooling = Literal["mean", "cls", "max", "lasttoken"]
TEXT_POOLINGS: tuple[TextPooling, ...] = ("mean", "cls", "max", "lasttoken")
# [CLS], one token of the text, [SEP].
_SHORTEST_LENGTH = 3
# Tokenizers that state no length have 1e30.
_NO_LENGTH = 10**9


class TextEncoderError(ValueError):
    """Raised for a text encoder that cannot be found, read, written or used as it is."""

    exit_code = 2


@dataclass(frozen=True)
class PromptHandling:
    """What is done to a text before the tokenizer sees it.

    ``template`` holds ``{}`` once, where the text goes; other braces stand for themselves. ``lower_case`` is applied to
    the text in its template. ``max_length``, in tokens with the special ones, lowers the encoder's own maximum.
    Raises ``TextEncoderError`` for values that cannot be used.
    """

    template: str = "{}"
    lower_case: bool = False
    max_length: int | None = None

    def __post_init__(self) -> None:
        if type(self.template) is not str or self.template.count("{}") != 1:
            raise TextEncoderError(
                f"template {self.template!r}: write {{}} exactly once, where the text goes, as in 'A CT of the {{}}.'"
            )
        if not isinstance(self.lower_case, bool):
            raise TextEncoderError(f"lower_case {self.lower_case!r}: write true or false")
        if self.max_length is not None and (type(self.max_length) is not int or self.max_length < _SHORTEST_LENGTH):
            raise TextEncoderError(
                f"max_length {self.max_length!r}: write a number of tokens, {_SHORTEST_LENGTH} at least "
                "(two are special)"
            )

    def apply(self, text: str) -> str:
        """Return the prompt that the tokenizer is given for ``text``."""
        prompt = self.template.replace("{}", text)
        return prompt.lower() if self.lower_case else prompt


UNCHANGED = PromptHandling()


def checked_texts(texts: Iterable[str]) -> list[str]:
    """Return the texts as a list.

    Raises ``TypeError`` where one is no string, or they are a single string themselves, and ``ValueError`` for one that
    UTF-8 cannot hold.
    """
    if isinstance(texts, str):
        raise TypeError(f"one text, {texts!r}, where several are asked for: put it in a list")
    texts = list(texts)
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"text {index} is {text!r}, a {type(text).__name__}: give strings")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"text {index} has half a character at {error.start} ({text[error.start]!r}): read it as UTF-8"
            ) from None
    return texts


def check_compatibility(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, name: str) -> None:
    """Raise ``TextEncoderError`` where network and tokenizer cannot work together, or only seem to."""
    if model.config.is_encoder_decoder or getattr(model.config, "hidden_size", None) is None:
        raise TextEncoderError(f"{name} does more than encode text: give one that does only that, as BERT or MPNet")
    if tokenizer.pad_token_id is None:
        raise TextEncoderError(f"the tokenizer of {name} has no token to pad with: give an encoder that has one")
    vocabulary = tokenizer.get_vocab()
    if vocabulary.keys() <= set(tokenizer.all_special_tokens):
        raise TextEncoderError(f"{name} has no tokenizer: put its tokenizer.json (or vocab.txt) beside its weights")
    rows = cast(nn.Embedding, model.get_input_embeddings()).num_embeddings
    if max(vocabulary.values()) >= rows:
        raise TextEncoderError(
            f"the tokenizer of {name} has {len(vocabulary)} tokens, its network {rows}: put the files of one together"
        )


def prompt_length_limit(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, handling: PromptHandling, name: str
) -> int:
    """Return how many tokens a prompt may have, special ones included.

    It is the least that tokenizer, network and ``handling`` allow. Raises ``TextEncoderError`` where none of them sets
    a limit, and where ``handling`` asks for more than the encoder takes.
    """
    encoder_limit = min(int(tokenizer.model_max_length), _position_count(model))
    if encoder_limit >= _NO_LENGTH and handling.max_length is None:
        raise TextEncoderError(f"{name} does not say how long a text may be: give PromptHandling(max_length=...)")
    if handling.max_length is not None and handling.max_length > encoder_limit:
        raise TextEncoderError(
            f"max_length {handling.max_length}: {name} takes {encoder_limit} tokens at most; write less"
        )
    return encoder_limit if handling.max_length is None else handling.max_length


def _position_count(model: PreTrainedModel) -> int:
    """Return for how many tokens the network has positions.

    RoBERTa and MPNet number them from behind the index of their padding.
    """
    table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    if isinstance(table, nn.Embedding):
        return table.num_embeddings - (0 if table.padding_idx is None else table.padding_idx + 1)
    stated = getattr(model.config, "max_position_embeddings", None)
    return stated if isinstance(stated, int) and stated > 0 else _NO_LENGTH
