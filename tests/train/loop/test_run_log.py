import json
import math
from pathlib import Path
from typing import Any

import pytest
from tensorboardX.proto.event_pb2 import Event

from train.loop.run_log import CURVES, METRICS, RunLog, draw_curves, read_metrics

PNG = b"\x89PNG\r\n\x1a\n"


def test_lines_curves_and_tensorboard(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "run", 0)
    assert log.last("evaluation") == {}
    log.write(1, "train", {"loss": 0.123456789, "learning_rate": 1e-3})
    log.write(1, "evaluation", {"loss": 0.5, "dice": 0.25})
    log.write(2, "train", {"loss": 0.1, "learning_rate": 1e-4})
    log.draw()
    log.close()
    lines = [json.loads(line) for line in (tmp_path / "run" / METRICS).read_text().splitlines()]
    assert lines[0] == {"step": 1, "kind": "train", "loss": 0.123457, "learning_rate": 0.001}
    assert [(line["step"], line["kind"]) for line in lines] == [(1, "train"), (1, "evaluation"), (2, "train")]
    assert log.last("evaluation") == {"loss": 0.5, "dice": 0.25} and log.last("train")["loss"] == 0.1
    assert (tmp_path / "run" / CURVES).read_bytes().startswith(PNG)
    assert any((tmp_path / "run" / "tensorboard").iterdir())


def test_a_line_is_on_disk_once_written(tmp_path: Path) -> None:
    log = RunLog(tmp_path, 0)
    log.write(1, "train", {"loss": 1.0})
    assert len(read_metrics(tmp_path / METRICS)) == 1
    log.close()


def test_a_run_that_goes_on_drops_what_is_behind_its_step(tmp_path: Path) -> None:
    log = RunLog(tmp_path, 0)
    for step in (1, 2, 3):
        log.write(step, "train", {"loss": float(step)})
    log.close()
    with (tmp_path / METRICS).open("a") as file:
        file.write('{"step": 4, "kind": "tr')
    assert [line["step"] for line in read_metrics(tmp_path / METRICS)] == [1, 2, 3]
    log = RunLog(tmp_path, 2)
    assert log.last("train") == {"loss": 2.0}
    log.write(3, "train", {"loss": 30.0})
    log.close()
    assert [line["loss"] for line in read_metrics(tmp_path / METRICS)] == [1.0, 2.0, 30.0]
    RunLog(tmp_path, 0).close()
    assert read_metrics(tmp_path / METRICS) == []


def test_what_is_no_number_is_still_json_and_not_drawn(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = RunLog(tmp_path, 0)
    log.write(1, "evaluation", {"dice": math.nan, "false_masks": 0.5})
    log.draw()
    log.close()
    assert caplog.text == ""  # tensorboardX warns of it, and nobody knows of what
    line = (tmp_path / METRICS).read_text()
    assert "NaN" not in line and json.loads(line)["false_masks"] == 0.5
    assert math.isnan(log.last("evaluation")["dice"]) and (tmp_path / CURVES).is_file()


def test_tensorboard_has_the_numbers_and_leaves_out_what_a_run_that_goes_on_writes_anew(tmp_path: Path) -> None:
    log = RunLog(tmp_path, 0)
    log.write(1, "train", {"loss": 0.5, "dice": 0.25})
    log.close()
    values = [value for event in events(tmp_path) for value in event.summary.value]
    assert {value.tag: value.simple_value for value in values} == {"train/loss": 0.5, "train/dice": 0.25}
    for path in (tmp_path / "tensorboard").iterdir():
        path.unlink()
    RunLog(tmp_path, 2).close()
    assert [event.step for event in events(tmp_path) if event.session_log.status == 1] == [3]


def events(folder: Path) -> list[Any]:
    """Read TensorBoard's file: records of their length, its sum, the event, its sum."""
    (path,) = (folder / "tensorboard").iterdir()
    content, found = path.read_bytes(), []
    while content:
        length = int.from_bytes(content[:8], "little")
        found.append(Event.FromString(content[12 : 12 + length]))
        content = content[16 + length :]
    return found


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_full_disk_under_tensorboard_is_told_and_nothing_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = RunLog(tmp_path, 0)
    log.close()
    with open("/dev/full", "wb", 0) as full:
        monkeypatch.setattr("tensorboardX.record_writer.open_file", lambda path: full)
        with pytest.raises(OSError, match=r"No space left.*tensorboard"):
            log = RunLog(tmp_path, 0)
            for step in range(40):  # more than a queue holds
                log.write(step, "train", {"loss": 1.0, "dice": 0.5})


def test_without_numbers_no_picture(tmp_path: Path) -> None:
    draw_curves([], tmp_path / CURVES)
    assert not list(tmp_path.iterdir()) and read_metrics(tmp_path / METRICS) == []
