"""Reads a text encoder's files from a directory in Hugging Face's layout or by name from its hub, and writes them."""

from __future__ import annotations

import json
import re
import textwrap
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from torch import Tensor
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging
from transformers.utils.hub import cached_file

from .prompt_handling import TEXT_POOLINGS, TextEncoderError, TextPooling
from .weights_file import disk_errors

LENGTH_FILE = "sentence_bert_config.json"
_POOLING_FOLDER = "1_Pooling"
_MODULES_FILE = "modules.json"
_TAKEN_MODULES = ("Transformer", "Pooling", "Normalize")
_POOLING_FLAGS: Mapping[TextPooling, str] = {
    "mean": "pooling_mode_mean_tokens",
    "cls": "pooling_mode_cls_token",
    "max": "pooling_mode_max_tokens",
    "lasttoken": "pooling_mode_lasttoken",
}
# The parts that weights are cut into, and the one file that they are in: config.json may name it.
_SHARD_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_WEIGHTS_KEY = "transformers_weights"
# A name that a hub can have: `mpnet-base` or `owner/name`.
_HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?", re.ASCII)
# A file of the directory itself, whatever system reads it.
_PLAIN_NAME = re.compile(r"(?!\.)[^/\\:\x00-\x1f]+")


class EncoderSource(NamedTuple):
    """Where an encoder's files are: ``place`` is a directory that exists (``local``), or a name on a hub."""

    place: str
    local: bool

    @classmethod
    def of(cls, name_or_directory: str | Path) -> EncoderSource:
        """Return the source of a name or directory.

        Raises ``TextEncoderError`` for a directory that does not exist or holds no ``config.json``.
        """
        path = Path(name_or_directory).expanduser()
        if path.is_dir():
            if not (path / "config.json").is_file():
                raise TextEncoderError(f"{path} holds no encoder (no config.json): {_LAYOUT}")
            return cls(str(path), True)
        if isinstance(name_or_directory, Path) or not _HUB_NAME.fullmatch(name_or_directory):
            raise TextEncoderError(f"{path} is no directory: {_LAYOUT}")
        return cls(name_or_directory, False)

    def read_json(self, file: str) -> Any:
        """Return the content of one of the encoder's optional files, ``None`` where it has none.

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
    """Read the network, in float32 and evaluation mode, and its tokenizer, with the ``model_max_length`` of the files.

    Weights are read from safetensors, or from a torch file with ``weights_only``, which makes tensors and nothing else;
    no code that comes with an encoder is run. No hub is asked where the source is a directory.
    Raises ``TextEncoderError`` where the files cannot be read, lack weights, or name files outside the directory.
    """
    if source.local:
        _refuse_names_outside(source)
    try:
        tokenizer = AutoTokenizer.from_pretrained(source.place, local_files_only=source.local, trust_remote_code=False)
        with _without_progress_bar():
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


@contextmanager
def _without_progress_bar() -> Iterator[None]:
    """Switch off the bars that transformers draws on stderr, and leave them afterwards as they were."""
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _refuse_names_outside(source: EncoderSource) -> None:
    """Raise TextEncoderError where a directory's files name weights that are not in it, which would be read as such."""
    names = list[tuple[str, object]]()
    for file in _SHARD_INDEXES:
        index = source.read_json(file)
        if index is not None:
            weight_map = index.get("weight_map") if isinstance(index, dict) else None
            if not isinstance(weight_map, dict):
                raise TextEncoderError(f"{file} in {source.place} has no weight_map: {_LAYOUT}")
            names += [(file, name) for name in weight_map.values()]
    config = source.read_json("config.json")
    if isinstance(config, dict) and config.get(_WEIGHTS_KEY) is not None:
        names.append(("config.json", config[_WEIGHTS_KEY]))
    for file, name in names:
        if not isinstance(name, str) or not _PLAIN_NAME.fullmatch(name):
            raise TextEncoderError(
                f"{file} in {source.place} names {name!r} for weights, which is no name of a file in that folder: "
                "nothing is read. Put the files of one encoder into one folder"
            )


def _unreadable(source: EncoderSource, error: Exception) -> str:
    reason = textwrap.shorten(f"{type(error).__name__}: {error}", 200, placeholder=" …")
    if source.local:
        return f"the encoder in {source.place} cannot be read ({reason}): {_LAYOUT}"
    return (
        f"{source.place!r} is neither a directory here nor an encoder that could be had from a hub ({reason}): give "
        "the directory of one. BioLORD-2023 goes by its name where a hub can be reached and its licence (of UMLS and "
        "SNOMED CT) has been accepted"
    )


def _refuse_missing_weights(source: EncoderSource, missing: set[str] | list[str]) -> None:
    """Raise TextEncoderError for missing weights, which transformers draws at random; the pooler's are not used."""
    lacking = sorted(name for name in missing if "pooler" not in name.split("."))
    if lacking:
        raise TextEncoderError(
            f"the weights in {source.place} lack {len(lacking)} that its config.json asks for (first: {lacking[0]}): "
            "put the two files of one encoder together"
        )


