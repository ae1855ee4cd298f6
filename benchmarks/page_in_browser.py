"""The page of a large study in a real browser: its size, time to first paint, and memory.

    python benchmarks/page_in_browser.py [--models 100] [--layers 20] [--areas 6] [--mappings 2]

The study is made, not fitted, as in tests/synthetic_scores.py. The page is written as its job does
it, then opened from disk in headless Chromium at 1440 pixels. Aims: 25 MB, 3 s to the first paint.
With --keep the files stay in that folder, to be looked at.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.page_scene import browser, requests, written

MAPPINGS = ("ridge", "rsa", "cka", "pls")
MEGABYTES_AIM, SECONDS_AIM, WAIT = 25.0, 3.0, 120.0
PAINT = "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def measure(page: Path) -> None:
    """Open a page; print what it takes."""
    print(f"size            {page.stat().st_size / 1e6:8.1f} MB   (aim {MEGABYTES_AIM:g})")
    with browser(1440) as driver:
        driver.execute_cdp_cmd("Performance.enable", {})
        started = time.monotonic()
        driver.get(page.as_uri())
        while not driver.execute_script("return document.body.dataset.drawn"):
            if time.monotonic() - started > WAIT:
                sys.exit("charts were not drawn")
            time.sleep(0.05)
        drawn = time.monotonic() - started
        painted = driver.execute_script(PAINT) / 1000
        found = driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        metrics = {entry["name"]: entry["value"] for entry in found}
        print(f"first paint     {painted:8.2f} s    (aim {SECONDS_AIM:g})")
        print(f"all charts      {drawn:8.2f} s")
        print(f"scripts' heap   {metrics['JSHeapUsedSize'] / 1e6:8.0f} MB")
        print(f"nodes           {metrics['Nodes']:8.0f}")
        started = time.monotonic()
        driver.execute_async_script(
            "const done = arguments[0];"
            "document.querySelector('#legend button').click();"
            "requestAnimationFrame(() => requestAnimationFrame(() => done()));"
        )
        print(f"a selection     {time.monotonic() - started:8.2f} s")
        print(f"requests        {len(set(requests(driver)) - {page.as_uri()}):8d}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("models", 100), ("layers", 20), ("areas", 6), ("mappings", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    areas = tuple(f"area{number}" for number in range(asked.areas))
    with tempfile.TemporaryDirectory() as folder:
        place = asked.keep or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        measure(written(place, areas, MAPPINGS[: asked.mappings], asked.models, asked.layers))


if __name__ == "__main__":
    main()
