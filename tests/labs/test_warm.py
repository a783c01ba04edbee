"""What is kept in the reader's browser: trainings, typed text, pages, and Python."""

import functools
import json
import shutil
import threading
from pathlib import Path

import pytest
from browser import _Handler, _Server

from literate.publishing.offline import service_worker

SCRIPT = Path(__file__).resolve().parents[2] / "web" / "sw.js"


def ready(page, name):
    """Start a lab of the page, unless it starts by itself; return its frame."""
    frame = page.locator(f'.lab[data-lab="{name}"]').first
    frame.wait_for()
    frame.evaluate("lab => lab.querySelector('.lab-start')?.click()")
    frame.locator("xpath=self::*[@data-state='ready']").wait_for()
    return frame


def steps(frame):
    return frame.locator(".train-numbers dd").first.inner_text()


def train(frame, count):
    frame.get_by_role("button", name=f"{count} steps", exact=True).click()
    frame.get_by_text(f"Done: step {count} of").wait_for()


TYPED = """async () => {
    const [{ name }] = await indexedDB.databases();
    const result = (asked) => new Promise((resolve) => {
        asked.onsuccess = () => resolve(asked.result);
    });
    const base = await result(indexedDB.open(name));
    const typed = IDBKeyRange.bound(["typed"], ["typed", []]);
    const store = base.transaction("kept").objectStore("kept");
    return await result(store.getAll(typed)).finally(() => base.close());
}"""


@pytest.mark.slow
def test_a_training_and_what_was_typed_survive_a_reload(open_page, site):
    page = open_page(site.page_with_lab("training")).page
    train(ready(page, "training"), 10)
    answer = ready(page, "exercise").get_by_label("Your answer")
    start = answer.input_value()
    answer.fill("# not yet")
    wait_until(page, lambda: page.evaluate(TYPED) == ["# not yet"])
    page.reload()
    training = ready(page, "training")
    assert steps(training) == "10 of 1,000"
    assert (
        ready(page, "exercise").get_by_label("Your answer").input_value() == "# not yet"
    )
    page.on("dialog", lambda dialog: dialog.accept())
    with page.expect_navigation():
        # It is under the lab of the page that was the first to start.
        page.get_by_role("button", name="Forget what I trained and typed").click()
    assert steps(ready(page, "training")) == "0 of 1,000"
    assert ready(page, "exercise").get_by_label("Your answer").input_value() == start


@pytest.mark.slow
def test_a_training_never_meets_another_program(open_page, site):
    page = open_page(site.page_with_lab("training")).page
    train(ready(page, "training"), 10)

    def with_another(route):
        packed = json.loads(site.read("labs/bundle.json"))
        route.fulfill(json={**packed, "program": "another"})

    page.route("**/labs/bundle.json", with_another)
    page.reload()
    assert steps(ready(page, "training")) == "0 of 1,000"


@pytest.mark.slow
def test_a_browser_that_keeps_nothing_does_no_harm(open_page, site):
    watched = open_page(site.page_with_lab("training"), color_scheme="dark")
    page = watched.page
    page.add_init_script(
        "IDBFactory.prototype.open = () => { throw new Error('private') };"
        "CacheStorage.prototype.open = async () => { throw new Error('private') };"
    )
    page.reload()
    train(ready(page, "training"), 10)
    ready(page, "exercise").get_by_label("Your answer").fill("# not yet")


def write_worker(folder):
    script = SCRIPT.read_text(encoding="utf-8")
    (folder / "sw.js").write_text(service_worker(folder, script), encoding="utf-8")


@pytest.fixture
def copy(site, tmp_path):
    """A copy of the site that can be changed: its folder and its address."""
    folder = tmp_path / "site"
    shutil.copytree(site.folder, folder, ignore=shutil.ignore_patterns("figures"))
    server = _Server(("127.0.0.1", 0), functools.partial(_Handler, directory=folder))
    address = f"http://127.0.0.1:{server.server_port}/"
    sitemap = folder / "sitemap.xml"
    sitemap.write_text(sitemap.read_text().replace(site.address, address))
    write_worker(folder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, address
    server.shutdown()
    server.server_close()


@pytest.fixture
def offline_reader(chromium, copy):
    """A page of the copy in a browser with service workers, once the first is there."""
    context = chromium.new_context(service_workers="allow")
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{copy[1]}tokens/")
    page.wait_for_function("navigator.serviceWorker.controller")
    yield page
    context.close()


KEPT = """async (name) => {
    const files = await Promise.all((await caches.keys()).map(async (each) =>
        (await (await caches.open(each)).keys()).map(({ url }) => url)));
    return files.flat().some((url) => url.endsWith(name));
}"""


def wait_kept(page, name):
    wait_until(page, lambda: page.evaluate(KEPT, name))


def wait_until(page, holds):
    for _ in range(600):
        if holds():
            return
        page.wait_for_timeout(50)
    raise AssertionError(page.evaluate("caches.keys()"))


def follow(page, path, text):
    """Follow a link to a page as Material loads it, until it has a text.

    Returns whether the page was loaded in place.
    """
    page.evaluate(
        """(path) => {
            window.isSame = true;
            const link = document.createElement("a");
            link.href = "/" + path;
            document.querySelector("article").append(link);
            link.click();
        }""",
        path,
    )
    page.get_by_text(text).first.wait_for()
    return page.evaluate("window.isSame ?? false")


@pytest.mark.slow
def test_what_was_read_opens_without_a_network(offline_reader, copy):
    page = offline_reader
    ready(page, "tokenizer")
    wait_kept(page, "labs/forward/lab.js")
    assert follow(page, "counting/", "Counting")
    wait_kept(page, "/counting/index.html")
    page.context.set_offline(True)
    page.goto(f"{copy[1]}tokens/")
    ready(page, "tokenizer").get_by_text(
        "encode gives [26, 4, 12, 12, 0, 26]"
    ).wait_for()
    page.get_by_role("textbox", name="Search").click()
    page.keyboard.type("adam")
    page.locator(".md-search-result__item").first.wait_for()
    page.goto(f"{copy[1]}adam/")
    page.get_by_role("heading", name="You are offline").wait_for()
    offered = page.locator(".contents a:visible")
    page.wait_for_function(
        "document.querySelectorAll('.contents li:not([hidden])').length == 2"
    )
    assert offered.all_inner_texts() == ["Tokens", "Counting"]


@pytest.mark.slow
def test_another_version_of_the_site_takes_over_whole(offline_reader, copy):
    page, (folder, address) = offline_reader, copy
    assert follow(page, "counting/", "Counting")
    wait_kept(page, "/counting/index.html")
    for name in ("tokens", "counting", "slopes"):
        path = folder / name / "index.html"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("<h1", "<p>The new version.</p><h1", 1))
    write_worker(folder)
    new = "The new version."
    assert not follow(page, "slopes/", new)  # it is not put among old scripts
    wait_kept(page, "/slopes/index.html")
    wait_until(page, lambda: len(page.evaluate("caches.keys()")) == 1)
    page.context.set_offline(True)
    page.goto(f"{address}tokens/")  # it was read in the old version
    page.get_by_text(new).wait_for()
