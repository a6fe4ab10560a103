"""A text encoder's files: read from a directory in Hugging Face's layout or by name from its hub, and written again."""

from __future__ import annotations

import json
import re
import textwrap
import warnings
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from torch import Tensor
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils.hub import cached_file

from .prompt_handling import TextEncoderError

LENGTH_FILE = "sentence_bert_config.json"
_POOLING_FILE = "1_Pooling/config.json"
_MODULES_FILE = "modules.json"
# A name that a hub can have: `mpnet-base` or `owner/name`.
_HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?", re.ASCII)


class EncoderSource(NamedTuple):
    """Where an encoder's files are: a directory that exists, or a hub's name."""

    place: str
    local: bool

    @classmethod
    def of(cls, name_or_directory: str | Path) -> EncoderSource:
        """Raises ``TextEncoderError`` for a directory that is none or holds no ``config.json``."""
        path = Path(name_or_directory).expanduser()
        if path.is_dir():
            if not (path / "config.json").is_file():
                raise TextEncoderError(f"{path} holds no encoder (no config.json): {_LAYOUT}")
            return cls(str(path), True)
        if isinstance(name_or_directory, Path) or not _HUB_NAME.fullmatch(name_or_directory):
            raise TextEncoderError(f"{path} is no directory: {_LAYOUT}")
        return cls(name_or_directory, False)

    def json(self, file: str) -> Any:
        """Content of one of the encoder's optional files, ``None`` where it has none.

        Raises ``TextEncoderError`` where it is not JSON.
        """
        path = cached_file(
            self.place,
            file,
            local_files_only=self.local,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
        )
        if path is None:
            return None
        try:
            return json.loads(Path(path).read_text(encoding="utf-8"))
        except ValueError as error:
            raise TextEncoderError(f"{path} is not JSON ({error}): correct it, or take it away") from error


_LAYOUT = (
    "give the folder that holds config.json, model.safetensors and tokenizer.json, as save_pretrained writes it, "
    "or the name of an encoder on a hub"
)


def read_encoder(source: EncoderSource) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The network, in float32 and eval mode, and its tokenizer, whose ``model_max_length`` is the stated one.

    Weights are read from safetensors, or from a torch file with ``weights_only``, which makes tensors and nothing else;
    no code that comes with an encoder is run. Nothing is asked of a hub where the source is a directory.
    Raises ``TextEncoderError``.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(source.place, local_files_only=source.local, trust_remote_code=False)
        model, report = AutoModel.from_pretrained(
            source.place,
            local_files_only=source.local,
            trust_remote_code=False,
            weights_only=True,
            output_loading_info=True,
        )
    # What transformers, tokenizers, safetensors and torch raise at a damaged file has no class in common.
    except Exception as error:
        raise TextEncoderError(_unreadable(source, error)) from error
    _refuse_missing_weights(source, report["missing_keys"])
    if (stated := _stated_length(source)) is not None:
        tokenizer.model_max_length = stated
    return model.float(), tokenizer


def _unreadable(source: EncoderSource, error: Exception) -> str:
    said = textwrap.shorten(f"{type(error).__name__}: {error}", 200, placeholder=" …")
    if source.local:
        return f"the encoder in {source.place} cannot be read ({said}): {_LAYOUT}"
    return (
        f"{source.place!r} is neither a directory here nor an encoder that could be had from a hub ({said}): give the "
        "directory of one. BioLORD-2023 goes by its name where a hub can be reached and its licence (of UMLS and "
        "SNOMED CT) has been accepted"
    )


def _refuse_missing_weights(source: EncoderSource, missing: set[str] | list[str]) -> None:
    """Transformers draws at random what a file lacks. The pooler alone does not matter: it is not used."""
    lacking = sorted(name for name in missing if "pooler" not in name.split("."))
    if lacking:
        raise TextEncoderError(
            f"the weights in {source.place} lack {len(lacking)} that its config.json asks for (first: {lacking[0]}): "
            "put the two files of one encoder together"
        )


def _stated_length(source: EncoderSource) -> int | None:
    stated = source.json(LENGTH_FILE)
    length = stated.get("max_seq_length") if isinstance(stated, dict) else None
    if length is not None and (type(length) is not int or length < 1):
        raise TextEncoderError(
            f"{LENGTH_FILE} in {source.place}: max_seq_length is {length!r}; write a number of tokens, or null"
        )
    return length


def warn_of_differences(source: EncoderSource, *, lower_case: bool) -> None:
    """Say where ovct embeds otherwise than the encoder's own files ask for. Warns with ``UserWarning``."""
    differences = []
    if (modes := _pooling_modes(source.json(_POOLING_FILE))) not in ([], ["mean"]):
        differences.append(f"asks for {' + '.join(modes)} pooling, and ovct pools by mean")
    modules = source.json(_MODULES_FILE)
    types = [str(module.get("type")) for module in modules or [] if isinstance(module, dict)]
    more = [name for name in types if name.rpartition(".")[2] not in ("Transformer", "Pooling", "Normalize")]
    if more:
        differences.append(f"ends in {', '.join(more)}, which ovct leaves out")
    stated = source.json(LENGTH_FILE)
    if isinstance(stated, dict) and stated.get("do_lower_case") and not lower_case:
        differences.append("asks for lower case: give PromptHandling(lower_case=True)")
    for difference in differences:
        warnings.warn(f"the encoder in {source.place} {difference}", stacklevel=3)


def _pooling_modes(config: Any) -> list[str]:
    """Poolings that a sentence-transformers file names, in its old words or its new ones; none where it names none."""
    if not isinstance(config, dict):
        return []
    named = config.get("pooling_mode")
    if named is not None:
        return [str(mode) for mode in (named if isinstance(named, list) else [named])]
    switched_on = [name.removeprefix("pooling_mode_") for name, value in config.items() if value is True]
    return [name.removesuffix("_tokens").removesuffix("_token") for name in switched_on if name != "include_prompt"]


def write_encoder(
    directory: Path,
    model: PreTrainedModel,
    more_weights: Mapping[str, Tensor],
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_length: int,
    lower_case: bool,
) -> None:
    """Write Hugging Face's layout, and beside it what sentence-transformers needs to embed in the same way.

    ``more_weights`` are those that ``model`` by its configuration has, and has not any more. Each file is written whole
    before it takes an older one's place: weights may still be read from that one, as torch maps files into memory.
    Raises ``TextEncoderError`` where the directory cannot be written.
    """
    kinds = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}
    modules = [
        {"idx": place, "name": str(place), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for place, (path, kind) in enumerate(kinds.items())
    ]
    pooling = {"word_embedding_dimension": model.config.hidden_size, "pooling_mode_mean_tokens": True}
    files = {
        LENGTH_FILE: {"max_seq_length": max_length, "do_lower_case": lower_case},
        _POOLING_FILE: {**pooling, "pooling_mode_cls_token": False, "pooling_mode_max_tokens": False},
        _MODULES_FILE: modules,
    }
    try:
        for folder in kinds:
            (directory / folder).mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=directory) as made:
            model.save_pretrained(made, state_dict={**model.state_dict(), **more_weights})
            tokenizer.save_pretrained(made)
            for path in Path(made).iterdir():
                path.replace(directory / path.name)
        for name, content in files.items():
            (directory / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise TextEncoderError(
            f"the encoder cannot be written to {directory} ({error}): name another folder"
        ) from error
