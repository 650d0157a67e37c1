"""The report in a real browser: nothing on the console or the network, filters and links work."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from verifier.report.html import write_report
from verifier.runs.reader import Run

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="needs chromium and chromedriver"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def address(run: Run, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(run, path)
    return path.as_uri()


@pytest.fixture
def page(browser: Any, address: str) -> Any:
    shaped(browser, width=1280)
    browser.get("about:blank")
    browser.get(address)
    return browser


def shaped(browser: Any, *, width: int, scheme: str = "light") -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )


def visible_rows(page: Any) -> list[str]:
    return page.execute_script(
        "const rows = [...document.querySelectorAll('#matrix-table tbody tr')];"
        "return rows.filter(r => !r.hidden).map(r => r.cells[0].textContent.trim())"
    )


def choose(page: Any, field: str, value: str) -> None:
    page.execute_script(
        "const f = document.getElementById('filters'); f.elements[arguments[0]].value = arguments[1];"
        "f.elements[arguments[0]].dispatchEvent(new Event('input', {bubbles: true}))",
        field,
        value,
    )


def test_the_console_is_silent_and_the_network_too(page: Any, address: str) -> None:
    assert page.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = {event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"}
    assert {url for url in asked if not url.startswith(("data:", "about:", "chrome:"))} <= {address}


def test_a_blocked_style_would_be_noticed(page: Any) -> None:
    page.execute_script(
        "document.body.insertAdjacentHTML('beforeend', '<p style=\"color:red\">x</p><img src=\"https://example.org/x.png\">')"
    )
    said = " ".join(entry["message"] for entry in page.get_log("browser"))
    assert "Content Security Policy" in said


def test_formulas_are_typeset_in_the_embedded_font(page: Any) -> None:
    assert page.execute_script("return document.fonts.ready.then(() => document.fonts.check('16px \"Verifier Math\"'))")
    height = page.execute_script("return document.querySelector('.display math mfrac').getBoundingClientRect().height")
    assert height > 25


def test_plots_have_ink(page: Any) -> None:
    boxes = page.execute_script(
        "const plots = [...document.querySelectorAll('svg.plot')];"
        "return plots.filter(s => s.checkVisibility()).map(s => s.getBoundingClientRect().height)"
    )
    assert len(boxes) > 8
    assert min(boxes) > 100


def test_filters_narrow_the_matrix_and_the_address_remembers(page: Any) -> None:
    everything = visible_rows(page)
    choose(page, "text", "tanh")
    assert visible_rows(page) == ["tanh squared, in two layers"]
    assert page.current_url.endswith("#matrix;text=tanh")
    assert page.find_element("id", "shown").text == f"1 of {len(everything)} functions"
    choose(page, "text", "")
    choose(page, "verdict", "N")
    assert visible_rows(page) == ["Variance of the blended price"]
    choose(page, "dtype", "float64")
    assert visible_rows(page) == []


def test_a_filter_by_dtype_repaints_the_cells(page: Any) -> None:
    first = "return document.querySelector('#matrix-table tbody tr td span').textContent"
    assert page.execute_script(first) == "n"
    choose(page, "dtype", "float64")
    assert page.execute_script(first) == "A"


def test_a_link_restores_the_state(browser: Any, address: str) -> None:
    shaped(browser, width=1280)
    browser.get("about:blank")
    browser.get(f"{address}#matrix;dtype=float16;text=variance;sort=title")
    assert visible_rows(browser) == ["Variance of the blended price"]
    assert browser.execute_script("return document.querySelector('[aria-sort]').textContent") == "function"
    browser.get("about:blank")
    browser.get(f"{address}#matrix;dtype=%E0;nosuch=1;sort=constructor")
    assert browser.get_log("browser") == []


def test_columns_sort_worst_first_and_back(page: Any) -> None:
    before = visible_rows(page)
    button = page.find_element("css selector", "th[data-sort='1'] button")
    page.execute_script("arguments[0].click()", button)
    assert visible_rows(page)[:2] == ["Variance of the blended price", "tanh squared, in two layers"]
    for _ in range(2):
        page.execute_script("arguments[0].click()", button)
    assert visible_rows(page) == before


@pytest.mark.parametrize("width", [320, 390, 800, 1280, 1600])
def test_no_page_scrolls_sideways(browser: Any, address: str, width: int) -> None:
    shaped(browser, width=width)
    browser.get(address)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser: Any, address: str, scheme: str) -> None:
    """WCAG AA: a contrast of 4.5 for every colour of text, in both schemes."""
    shaped(browser, width=1280, scheme=scheme)
    browser.get(address)
    worst = browser.execute_script(CONTRAST)
    assert worst["ratio"] >= 4.5, worst


CONTRAST = """
const number = (text) => text.match(/[\\d.]+/g).map(Number);
const linear = (v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
const light = (c) => { const f = c.slice(0, 3).map(v => linear(v / 255));
  return .2126 * f[0] + .7152 * f[1] + .0722 * f[2]; };
const ground = (e) => { for (; e; e = e.parentElement) { const c = number(getComputedStyle(e).backgroundColor);
  if (c.length < 4 || c[3] === 1) return c; } return [255, 255, 255]; };
let worst = {ratio: 99};
for (const e of document.querySelectorAll('body *')) {
  if (!e.checkVisibility() || e.closest('svg')) continue;
  if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
  const [a, b] = [light(number(getComputedStyle(e).color)), light(ground(e))];
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (ratio < worst.ratio) worst = {ratio, tag: e.tagName, name: e.className, text: e.textContent.slice(0, 40)};
}
return worst;
"""


def test_both_schemes_differ(browser: Any, address: str) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        shaped(browser, width=1280, scheme=scheme)
        browser.get(address)
        grounds.append(browser.execute_script("return getComputedStyle(document.body).backgroundColor"))
    assert grounds[0] != grounds[1]


def test_it_is_whole_without_script(browser: Any, address: str) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get("about:blank")
        browser.get(address)
        assert len(browser.find_elements("css selector", "#matrix-table tbody tr")) == 8
        assert not browser.find_element("id", "filters").is_displayed()
        assert browser.find_element("css selector", ".contents details").get_attribute("open") is not None
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_the_keyboard_reaches_everything(page: Any) -> None:
    scrollers = page.execute_script(
        "return [...document.querySelectorAll('.scroll, pre')].filter(e => e.tabIndex !== 0).length"
    )
    assert scrollers == 0
    page.execute_script("document.querySelector('.skip').focus()")
    assert page.execute_script("return document.activeElement.getBoundingClientRect().left") >= 0


def test_the_sample_is_where_it_was_written(address: str) -> None:
    assert Path(address.removeprefix("file://")).stat().st_size < 1_500_000
