"""Published weights: every form they come in is read, what could run code is not."""

import collections
import errno
import os
import pathlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from models.architecture import PUBLISHED_LABELS
from models.stunet import STUNet
from models.weights_file import WeightsFileError, disk_errors, read_weights, saving_folder, write_tensors


def network(classes: int | None = 105) -> STUNet:
    torch.manual_seed(1)
    return STUNet("tiny-deep", num_classes=classes)


def as_nnunet_v1(state: dict[str, Any]) -> dict[str, Any]:
    curves: tuple[list[Any], ...] = ([np.float64(0.3), np.mean([1.0, 2.0])], [np.float32(1)], [])
    return {
        "epoch": 4000,
        "state_dict": collections.OrderedDict(state),
        "plot_stuff": curves,
        "best_stuff": (0.9, None),
    }


def as_nnunet_v2(state: dict[str, Any]) -> dict[str, Any]:
    logging = {"mean_fg_dice": [np.float64(0.5)], "curve": np.arange(3.0), "dice": np.zeros(2, dtype=np.int16)}
    arguments = {"plans": {"patch": [128, 128, 128]}, "device": torch.device("cuda")}
    return {"network_weights": state, "logging": logging, "init_args": arguments, "optimizer_state": {"lr": 0.01}}


def wrapped(state: dict[str, Any]) -> dict[str, Any]:
    return {"state_dict": {f"module._orig_mod.{name}": tensor for name, tensor in state.items()}}


@pytest.mark.parametrize("form", [as_nnunet_v1, as_nnunet_v2, wrapped, dict], ids=["v1", "v2", "wrapped", "bare"])
@pytest.mark.parametrize("zipped", [True, False])
def test_what_nnunet_writes_is_read(tmp_path: Path, form: Any, zipped: bool) -> None:
    original = network()
    path = tmp_path / "tiny_ep4k.model"
    torch.save(form(original.state_dict()), path, _use_new_zipfile_serialization=zipped)
    loaded = STUNet.load_published(path)
    assert loaded.labels == PUBLISHED_LABELS
    assert (loaded.architecture, loaded.num_classes) == (original.architecture, 105)
    assert all(torch.equal(loaded.state_dict()[name], tensor) for name, tensor in original.state_dict().items())
    x = torch.randn(1, 1, 32, 32, 32)
    torch.testing.assert_close(loaded(x), original(x), rtol=1e-4, atol=1e-4)
    assert all(parameter.requires_grad for parameter in loaded.parameters())


def test_numpy_values_under_the_name_that_numpy_1_gave_them(tmp_path: Path) -> None:
    new, old = tmp_path / "new.model", tmp_path / "old.model"
    torch.save(as_nnunet_v1({"weight": torch.ones(2)}) | {"curve": np.arange(3.0)}, new)
    with zipfile.ZipFile(new) as source, zipfile.ZipFile(old, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(b"cnumpy._core.", b"cnumpy.core."))
    assert b"numpy.core.multiarray" in old.read_bytes()
    assert read_weights(old)["weight"].tolist() == [1, 1]


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_safetensors_are_read_under_any_name(tmp_path: Path, suffix: str) -> None:
    original = network(classes=None)
    save_file(original.half().state_dict(), tmp_path / f"weights{suffix}")
    loaded = STUNet.load_published(tmp_path / f"weights{suffix}")
    assert (loaded.num_classes, loaded.labels) == (None, None)
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}


def test_other_heads_are_named_by_the_caller(tmp_path: Path) -> None:
    torch.save({"state_dict": network(classes=3).state_dict()}, tmp_path / "organs.pth")
    assert STUNet.load_published(tmp_path / "organs.pth").labels is None
    loaded = STUNet.load_published(tmp_path / "organs.pth", labels=["background", "liver", "spleen"])
    assert loaded.select_labels(["spleen"]).num_classes == 1
    with pytest.raises(WeightsFileError, match=r"organs.pth: 2 labels for 3 classes"):
        STUNet.load_published(tmp_path / "organs.pth", labels=["liver", "spleen"])


