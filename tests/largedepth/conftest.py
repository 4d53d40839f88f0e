"""What several tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest
import report_folder as small


@pytest.fixture(scope="session")
def report_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a report and all that it is made of."""
    path = tmp_path_factory.mktemp("report")
    small.make(path)
    return path
