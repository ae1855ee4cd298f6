"""The page in a real browser, from disk: nothing leaves it, and one selection holds everywhere."""

import re

import pandas as pd
import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.page_scene import BROWSER, DRIVER, browser, requests, written

pytestmark = [
    pytest.mark.skipif(not (BROWSER and DRIVER), reason="no chromium with chromedriver here"),
    pytest.mark.xdist_group("browser"),  # which share one
]
AREAS, N_MODELS = ("V1", "IT"), 9


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return written(tmp_path_factory.mktemp("page"), AREAS, ("ridge", "rsa"), N_MODELS)


@pytest.fixture(scope="module")
def driver():
    with browser() as found:
        yield found


@pytest.fixture
def opened(driver, page):
    driver.get(page.as_uri())
    WebDriverWait(driver, 30).until(
        lambda d: d.execute_script("return document.body.dataset.drawn")
    )
    return driver


def count(driver, chart, mark="symbol"):
    """How many marks a chart has."""
    return len(driver.find_elements(By.CSS_SELECTOR, f"#chart-{chart} .mark-{mark}.role-mark path"))


def settled(driver, condition):
    WebDriverWait(driver, 10).until(condition)


def names(driver):
    """The networks in the table, from top to bottom."""
    return [found.text for found in driver.find_elements(By.CSS_SELECTOR, "#table .name")]


def shown_tooltip(driver, element):
    """Its rows as name to text."""
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    ActionChains(driver).move_to_element(element).perform()
    settled(driver, lambda d: d.find_elements(By.CSS_SELECTOR, "#vg-tooltip-element.visible td"))
    cells = driver.find_elements(By.CSS_SELECTOR, "#vg-tooltip-element td")
    texts = [cell.text.rstrip(":") for cell in cells]
    return dict(zip(texts[::2], texts[1::2], strict=True))


def test_it_opens_from_disk_without_an_error_or_a_request(opened, page):
    assert [entry for entry in opened.get_log("browser") if entry["level"] != "INFO"] == []
    assert requests(opened)[-1:] == [page.as_uri()]
    assert len(set(requests(opened))) <= 1
    for chart in ("accuracy", "depth", "size", "map", "training", "hierarchy", "chance"):
        assert opened.find_elements(By.CSS_SELECTOR, f"#chart-{chart} svg .role-mark path")
    assert opened.execute_script("return document.documentElement.scrollWidth <= innerWidth")


def test_a_family_that_is_chosen_is_the_only_one_everywhere(opened, page):
    models = pd.read_csv(page.parent / "accuracy_vs_brain.csv").drop_duplicates("model")
    family = models["family"].iloc[0]
    members = models[models["family"] == family]
    assert count(opened, "size") == N_MODELS * len(AREAS)
    Select(opened.find_element(By.ID, "choose-family")).select_by_visible_text(family)
    settled(opened, lambda d: count(d, "size") == len(members) * len(AREAS))
    known = members["top1"].notna().sum()
    assert count(opened, "accuracy") == known * len(AREAS)
    assert count(opened, "map", "rect") == len(members) * len(AREAS)
    assert sorted(names(opened)) == sorted(members["model"])
    Select(opened.find_element(By.ID, "choose-area")).select_by_visible_text("IT")
    settled(opened, lambda d: count(d, "size") == len(members))
    opened.find_element(By.ID, "choose-all").click()
    settled(opened, lambda d: count(d, "size") == N_MODELS * len(AREAS))
    assert len(names(opened)) == N_MODELS


def test_the_table_sorts_searches_and_follows_the_mapping(opened, page):
    table = pd.read_csv(page.parent / "accuracy_vs_brain.csv")
    opened.find_element(By.CSS_SELECTOR, '[data-sort="at IT"]').click()
    for mapping in ("ridge", "rsa"):
        Select(opened.find_element(By.ID, "choose-mapping")).select_by_visible_text(mapping)
        rows = table[(table["area"] == "IT") & (table["mapping"] == mapping)]
        assert names(opened) == rows.sort_values("score", ascending=False)["model"].tolist()
    heading = opened.find_element(By.CSS_SELECTOR, 'th:has([data-sort="at IT"])')
    assert heading.get_attribute("aria-sort") == "descending"
    opened.find_element(By.ID, "search").send_keys("untrained")
    assert set(names(opened)) == set(table[table["training"] == "untrained"]["model"])


