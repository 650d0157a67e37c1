"""The report in a real browser: nothing on the console or the network, filters and links work."""

import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from verifier.compare import html as comparison_page
from verifier.compare.differences import compare
from verifier.report import html
from verifier.report.html import render, write_page, write_report
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


def shaped(browser: Any, *, width: int, scheme: str = "light", media: str = "") -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"media": media, "features": [{"name": "prefers-color-scheme", "value": scheme}]},
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


def test_a_tag_filters_and_stands_in_the_address(page: Any) -> None:
    tags = page.execute_script("return [...document.getElementById('filters').elements.tag.options].map(o => o.value)")
    assert "network" in tags
    choose(page, "tag", "network")
    assert visible_rows(page) == ["The network's loss in all 1,153 parameters"]
    assert page.current_url.endswith("#matrix;tag=network")


def scrolled_through(browser: Any) -> None:
    """As a reader does who wants to see everything."""
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    browser.execute_async_script(
        "const done = arguments[0]; let at = 0;"
        "const step = () => { scrollTo(0, at); at += 1200;"
        "  at < document.documentElement.scrollHeight + 1200 ? requestAnimationFrame(step) : setTimeout(done, 100); };"
        "step();"
    )


def test_a_packed_report_shows_its_plots_when_they_come_into_view(
    browser: Any, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = render(run).count('<svg class="plot"')
    monkeypatch.setattr(html, "_LARGE", 0)
    write_report(run, tmp_path / "packed.html")
    shaped(browser, width=1280)
    browser.get((tmp_path / "packed.html").as_uri())
    count = "return document.querySelectorAll('svg.plot').length"
    assert browser.execute_script(count) < plain
    scrolled_through(browser)
    assert browser.execute_script("return document.querySelectorAll('[data-packed]:empty').length") == 0
    assert browser.execute_script(count) == plain
    assert browser.get_log("browser") == []


A4 = 694
"""The width of a sheet within its margins, in CSS pixels."""


@pytest.fixture
def sheet(browser: Any, address: str) -> Iterator[Any]:
    """The report as it is printed, from a screen that is dark."""
    shaped(browser, width=A4, scheme="dark", media="print")
    browser.get("about:blank")
    browser.get(address)
    yield browser
    shaped(browser, width=1280)


def test_paper_shows_what_cannot_be_opened_there(sheet: Any) -> None:
    """Code and lists are unfolded; of an entry's further tables the paper says that they are left out."""
    shown = "return [...document.querySelectorAll(arguments[0])].map(e => e.checkVisibility())"
    for folded in ("details.code:not([open]) pre", "details.warnings:not([open]) table", "#reading:not([open]) dl"):
        found = sheet.execute_script(shown, folded)
        assert found, folded
        assert all(found), folded
    assert not any(sheet.execute_script(shown, "details.further:not([open]) table"))
    said = "return getComputedStyle(document.querySelector('.further:not([open]) summary'), '::after').content"
    assert "not printed" in sheet.execute_script(said)


def test_paper_is_white_and_nothing_is_wider(sheet: Any) -> None:
    assert sheet.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert sheet.execute_script("return document.documentElement.scrollWidth") <= A4
    assert not sheet.execute_script("return document.querySelector('.contents').checkVisibility()")


def test_paper_says_where_links_lead(sheet: Any) -> None:
    after = "return getComputedStyle(document.querySelector('main a[href^=\"http\"]'), '::after').content"
    assert "http" in sheet.execute_script(after)


def test_a_packed_report_is_printed_whole(
    browser: Any, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what never came into view: nothing that is open is empty when the sheets are made."""
    support = pytest.importorskip("selenium.webdriver.support.wait")
    monkeypatch.setattr(html, "_LARGE", 0)
    write_report(run, tmp_path / "packed.html")
    shaped(browser, width=1280)
    browser.get((tmp_path / "packed.html").as_uri())
    empty = (
        "window.dispatchEvent(new Event('beforeprint'));"
        "return [...document.querySelectorAll('details[open] > [data-packed]:empty')].length"
    )
    assert browser.execute_script(empty.partition(";")[2]) > 0
    support.WebDriverWait(browser, 20).until(lambda page: page.execute_script(empty) == 0)


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The accessibility checker's script, from the npm registry; the test is skipped where it cannot be had."""
    npm, folder = shutil.which("npm"), tmp_path_factory.mktemp("axe")
    if npm is None:
        pytest.skip("needs npm")
    try:
        subprocess.run([npm, "pack", "--silent", AXE], cwd=folder, capture_output=True, check=True, timeout=60)
    except (subprocess.SubprocessError, OSError):
        pytest.skip(f"npm cannot fetch {AXE}")
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as found:
        script = found.extractfile("package/axe.min.js")
        assert script is not None
        return script.read().decode("utf-8")


AXE = "axe-core@4.11.0"
VIOLATIONS = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ['violations']}).then((found) => done(found.violations.map(
  (each) => [each.id, each.help, each.nodes.slice(0, 3).map((node) => node.html.slice(0, 200))])));
