"""Pictures of every page: `python -m tests.browser.screens DIR`, and of one for the README.

python -m tests.browser.screens DIR [NAME ...]        of all pages, or those of the tour's NAMEs
python -m tests.browser.screens --readme docs/integrations.png
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from kartramail.db import Database
from kartramail.schema import migrate
from tests.browser.conftest import CHROMIUM, Visitors, add_domains
from tests.browser.install import find_chromium
from tests.browser.tour import TOUR, Stop, Town
from tests.browser.world import open_world
from tests.support.dns_server import DnsServer

SIZES = {1280: 900, 390: 844}
SCHEMES = ("light", "dark")
FOR_README = "edit"


@contextmanager
def _town() -> Iterator[tuple[Town, Browser]]:
    chromium = find_chromium()  # before Playwright runs: it may ask Playwright itself
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        template = folder / "template.db"
        db = Database(f"sqlite:///{template}")
        migrate(db)
        db.dispose()
        dns = stack.enter_context(DnsServer())
        add_domains(dns)
        world = stack.enter_context(open_world(folder, template, dns))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM))
        stack.callback(browser.close)
        yield Town(world), browser


def take_all(folder: Path, names: list[str]) -> None:
    """Every page in two widths and two schemes, whole, as `<name>-<width>-<scheme>.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    with _town() as (town, browser):
        for stop in TOUR:
            if not names or stop.name in names:
                _take(town, browser, stop, folder)


def _take(town: Town, browser: Browser, stop: Stop, folder: Path) -> None:
    visitors = Visitors(town.world, browser, [])
    page = visitors(None if stop.who == "stranger" else getattr(town, stop.who))
    page.set_viewport_size({"width": 1280, "height": 900})
    stop.visit(page, town)
    for width, height in SIZES.items():
        for scheme in SCHEMES:
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            path = folder / f"{stop.name}-{width}-{scheme}.png"
            page.set_viewport_size({"width": width, "height": max(height, _length(page))})
            page.wait_for_timeout(300 if page.locator("iframe").count() else 0)  # drawn only then
            page.screenshot(path=path)
    visitors.close()
    print(stop.name, flush=True)


def _length(page: Page) -> int:
    """The whole page in px. The window is made as tall as that: in a picture of more than the
    window, Chromium leaves sandboxed frames blank that lie below it."""
    length: int = page.evaluate("document.documentElement.scrollHeight")
    return length


def take_for_readme(path: Path) -> None:
    """The one page that shows best what this is about."""
    with _town() as (town, browser):
        visitors = Visitors(town.world, browser, [])
        page = visitors(town.jane, viewport={"width": 1280, "height": 800})
        next(stop for stop in TOUR if stop.name == FOR_README).visit(page, town)
        path.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=path)
        visitors.close()


def main() -> None:
    """Take what the command line asks for."""
    parser = argparse.ArgumentParser(description="Take pictures of the pages.")
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--readme", type=Path)
    arguments = parser.parse_args()
    if arguments.readme:
        take_for_readme(arguments.readme)
    if arguments.folder:
        take_all(arguments.folder, arguments.names)


if __name__ == "__main__":
    main()
