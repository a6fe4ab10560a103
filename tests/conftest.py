"""Places and settings that all tests share."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.faults.trials import TrialTable
from tests.models.encoders import minilm_directory, unpack_mpnet

ROOT = Path(__file__).resolve().parents[1]

# A busy machine is not an error, and a failure must be the same one for whoever reads it.
settings.register_profile("ovct", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ovct")


def pytest_configure(config: pytest.Config) -> None:
    """Print the table of the trials of faults at the end, also of those that other processes made."""
    config.pluginmanager.register(TrialTable())


# Files that take longest, though many hold few tests: they start clusters, processes or browsers. Those of training,
# which begin next, are not named.
LONGEST_FILES = (
    "curation/ray_cluster/test_recipe.py",
    "train/test_torchrun.py",
    "curation/audit/test_browser.py",
    "curation/test_resume.py",
    "curation/caption_set/test_publishing.py",
    "models/test_stunet.py",
    "models/test_text.py",
    "curation/cli/test_hostile_curate.py",
    "curation/word_suggestions/test_suggestions.py",
    "test_cli.py",
    "curation/llm/test_pool.py",
    "curation/test_replay.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no process waits at the end for another one's.

    xdist keeps this order with `--no-loadscope-reorder`; else it begins with the files that hold most tests.
    """
    longest = {ROOT / "tests" / name: place for place, name in enumerate(LONGEST_FILES)}
    train = ROOT / "tests" / "train"
    items.sort(key=lambda item: longest.get(item.path, len(longest) + (not item.path.is_relative_to(train))))


@pytest.fixture(scope="session")
def examples() -> Path:
    """The folder of small inputs that ships with the project."""
    return ROOT / "examples"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real reports and volumes, which are not ours to ship and lie beside the checkout where there are any."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}")
    return folder


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The directory of a real text encoder: all-MiniLM-L6-v2."""
    return minilm_directory()


@pytest.fixture(scope="session")
def mpnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory of a real text encoder of BioLORD's architecture: all-mpnet-base-v2."""
    folder = tmp_path_factory.mktemp("mpnet")
    yield unpack_mpnet(folder)
    # pytest keeps the folders of three runs, and this one is large.
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """torch on one thread: on a machine with more to do, two that wait for each other are slower by far."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Curate in this process, however many reports there are: worker processes import for longer than they work."""
    for module in ("curation.pipeline", "curation.replay"):
        monkeypatch.setattr(f"{module}.INLINE_REPORTS", sys.maxsize)
