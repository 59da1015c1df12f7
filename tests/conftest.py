"""What several suites share."""

from __future__ import annotations

from collections.abc import Iterator

import browser
import pytest

pytest.register_assert_rewrite("support")

#: Tiny datasets in every layout.
pytest_plugins = ["support.dataset_fixtures"]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[browser.Browser]:
    """A browser for all tests of a module."""
    running = browser.Browser(tmp_path_factory.mktemp("profile"))
    yield running
    running.close()
