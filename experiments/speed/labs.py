"""How quick are the labs? The site is built, and opened in Chromium.

Printed are: the seconds from a click on a start button to a lab that answers, with
nothing cached, with everything cached, and on the next page; how many times longer a
step of training takes in the page than in this Python, blocks of steps taken in turn;
how long it takes to stop a call that would never end, and to be ready again; the
longest tasks of the page's main thread, in processor time, while the labs start and
while one trains; and how far its frames are apart while it scrolls, at rest and while
it trains.

Usage: python tangle.py && python experiments/speed/labs.py [--blocks N] [--block N]
"""

from __future__ import annotations

import argparse
import functools
import http.server
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from engine import ROOT, SIZES, program_steps
from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PAGE = "the-training-loop/"
LAB = '.lab[data-lab="training"]'
NEXT, NEXT_LAB = "sampling/", '.lab[data-lab="generation"]'
TRAINING = """async () => {
    const { Machine } = await import(new URL("/labs/shared/machine.js", location));
    window.machine = new Machine();
    await machine.start();
    await machine.call("training.begin", { steps: 10000 });
}"""
BLOCK = """async (count) => {
    const times = [performance.now()];
    await machine.run("training.step", {}, () => {
        times.push(performance.now());
        if (times.length > count) machine.pause();
    });
    return times.slice(1, count + 1).map((time, i) => (time - times[i]) / 1000);
}"""
FRAMES = """async (seconds) => {
    const times = [performance.now()];
    while (times.at(-1) < times[0] + 1000 * seconds) {
        scrollBy(0, 5);
        times.push(await new Promise(requestAnimationFrame));
    }
    return times.slice(2).map((time, i) => time - times[i + 1]);
}"""
STOP = """async () => {
    machine.call("endless.call").catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 500));
    const start = performance.now();
    let over;
    machine.addEventListener("restart", () => (over = performance.now() - start));
    await machine.stop();
    return [over / 1000, (performance.now() - start) / 1000];
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_) -> None:
        pass


def build(folder: str, address: str) -> None:
    """Build the site for an address, with a module that never ends."""
    command = [sys.executable, "-m", "mkdocs", "build", "-q", "-d", folder]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "SITE_URL": address})
    bundle = Path(folder, "labs", "bundle.json")
    packed = json.loads(bundle.read_text(encoding="utf-8"))
    endless = "def call():\n    while True:\n        pass\n"
    packed["files"]["labs/endless/lab.py"] = endless
    bundle.write_text(json.dumps(packed), encoding="utf-8")


def seconds_to_start(page: Page) -> float:
    """Return how long it takes from a click to a lab that is ready."""
    page.evaluate("sessionStorage.clear()")  # or labs would start by themselves
    page.reload()
    return seconds_from_click(page)


def seconds_on_next_page(page: Page) -> float:
    """Return how long a lab takes to start where Python comes from the page before."""
    page.get_by_label("Labs start by themselves").first.uncheck()
    page.locator(".md-footer__link--next").click()
    page.wait_for_url(f"**/{NEXT}")
    return seconds_from_click(page, NEXT_LAB)


def seconds_from_click(page: Page, lab: str = LAB) -> float:
    started = time.perf_counter()
    page.locator(f"{lab} .lab-start").click()
    page.locator(f'{lab}[data-state="ready"]').wait_for(timeout=60_000)
    return time.perf_counter() - started


def longest_tasks(browser: Browser, page: Page, action: Callable[[], object]) -> list:
    """Return the longest tasks of the page's main thread, in seconds of processor."""
    browser.start_tracing(page=page, categories=["toplevel", "__metadata"])
    action()
    events = json.loads(browser.stop_tracing())["traceEvents"]
    main = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and "RendererMain" in event["args"]["name"]
    }
    tasks = [
        event.get("tdur", 0) / 1e6
        for event in events
        if (event["pid"], event["tid"]) in main and event.get("ph") == "X"
    ]
    return sorted(tasks, reverse=True)[:3]


def step_ratios(page: Page, blocks: int, block: int) -> tuple[list[float], int]:
    """Return page / native of the medians of blocks of steps, and how many steps."""
    docs = (ROOT / "build/names.txt").read_text(encoding="utf-8").split()
    native = program_steps(docs, SIZES)
    page.evaluate(TRAINING)
    ratios = []
    for _ in range(blocks):
        there = page.evaluate(BLOCK, block)
        here = []
        for _ in range(block):
            started = time.perf_counter()
            next(native)
            here.append(time.perf_counter() - started)
        ratios.append(sum(there) / sum(here))
    return ratios, blocks * block


def train(page: Page, steps: int) -> None:
    """Let the training lab of the page take steps."""
    page.locator(LAB).get_by_role("button", name=f"{steps} steps", exact=True).click()
    page.locator(LAB).get_by_text(f"step {steps} of").first.wait_for(timeout=120_000)


def frames(page: Page) -> str:
    """Say how many milliseconds the frames of a page that scrolls are apart."""
    gaps = sorted(page.evaluate(FRAMES, 5))
    late = gaps[int(0.99 * len(gaps))]
    median = statistics.median(gaps)
    return f"median {median:.0f}, 99 % within {late:.0f}, longest {gaps[-1]:.0f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=10)
    parser.add_argument("--block", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        handler = functools.partial(Quiet, directory=folder)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        address = f"http://127.0.0.1:{server.server_port}/"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        build(folder, address)
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_context().new_page()
        page.goto(address + PAGE)
        first = seconds_to_start(page)
        again = statistics.median(seconds_to_start(page) for _ in range(5))
        print(f"start: {first:.1f} s, again {again:.1f} s (median of 5)")
        print(f"on the next page: {seconds_on_next_page(page):.2f} s")
        page.goto(address + PAGE, wait_until="networkidle")
        starting = longest_tasks(browser, page, lambda: seconds_from_click(page))
        training = longest_tasks(browser, page, lambda: train(page, 100))
        for name, tasks in {"starting": starting, "training": training}.items():
            shown = ", ".join(f"{1000 * task:.0f}" for task in tasks)
            print(f"longest tasks of the main thread while {name}: {shown} ms")
        print(f"frames at rest: {frames(page)}")
        page.locator(LAB).get_by_role("button", name="All steps").click()
        print(f"frames while training: {frames(page)}")
        page.goto(address)
        ratios, steps = step_ratios(page, options.blocks, options.block)
        median = statistics.median(ratios)
        print(f"a step takes {median:.2f} times as long ({steps} steps on each side)")
        stops = [page.evaluate(STOP) for _ in range(5)]
        over, ready = map(statistics.median, zip(*stops))
        print(f"stopped after {1000 * over:.0f} ms, ready again after {ready:.1f} s")
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