"""


def violations(browser: Any, axe: str) -> list[Any]:
    browser.set_script_timeout(240)
    scrolled_through(browser)
    browser.execute_script(axe)
    return browser.execute_async_script(VIOLATIONS)


@pytest.fixture(scope="module")
def pages(run: Run, address: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    changed = Run(**{**{name: getattr(run, name) for name in Run.__slots__}, "claims": run.claims[1:]})
    path = tmp_path_factory.mktemp("comparison") / "compare.html"
    write_page(comparison_page.render(compare(run, changed), "Sample"), path)
    return {"report": address, "comparison": path.as_uri()}


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["report", "comparison"])
def test_the_accessibility_checker_finds_nothing(
    browser: Any, axe: str, pages: dict[str, str], name: str, width: int, scheme: str
) -> None:
    shaped(browser, width=width, scheme=scheme)
    browser.get("about:blank")
    browser.get(pages[name])
    assert violations(browser, axe) == []


@pytest.mark.slow
def test_the_accessibility_checker_would_find_something(browser: Any, axe: str, pages: dict[str, str]) -> None:
    shaped(browser, width=1280)
    browser.get(pages["comparison"])
    browser.execute_script(
        "const planted = document.createElement('p'); planted.textContent = 'faint'; planted.style.cssText = '';"
        "planted.className = 'planted'; document.querySelector('main').append(planted);"
        "planted.style.setProperty('color', '#ddd'); planted.innerHTML += '<button></button>'"
    )
    assert {name for name, *_ in violations(browser, axe)} >= {"button-name", "color-contrast"}


@pytest.mark.slow
def test_two_hundred_functions_fit_and_open_soon(browser: Any, large: ModuleType, tmp_path: Path) -> None:
    """200 entries, 5,000 points, 4 dtypes: below 2 MB, and a filter answers soon after the page is asked for.

    An idle machine of two cores needs less than a second; a busy one must not fail for being busy.
    """
    support = pytest.importorskip("selenium.webdriver.support.wait")
    path = tmp_path / "large.html"
    write_report(large.large_run(), path)
    assert path.stat().st_size < 2_000_000
    shaped(browser, width=1280)
    assert min(seconds_to_an_answer(browser, path.as_uri()) for _ in range(5)) < 5
    browser.get("about:blank")
    browser.get(f"{path.as_uri()}#entry-function-150")
    drawn = "return document.querySelectorAll('#entry-function-150 svg.plot').length"
    support.WebDriverWait(browser, 10).until(lambda page: page.execute_script(drawn) == 4)
    assert browser.get_log("browser") == []


def seconds_to_an_answer(browser: Any, address: str) -> float:
    """From asking for the page to its matrix filtered and laid out, by the page's own clock."""
    browser.get("about:blank")
    browser.get(address)
    loaded = browser.execute_script("return performance.getEntriesByType('navigation')[0].loadEventEnd")
    answered = browser.execute_script(
        "const before = performance.now(), form = document.getElementById('filters');"
        "form.elements.text.value = '30'; form.elements.text.dispatchEvent(new Event('input', {bubbles: true}));"
        "document.body.offsetHeight; return performance.now() - before"
    )
    return (loaded + answered) / 1000