class Attack:
    """What a pickle can do."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[Any, ...]:
        return pathlib.Path.touch, (self.victim,)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_would_run_code_is_refused_unread(tmp_path: Path, zipped: bool) -> None:
    path, victim = tmp_path / "weights.model", tmp_path / "victim"
    content = {"state_dict": network().state_dict(), "extra": Attack(victim)}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsFileError, match=r"weights\.model.*only tensors.*safetensors") as caught:
        STUNet.load_published(path)
    assert not victim.exists()
    assert not zipped or "pathlib" in str(caught.value)
    assert "numpy" not in str(caught.value).partition("only tensors")[0]


def test_objects_in_numpy_arrays_are_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": {"w": torch.ones(1)}, "x": np.array([{}, None], dtype=object)}, tmp_path / "a.model")
    with pytest.raises(WeightsFileError, match="only tensors"):
        read_weights(tmp_path / "a.model")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read as a PyTorch file"),
        (b"not weights at all", "cannot be read as a PyTorch file|is no PyTorch file"),
        (b"PK\x03\x04 torn", "cannot be read as a PyTorch file"),
        (b"\x80\x02}q\x00.", "cannot be read as a PyTorch file|is no PyTorch file"),
    ],
)
def test_a_torn_or_foreign_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "x.model"
    path.write_bytes(content)
    with pytest.raises(WeightsFileError, match=f"x.model.*({message})"):
        read_weights(path)


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": network().state_dict()}, tmp_path / "cut.model")
    save_file({"w": torch.ones(100)}, tmp_path / "cut.safetensors")
    for name in ("cut.model", "cut.safetensors"):
        path = tmp_path / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(WeightsFileError, match=name):
            read_weights(path)
    with pytest.raises(WeightsFileError, match="no such file"):
        read_weights(tmp_path / "missing.model")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"state_dict": {}}, "nothing instead of tensors"),
        ({"epoch": 3, "optimizer": {}}, "no weights under state_dict or network_weights; it holds epoch, optimizer"),
        ([1, 2], "holds a list"),
        ({"state_dict": {"conv.weight": torch.ones(1)}}, "no weights of an STU-Net"),
        (network().state_dict() | {"conv_blocks_context.0.0.conv1.weight": torch.tensor(1.0)}, "not five dimensions"),
        (network().state_dict() | {"seg_outputs.0.weight": torch.ones(7)}, "not five dimensions"),
        ({name: tensor.int() for name, tensor in network().state_dict().items()}, "not floating point: conv_blocks"),
    ],
)
def test_what_is_not_stunet_is_refused(tmp_path: Path, content: Any, message: str) -> None:
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(WeightsFileError, match=f"other.pth.*{message}"):
        STUNet.load_published(tmp_path / "other.pth")


def test_what_is_missing_or_too_much_is_listed(tmp_path: Path) -> None:
    state = network(classes=4).state_dict()
    del state["upsample_layers.3.conv.bias"]
    state["extra.weight"] = torch.ones(1)
    state["seg_outputs.2.weight"] = torch.ones(4, 3, 1, 1, 1)
    torch.save({"state_dict": state}, tmp_path / "odd.pth")
    with pytest.raises(WeightsFileError) as caught:
        STUNet.load_published(tmp_path / "odd.pth")
    message = str(caught.value)
    assert "1 missing: upsample_layers.3.conv.bias" in message and "1 unknown: extra.weight" in message
    assert "1 of another shape: seg_outputs.2.weight is (4, 3, 1, 1, 1) and not (4, 16, 1, 1, 1)" in message


def test_what_safetensors_cannot_write_is_told_as_an_error_of_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "w.safetensors"
    with pytest.raises(FileNotFoundError) as caught, disk_errors(path):
        save_file({"a": torch.ones(1)}, path)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOENT, str(path))
    for text, number in (("No space left on device", errno.ENOSPC), ("Disk quota exceeded", errno.EDQUOT)):
        with pytest.raises(OSError, match="gone/w") as caught_os, disk_errors(path):
            raise SafetensorError(f'Error while serializing: I/O error: {text} (os error {number}) at path "x"')
        assert caught_os.value.errno == number
    with pytest.raises(SafetensorError, match="too large"), disk_errors(path):
        raise SafetensorError("header too large")


def test_a_killed_save_leaves_what_the_next_one_removes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "w.safetensors"

    def killed(tensors: object, file: Path, metadata: object) -> None:
        file.with_name(".tmpAbCdEf").write_bytes(b"as safetensors calls what it is writing")
        os._exit(9)

    monkeypatch.setattr("safetensors.torch.save_file", killed)
    child = os.fork()
    if not child:
        write_tensors({"a": torch.ones(2)}, path)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert list(tmp_path.iterdir()) == [saving_folder(path)]
    monkeypatch.undo()
    write_tensors({"a": torch.ones(2).expand(3, 2)}, path)
    assert list(tmp_path.iterdir()) == [path] and read_weights(path)["a"].shape == (3, 2)


def test_a_save_that_fails_leaves_nothing_and_names_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "w.safetensors"

    def full(tensors: object, file: Path, metadata: object) -> None:
        file.with_name(".tmpAbCdEf").write_bytes(b"half of it")
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(OSError, match="No space left") as caught:
        write_tensors({"a": torch.ones(2)}, path)
    assert caught.value.filename == str(path) and not list(tmp_path.iterdir())
