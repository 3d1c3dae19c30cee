"""Phones of three engines, and a school for them. An engine that this machine has not got is named, and its journeys are left out."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from tests.browsers.windows import Window, a_screen, lacking, opened
from tests.journeys.conftest import driver, filled, school

__all__ = ["driver", "filled", "school"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents and "school" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.journey)


@pytest.fixture(scope="package")
def screen() -> Iterator[str]:
    if lacking("webkit"):
        yield ""
        return
    with a_screen() as name:
        yield name


@pytest.fixture
def new_window(driver: Playwright, screen: str, tmp_path: Path) -> Iterator[Callable[..., Window]]:
    """Opens a window of an engine on a profile, by default on one of its own; none is left at the end."""
    windows: list[Window] = []

    def unpack(engine: str, profile: str = "profile") -> Window:
        if missing := lacking(engine):
            pytest.skip(f"Nothing was proved in {engine}: {missing}")
        windows.append(opened(engine, driver, screen, tmp_path / f"{engine}-{profile}"))
        windows[-1].start()
        return windows[-1]

    yield unpack
    for window in windows:
        window.close()