def _stated_length(source: EncoderSource) -> int | None:
    settings = source.read_json(LENGTH_FILE)
    length = settings.get("max_seq_length") if isinstance(settings, dict) else None
    if length is not None and (type(length) is not int or length < 1):
        raise TextEncoderError(
            f"{LENGTH_FILE} in {source.place}: max_seq_length is {length!r}; write a number of tokens, or null"
        )
    return length


def read_pooling(source: EncoderSource) -> TextPooling:
    """Return how an encoder's files say that its tokens become one vector; the mean where they say nothing.

    `modules.json` names the folder of sentence-transformers' pooling, in which `config.json` says which. Raises
    ``TextEncoderError`` for one that ovct does not have.
    """
    modules = source.read_json(_MODULES_FILE)
    named = [module for module in modules or [] if isinstance(module, dict) and _kind(module) == "Pooling"]
    folder = str(named[0].get("path") or _POOLING_FOLDER) if named else _POOLING_FOLDER
    if not all(_PLAIN_NAME.fullmatch(part) for part in folder.split("/")):
        raise TextEncoderError(f"{_MODULES_FILE} in {source.place} has pooling in {folder!r}, which is outside of it")
    file = f"{folder}/config.json"
    modes = _pooling_modes(source.read_json(file)) or ["mean"]
    known = next((mode for mode in TEXT_POOLINGS if modes == [mode]), None)
    if known is None:
        raise TextEncoderError(
            f"{file} in {source.place} asks for {' + '.join(modes)} pooling: ovct has {', '.join(TEXT_POOLINGS)}, one "
            "at a time. Give another encoder; with another pooling this one would embed otherwise than it was trained"
        )
    return known


def _kind(module: Mapping[str, Any]) -> str:
    return str(module.get("type")).rpartition(".")[2]


def warn_of_differences(source: EncoderSource, *, lower_case: bool) -> None:
    """Warn (``UserWarning``) where ovct embeds otherwise than the encoder's own files ask for."""
    differences = []
    modules = source.read_json(_MODULES_FILE)
    extra = [module for module in modules or [] if isinstance(module, dict) and _kind(module) not in _TAKEN_MODULES]
    extra_types = [str(module.get("type")) for module in extra]
    if extra_types:
        differences.append(f"ends in {', '.join(extra_types)}, which ovct leaves out")
    settings = source.read_json(LENGTH_FILE)
    if isinstance(settings, dict) and settings.get("do_lower_case") and not lower_case:
        differences.append("asks for lower case: give PromptHandling(lower_case=True)")
    for difference in differences:
        warnings.warn(f"the encoder in {source.place} {difference}", stacklevel=3)


def _pooling_modes(config: Any) -> list[str]:
    """Return the poolings that a sentence-transformers file asks for, in its old format or its new one."""
    if not isinstance(config, dict):
        return []
    modes = config.get("pooling_mode")
    if modes is not None:
        return [str(mode) for mode in (modes if isinstance(modes, list) else [modes])]
    flags = [name.removeprefix("pooling_mode_") for name, value in config.items() if value is True]
    return [name.removesuffix("_tokens").removesuffix("_token") for name in flags if name != "include_prompt"]


def write_encoder(
    directory: Path,
    model: PreTrainedModel,
    removed_weights: Mapping[str, Tensor],
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_length: int,
    lower_case: bool,
    pooling: TextPooling,
) -> None:
    """Write the encoder in Hugging Face's layout, and what sentence-transformers needs to embed in the same way.

    ``removed_weights`` were taken out of ``model``, though its configuration has them; they are written too. Each file
    is complete before it replaces an older one: weights may still be read from that one, as torch maps files into
    memory. Raises ``TextEncoderError`` where the directory cannot be written.
    """
    kinds = {"": "Transformer", _POOLING_FOLDER: "Pooling", "2_Normalize": "Normalize"}
    modules = [
        {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for index, (path, kind) in enumerate(kinds.items())
    ]
    flags = {flag: mode == pooling for mode, flag in _POOLING_FLAGS.items()}
    files = {
        LENGTH_FILE: {"max_seq_length": max_length, "do_lower_case": lower_case},
        f"{_POOLING_FOLDER}/config.json": {"word_embedding_dimension": model.config.hidden_size, **flags},
        _MODULES_FILE: modules,
    }
    try:
        for folder in kinds:
            (directory / folder).mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=directory) as temporary:
            with disk_errors(directory), _without_progress_bar():
                model.save_pretrained(temporary, state_dict={**model.state_dict(), **removed_weights})
            _forget_calls(tokenizer)
            tokenizer.save_pretrained(temporary)
            for path in Path(temporary).iterdir():
                path.replace(directory / path.name)
        for name, content in files.items():
            (directory / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise TextEncoderError(
            f"the encoder cannot be written to {directory} ({error}): name another folder"
        ) from error


def _forget_calls(tokenizer: PreTrainedTokenizerBase) -> None:
    """Remove what the last call has left in a tokenizer, whether it cut and padded: its file would differ by that.

    Each call sets both anew.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:
        backend.no_truncation()
        backend.no_padding()
