"""A page of a made study of any size, and a browser to look at it."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from cortiscope import files
from cortiscope.files import Variable
from cortiscope.planning.settings import page_settings
from cortiscope.planning.study import Study
from cortiscope.report.page.page import write
from cortiscope.report.tables import join_parquet
from tests.running import REPOSITORY, study_config
from tests.synthetic_scores import PROVENANCE, zoo

TABLES = (
    "accuracy_vs_brain",
    "contrasts",
    "correlations",
    "hierarchy",
    "layers",
    "model_comparisons",
)
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or ""
DRIVER = shutil.which("chromedriver")


def written(
    folder: Path,
    areas: tuple[str, ...],
    mappings: tuple[str, ...],
    n_models: int,
    n_layers: int = 8,
) -> Path:
    """The page, beside the tables that it is made of; models as in `synthetic_scores.zoo`."""
    made = zoo(folder, areas, mappings, n_models, n_layers)
    layers = [model["path"] for model in made.models.values()]
    tables = made.write_tables(layers)
    neuroids = [path.replace(".layers.", ".neuroids.") for path in layers]
    scores, stimuli, page = (str(folder / name) for name in ("scores.parquet", "s.nc", "page.html"))
    join_parquet(neuroids, scores, PROVENANCE)
    image = np.random.default_rng(0).integers(0, 256, (70, 32, 48, 3), dtype=np.uint8)
    ids = Variable(("stimulus",), np.array([f"picture{number}" for number in range(len(image))]))
    variables = {"image": Variable(("stimulus", "y", "x", "channel"), image), "stimulus_id": ids}
    files.write(stimuli, variables, PROVENANCE)
    study = Study.load(study_config() | {"mappings": list(mappings)}, REPOSITORY)
    settings = page_settings(study)
    about = files.provenance("made", "report", {"settings": settings}, "0" * 16)
    read = {name: tables[name] for name in TABLES}
    write(page, read, scores, layers, stimuli, settings, about)
    return Path(page)


@contextmanager
def browser(width: int = 1280) -> Iterator[webdriver.Chrome]:
    """A Chromium without a window, which keeps what pages log and request."""
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in ("headless=new", "no-sandbox", "disable-gpu", f"window-size={width},900"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, Service(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def requests(driver: webdriver.Chrome) -> list[str]:
    """All that the browser has asked for since it was last asked, but for what a page holds."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    urls = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    return [url for url in urls if not url.startswith("data:")]
