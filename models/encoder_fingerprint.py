"""Hashes all that decides an embedding: an encoder's weights, tokenizer and settings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

# The keys of a configuration that change the computation and do not show in the weights' names and shapes.
_CONFIG_KEYS = (
    "model_type pad_token_id num_attention_heads n_heads hidden_act activation hidden_activation "
    "layer_norm_eps norm_eps rms_norm_eps rope_theta rope_scaling rope_parameters"
).split()

_PROBE_LENGTH = 64
# Case, accents, signs of other scripts, numbers and units, white space, control signs, special tokens; the last is
# too long, so that it tells where a tokenizer cuts.
_PROBES = (
    "",
    "No focal Lesion in the LEFT Kidney; 3.5 x 2,1 cm (≥ 20 HU)?",
    "na\u00efve nai\u0308ve \u0130stanbul Stra\u00dfe \u65e5\u672c\u8a9e \ud55c\uae00 \u0643\u0628\u062f",
    " two  blanks\ttab\nline\u00a0fixed \x00\x07 \u200b \U0001f9e0 ",
    "[CLS] <s> [MASK] <mask> </s> [SEP] [PAD]",
    " ".join(str(number) for number in range(_PROBE_LENGTH)),
)


def fingerprint(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *settings: Hashable) -> str:
    """Return the SHA-256 (hex) of the weights by name, type, shape and bytes, of the tokenizer, and of ``settings``.

    The tokenizer is represented by its vocabulary with its rules and by the tokens of some texts, not by its files,
    which each release of transformers writes in its own way.
    """
    config = model.config.to_dict()
    facts = {
        "config": {name: config[name] for name in _CONFIG_KEYS if config.get(name) is not None},
        "tokenizer": _tokenizer_facts(tokenizer),
        "settings": settings,
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(memoryview(tensor.cpu().reshape(-1).view(torch.uint8).numpy()))
    return digest.hexdigest()


def _tokenizer_facts(tokenizer: PreTrainedTokenizerBase) -> list[Any]:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    rules = tokenizer.get_vocab() if backend is None else json.loads(backend.to_str())["model"]
    probes = tokenizer(list(_PROBES), truncation=True, max_length=_PROBE_LENGTH, return_token_type_ids=True)
    return [rules, sorted(tokenizer.get_added_vocab().items()), probes["input_ids"], probes["token_type_ids"]]


def weights_state(model: PreTrainedModel) -> tuple[Hashable, ...]:
    """Return a state that differs once a weight has changed: cheap, and to be compared within this process only.

    An in-place change raises a tensor's version, a new tensor has another address. A write through ``.data`` does
    neither: one value of each tensor shows it, where the whole tensor was written.
    """
    return tuple(
        (name, tensor.data_ptr(), _version(tensor), tensor.dtype, _middle_value(tensor))
        for name, tensor in model.state_dict().items()
    )


def _version(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


def _middle_value(tensor: Tensor) -> float | None:
    return float(tensor[tuple(size // 2 for size in tensor.shape)]) if tensor.numel() else None
