"""What is done to a text before an encoder's tokenizer sees it, and what a text must be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# [CLS], one token of the text, [SEP].
_SHORTEST = 3


class TextEncoderError(ValueError):
    """A text encoder cannot be found, read, written or used as it is (exit code 2)."""


@dataclass(frozen=True)
class PromptHandling:
    """What is done to a text before the tokenizer sees it.

    ``template`` holds ``{}`` once, where the text goes; other braces stand for themselves. ``lower_case`` is applied to
    the text in its template. ``max_length``, in tokens with the special ones, lowers the encoder's own.
    Raises ``TextEncoderError`` where one of them cannot be.
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
        if self.max_length is not None and (type(self.max_length) is not int or self.max_length < _SHORTEST):
            raise TextEncoderError(
                f"max_length {self.max_length!r}: write a number of tokens, {_SHORTEST} at least (two are special)"
            )

    def apply(self, text: str) -> str:
        """The prompt: what the tokenizer is given for ``text``."""
        prompt = self.template.replace("{}", text)
        return prompt.lower() if self.lower_case else prompt


AS_IT_STANDS = PromptHandling()


def checked_texts(texts: Iterable[str]) -> list[str]:
    """The texts. Raises ``TypeError`` where one is no string, or they are one string themselves.

    ``ValueError`` for one that UTF-8 cannot hold.
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