def test_a_tooltip_tells_the_numbers_of_the_table(opened, page):
    table = pd.read_csv(page.parent / "accuracy_vs_brain.csv")
    point = opened.find_element(By.CSS_SELECTOR, "#chart-accuracy .mark-symbol.role-mark path")
    told = shown_tooltip(opened, point)
    (row,) = table[
        (table["model"] == told["model"]) & (table["area"] == told["area"])
        & (table["mapping"] == "ridge")
    ].to_dict("records")  # fmt: skip
    assert float(told["score"].replace("−", "-")) == pytest.approx(row["score"], abs=6e-4)
    low, high = (float(end) for end in told["95 % interval"].split(" to "))
    assert [low, high] == pytest.approx([row["score_low"], row["score_high"]], abs=6e-4)
    assert told["best layer"] == row["best_layer"]


def test_a_click_on_a_point_chooses_its_network_everywhere(opened):
    point = opened.find_element(By.CSS_SELECTOR, "#chart-accuracy .mark-symbol.role-mark path")
    model = shown_tooltip(opened, point)["model"]
    point.click()
    box = f'#table input[aria-label="Choose {model}"]'
    settled(opened, lambda d: d.find_element(By.CSS_SELECTOR, box).is_selected())
    pressed = opened.find_elements(By.CSS_SELECTOR, '#legend [aria-pressed="true"]')
    assert [button.text for button in pressed] == [model]
    pale = opened.find_elements(By.CSS_SELECTOR, '#chart-size .mark-symbol path[opacity="0.1"]')
    assert len(pale) == (N_MODELS - 1) * len(AREAS)


def test_a_network_has_a_view_of_its_own(opened, page):
    names_of = opened.find_elements(By.CSS_SELECTOR, "#table .name")
    model = names_of[0].text
    opened.execute_script("arguments[0].click()", names_of[0])
    drawn = '[data-chart="model"] .mark-symbol.role-mark path'
    settled(opened, lambda d: len(d.find_elements(By.CSS_SELECTOR, drawn)) == 8 * len(AREAS) * 2)
    view = opened.find_element(By.ID, "view")
    assert view.text.startswith(model)
    neuroids = pd.read_parquet(page.parent / "scores.parquet")
    table = pd.read_csv(page.parent / "accuracy_vs_brain.csv")
    best = table[(table["model"] == model) & (table["area"] == "IT")]["best_layer"].iloc[0]
    mine = neuroids[
        (neuroids["model"] == model) & (neuroids["area"] == "IT") & (neuroids["layer"] == best)
        & (neuroids["mapping"] == "ridge")
    ].sort_values("score", ascending=False)  # fmt: skip
    shown = re.findall(r"^\d+ (IT-\d) ([\d.]+)", view.text, re.M)
    assert [name for name, _ in shown] == mine["neuroid_id"].tolist()
    assert [float(score) for _, score in shown] == pytest.approx(mine["score"].tolist(), abs=6e-3)


def test_all_can_be_reached_by_keyboard(opened):
    reached = opened.execute_script(
        "return [...document.querySelectorAll('a, button, select, input, summary, [tabindex]')]"
        ".filter(e => e.checkVisibility() && e.tabIndex < 0 && e.id !== 'view').length"
    )
    assert reached == 0


@pytest.mark.parametrize("width", [390, 768])
def test_it_is_as_wide_as_the_screen(driver, page, width):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    driver.get(page.as_uri())
    settled(driver, lambda d: d.execute_script("return document.body.dataset.drawn"))
    wide = driver.execute_script("return document.documentElement.scrollWidth")
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide <= width
