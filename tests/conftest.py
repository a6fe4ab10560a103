"""Places and settings that all tests share."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

# A busy machine is not an error, and a failure must be the same one for whoever reads it.
settings.register_profile("ovct", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ovct")


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
