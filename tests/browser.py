"""The built site and a real browser, for the tests that look at pages.

They need the site's tools, playwright and Chromium; those of the labs need a copy of
what the labs run on, from the npm registry. Without them tests are skipped, except
where the environment variable CI is set.
"""

import functools
import http.server
import importlib.resources
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from labs import vendor

ROOT = Path(__file__).resolve().parent.parent
REPOSITORY = "https://code.example/owner/book"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--process-per-site",
]

FORGET = """async () => {
    for (const { name } of await indexedDB.databases()) {
        const opening = indexedDB.open(name);
        await new Promise((resolve) => (opening.onsuccess = resolve));
        opening.result.transaction("kept", "readwrite").objectStore("kept").clear();
        opening.result.close();
    }
}"""
WIDE = {"width": 1280, "height": 900}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def build(folder, **environment):
    """Build the site strictly; return what MkDocs had to say."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PRESS": "false", **environment},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


class Site:
    """A built site: its `folder`, and the `address` where it is served."""

    def __init__(self, folder, address, said):
        self.folder = folder
        self.address = address
        self.said = said
        self.paths = sorted(
            path.relative_to(folder).as_posix() for path in folder.rglob("*.html")
        )

    def url(self, path):
        return self.address + path.removesuffix("index.html")

    def page_with_lab(self, name):
        """Return the path of the chapter in which a lab stands."""
        mark = f'class="lab" data-lab="{name}"'
        pages = [path for path in self.paths if mark in self.read(path)]
        return next(path for path in pages if path != "book/index.html")

    def read(self, path):
        return (self.folder / path).read_text(encoding="utf-8")


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 100  # one connection for each request, of several browsers


def build_lock(tmp_path_factory):
    """Let workers build one after the other: the first fills the caches for all."""
    return FileLock(tmp_path_factory.getbasetemp().parent / "build.lock")


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The site, built for the address where it is served."""
    folder = tmp_path_factory.mktemp("site")
    handler = functools.partial(_Handler, directory=str(folder))
    server = _Server(("127.0.0.1", 0), handler)
    address = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with build_lock(tmp_path_factory):
            vendor.main()  # where this fails, the labs' tests say so
            said = build(folder, SITE_URL=address, REPOSITORY=REPOSITORY)
        yield Site(folder, address, said)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def change_colours(page, option, scheme):
    page.evaluate(f"document.getElementById('__palette_{option}').click()")
    page.wait_for_function(f"document.body.dataset.mdColorScheme === '{scheme}'")


def axe():
    """Return the script of axe."""
    package = importlib.resources.files("axe_playwright_python")
    return package.joinpath("axe.min.js").read_text(encoding="utf-8")


def audit(page, rules, without):
    results = page.evaluate(
        "([runOnly, exclude]) => axe.run({include: [['html']], exclude}, "
        "{runOnly, resultTypes: ['violations'], preload: false})",
        [rules, [[selector] for selector in without]],
    )
    return [
        (each["id"], node["target"], node["failureSummary"][:200])
        for each in results["violations"]
        for node in each["nodes"][:3]
    ]


def lacking(problem):
    """Skip the test for want of something, or fail where nothing may be wanting."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(problem)


@pytest.fixture(scope="session")
def chromium():
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        problem = "playwright is not installed"
    else:
        problem = "" if CHROMIUM else "there is no Chromium; set CHROMIUM to its path"
    if problem:
        lacking(problem)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        # A service worker would hide from tests what a page asks for.
        own = browser.new_context
        browser.new_context = functools.partial(own, service_workers="block")
        yield browser
        browser.close()


_BLOCKED = "Service Worker registration blocked by Playwright"


class Watched:
    """A page of the browser, and what it said and asked for that it should not.

    `forgiven` is a pattern of what it may say after all.
    """

    def __init__(self, context, origin):
        self.faults = []
        self.forgiven = r"(?!)"  # nothing
        self.page = context.new_page()
        self.page.set_default_timeout(60_000)  # Python takes 4 s to start, or 20
        self.page.on("console", lambda m: self._said(m.text))
        self.page.on("pageerror", lambda e: self._said(str(e)))
        self.page.on("request", lambda r: self._asked(r.url, origin))
        self.page.on("requestfailed", lambda r: self._failed(r))

    def _said(self, text):
        if not re.search(rf"{self.forgiven}|{_BLOCKED}", text):
            self.faults.append(text)

    def _asked(self, url, origin):
        if not url.startswith((origin, "data:", "blob:", "about:")):
            self.faults.append(f"asked for {url}")

    def _failed(self, request):
        if "ERR_ABORTED" not in (request.failure or ""):
            self.faults.append(f"{request.url}: {request.failure}")


@pytest.fixture
def reader(chromium, site):
    """A page at 1280 pixels; what it must not do is checked at the end."""
    context = chromium.new_context(viewport=WIDE, color_scheme="light")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    watched = Watched(context, site.address)
    yield watched.page
    context.close()
    assert not watched.faults, watched.faults


_AROUND = ["article > :not(.lab)", "body > :not(.md-container)"]  # not the labs'


class LabPage:
    """A page of the browser with its labs started: `watched`, its `page`, a `frame`."""

    def __init__(self, watched, frame):
        self.watched = watched
        self.page = watched.page
        self.frame = frame

    def start(self):
        """Start the lab, unless it starts by itself."""
        self.frame.wait_for()
        self.page.mouse.move(0, 0)  # what scrolls under it would be pointed at
        self.frame.evaluate("lab => lab.querySelector('.lab-start')?.click()")
        self.frame.locator("xpath=self::*[@data-state='ready']").wait_for()

    def text(self, selector):
        return self.frame.locator(selector).inner_text()

    def audit(self):
        """Return what axe finds wrong with the lab in light and in dark colours."""
        page = self.page
        page.add_style_tag(content="* { transition: none !important }")
        page.evaluate(axe())
        found = []
        for option, scheme in enumerate(["default", "slate"]):
            change_colours(page, option, scheme)
            found += audit(page, RULES, _AROUND)
        return found


@pytest.fixture(scope="session")
def with_python(chromium, site):
    """A context with a page in which Python runs.

    Its other pages share the page's process, and start Python from the code that is
    compiled there already.
    """
    if not all(map(vendor.local_files, vendor.PACKAGES.values())):
        lacking("there is no local copy of what the labs run on: python -m labs.vendor")
    context = chromium.new_context()
    page = context.new_page()
    page.goto(site.url(site.page_with_lab("tokenizer")))
    page.locator(".lab-start").first.click()
    page.locator(".lab[data-state=ready]").first.wait_for(timeout=60_000)
    yield context
    context.close()


@pytest.fixture
def open_page(chromium, site, with_python):
    """Return a function that opens a page on which Python can be started.

    `open_page(path, viewport=…, **context)`: `context` are settings of a context of
    the page's own. What a page must not do is checked at the end.
    """
    opened = []

    def open_one(path, viewport=WIDE, **settings):
        context = chromium.new_context(**settings) if settings else with_python
        watched = Watched(context, site.address)
        watched.page.set_viewport_size(viewport)
        opened.append(watched)
        watched.page.goto(site.url(path))
        return watched

    yield open_one
    for watched in opened:
        watched.page.evaluate("localStorage.clear()")
        if watched.page.context is with_python:
            watched.page.evaluate(FORGET)
        watched.page.close()
        if watched.page.context is not with_python:
            watched.page.context.close()
    faults = [fault for watched in opened for fault in watched.faults]
    assert not faults, faults


@pytest.fixture
def open_lab(open_page, site):
    """Return a function that opens the page of a lab and starts it.

    `open_lab(name, **context)`: the context is that of `open_page`.
    """

    def open_one(name, **settings):
        watched = open_page(site.page_with_lab(name), **settings)
        frame = watched.page.locator(f'.lab[data-lab="{name}"]').first
        frame.locator(".lab-start").click()
        watched.page.mouse.move(0, 0)  # what scrolls under it would be pointed at
        frame.locator("xpath=self::*[@data-state='ready']").wait_for()
        return LabPage(watched, frame)

    return open_one
