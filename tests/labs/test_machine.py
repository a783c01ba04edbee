"""What is behind all labs: the bundle, the pinned packages, the machine in the page."""

import ast
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from browser import lacking

from labs import bundle, vendor

ROOT = Path(__file__).resolve().parents[2]

# A lab's module for these tests only: it does what readers may bring a machine to do.
TRIAL = """
import microgpt
from labs import LabError

steps = 0

def reset():
    global steps
    steps = 0

def double(number):
    return 2 * number

def odd():
    return [float("nan"), float("inf"), 1.5]

def refuse():
    raise LabError("This cannot be done: <b>try</b> less.")

def fault():
    return {}["nothing"]

def loop_for_ever():
    while True:
        pass

def hog():
    kept = []
    while True:
        kept.append("x" * 10**6)

def nest():
    return nest()

def forge():
    import js
    js.eval("postMessage(null); postMessage(5); postMessage({loaded: 'x'})")
    js.eval("for (let id = 0; id < 9; id++) postMessage({id: 99, kept: [1]})")
    return "done"

def step(slow_at=None, last=1000):
    global steps
    steps += 1
    while steps == slow_at:
        pass
    return {"steps": steps, "done": steps >= last}

def save():
    return str(steps).encode()

def restore(state):
    global steps
    steps = int(state)
"""


@pytest.fixture(scope="module")
def started(chromium, site):
    """A page with a started machine, `window.machine`, that has the trial module."""
    if not vendor.local_files(vendor.PACKAGES["python"]):
        lacking("there is no local copy of Pyodide: python -m labs.vendor")
    context = chromium.new_context()
    page = context.new_page()

    def with_trial(route):
        packed = json.loads(site.read("labs/bundle.json"))
        packed["files"]["labs/trial/lab.py"] = TRIAL
        route.fulfill(json=packed)

    page.route("**/labs/bundle.json", with_trial)
    page.goto(site.address)
    page.evaluate(
        """async () => {
            const { Machine } = await import(
                new URL("labs/shared/machine.js", location)
            );
            window.machine = new Machine();
            await machine.start();
            const failed = ({ name, message }) => ({ name, message });
            window.attempt = (promise) => promise.then((value) => ({ value }), failed);
        }"""
    )
    yield page
    context.close()


def attempt(page, call):
    return page.evaluate(f"attempt(machine.{call})")


@pytest.fixture
def machine_page(started):
    """The page with the started machine, whose trial has done no step."""
    attempt(started, "call('trial.reset')")
    return started


# The bundle and the packages


def test_the_bundle_has_the_very_program(site, program):
    files = json.loads(site.read("labs/bundle.json"))["files"]
    for name in ("microgpt.py", "names.txt"):
        assert files[name].encode() == (program.folder / name).read_bytes()
        assert files[name] == site.read(f"downloads/{name}")


def test_the_trained_model_is_that_of_this_program(site):
    files = json.loads(site.read("labs/bundle.json"))["files"]
    texts = {f"build/{name}": files[name] for name in ("microgpt.py", "names.txt")}
    assert files["model.json"] == bundle.trained(texts, make=False)


@pytest.mark.slow
def test_the_trained_model_is_what_the_program_saves(site, program, tmp_path):
    saved = tmp_path / "model.json"
    done = program.run("--samples", "0", "--save", saved, cwd=tmp_path)
    assert done.returncode == 0
    files = json.loads(site.read("labs/bundle.json"))["files"]
    assert files["model.json"] == saved.read_text(encoding="utf-8")


@pytest.fixture
def models(monkeypatch, tmp_path):
    """A folder for models that has none."""
    monkeypatch.setattr(bundle, "MODELS", tmp_path / "models")
    return tmp_path / "models"


def texts_of(program):
    return {"build/microgpt.py": textwrap.dedent(program), "build/names.txt": "anna\n"}


def test_a_model_is_made_once_and_only_where_somebody_waits(models):
    texts = texts_of("""
        import sys
        open(sys.argv[-1], "w").write(open("names.txt").read())
    """)
    assert bundle.trained(texts, make=False) is None
    assert not models.exists()
    assert bundle.trained(texts) == "anna\n"
    [kept] = models.iterdir()
    kept.write_text("kept")
    assert bundle.trained(texts) == bundle.trained(texts, make=False) == "kept"
    assert bundle.trained({**texts, "build/names.txt": "otto\n"}) == "otto\n"


def test_a_training_that_was_interrupted_leaves_no_model(models):
    """A Ctrl-C reaches the program too, which saves what it has learned so far."""
    texts = texts_of("""
        import sys
        open(sys.argv[-1], "w").write("half")
        sys.exit(130)
    """)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="could not be trained"):
            bundle.trained(texts)
    assert not list(models.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="sends a signal to a group")
def test_a_training_ends_with_the_build(models, tmp_path):
    """Ctrl-C in a terminal reaches all that runs there: nothing goes on or is kept."""
    texts = texts_of("""
        import sys, time
        open(sys.argv[-1], "w").write("half")
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            sys.exit(130)
    """)
    code = (
        f"from pathlib import Path; from labs import bundle;"
        f"bundle.MODELS = Path({str(models)!r}); bundle.trained({texts!r})"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=bundle.ROOT,
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    ) as process:
        while not list(models.glob("*/model.json")):
            assert process.poll() is None
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) != 0
    assert not list(models.iterdir())
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_a_program_that_fails_is_reported(models):
    texts = texts_of("raise SystemExit('no')")
    with pytest.raises(RuntimeError, match="could not be trained:\nno"):
        bundle.trained(texts)


def test_the_packages_come_from_the_public_server_without_a_copy(monkeypatch, tmp_path):
    monkeypatch.setattr(vendor, "FOLDER", tmp_path)
    outputs = {"build/microgpt.py": "", "build/names.txt": ""}
    packages = json.loads(bundle.bundle("", outputs, None))["packages"]
    python = vendor.PACKAGES["python"]
    assert packages["python"]["base"] == python.public
    assert python.version in python.public
    assert packages["python"]["files"] == python.files
    assert bundle.vendored() == {}


def test_the_sizes_by_which_a_page_counts_are_those_of_the_files():
    for package in vendor.PACKAGES.values():
        local = vendor.local_files(package)
        if not local:
            lacking("there is no local copy of what the labs run on")
        assert {name: p.stat().st_size for name, p in local.items()} == package.sizes


def test_a_file_that_is_not_the_pinned_one_is_refused():
    content = b"print('hello')"
    vendor.check(
        "x",
        b"",
        "sha384-OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb",
    )
    with pytest.raises(ValueError, match="x is not the pinned file: sha384-"):
        vendor.check("x", content, vendor.PACKAGES["python"].files["pyodide.mjs"])


# The driver


@pytest.mark.usefixtures("labs")
def test_only_functions_for_pages_are_called():
    from labs.shared import driver

    for name in ("tokenizer", ".encode", "shared.models._untrained", ""):
        with pytest.raises(ValueError, match="not the name of a lab's function"):
            driver.call(name, "{}")


def test_no_mistake_sends_the_reader_to_a_command_line():
    for path in (ROOT / "labs").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and "LabError" in ast.dump(node):
                said = "".join(
                    part.value
                    for part in ast.walk(node)
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                )
                wrong = r"--[a-z]|command line|terminal|server|python "
                assert not re.search(wrong, said), path


# The machine


def test_the_machine_calls_and_says_what_went_wrong(machine_page):
    page = machine_page
    assert attempt(page, "call('trial.double', {number: 21})") == {"value": 42}
    assert attempt(page, "call('trial.odd')") == {"value": ["nan", "inf", 1.5]}
    refused = attempt(page, "call('trial.refuse')")
    assert refused["name"] == "LabError"
    assert refused["message"] == "This cannot be done: <b>try</b> less."
    assert "KeyError: 'nothing'" in attempt(page, "call('trial.fault')")["message"]
    assert "nested too deeply" in attempt(page, "call('trial.nest')")["message"]
    assert "more memory" in attempt(page, "call('trial.hog')")["message"]
    assert attempt(page, "call('trial.double', {number: 1})") == {"value": 2}


def test_a_run_is_paused_between_two_steps_and_goes_on(machine_page):
    page = machine_page
    seen = page.evaluate(
        """async () => {
            const seen = [];
            await machine.run("trial.step", {}, ({ steps }) => {
                seen.push(steps);
                if (steps === 3) machine.pause();
            });
            return seen;
        }"""
    )
    assert seen[:3] == [1, 2, 3]
    assert seen == [*range(1, len(seen) + 1)]
    assert len(seen) < 1000
    rest = page.evaluate(
        "machine.run('trial.step', {last: 1000}, ({steps}) => (window.last = steps))"
        ".then(() => last)"
    )
    assert rest == 1000


def test_calls_are_answered_while_a_run_goes_on(machine_page):
    assert (
        machine_page.evaluate(
            """async () => {
            const run = machine.run("trial.step", { last: 1e9 }, () => {});
            const value = await machine.call("trial.double", { number: 4 });
            machine.pause();
            await run;
            return value;
        }"""
        )
        == 8
    )


def test_stop_ends_what_does_not_give_way_and_keeps_the_last_step(machine_page):
    page = machine_page
    result = page.evaluate(
        """async () => {
            const seen = [];
            const see = ({ steps }) => seen.push(steps);
            const run = attempt(machine.run("trial.step", { slow_at: 5 }, see));
            while (seen.length < 4) await new Promise((r) => setTimeout(r, 5));
            let restarted = false;
            machine.addEventListener("restart", () => (restarted = true));
            const stopping = machine.stop();
            const how = await run;
            await stopping;
            const next = [];
            await machine.run("trial.step", { last: 6 }, (s) => next.push(s.steps));
            return { seen, how, restarted, next, busy: machine.busy };
        }"""
    )
    assert result["seen"] == [1, 2, 3, 4]
    assert result["how"]["name"] == "Stopped"
    assert result["restarted"]
    assert result["next"] == [5, 6]
    assert not result["busy"]


def test_stop_needs_no_new_worker_between_two_steps(machine_page):
    assert (
        machine_page.evaluate(
            """async () => {
            const { setTimeout } = window; // this computer may be a slow one
            window.setTimeout = (action, delay, ...rest) =>
                setTimeout(action, 100 * delay, ...rest);
            let restarted = false;
            machine.addEventListener("restart", () => (restarted = true));
            const run = machine.run("trial.step", { last: 1e9 }, () => {});
            await machine.stop();
            await run;
            await machine.stop();
            window.setTimeout = setTimeout;
            return restarted;
        }"""
        )
        is False
    )


def test_stop_while_python_starts_again_is_harmless(machine_page):
    faults = []
    machine_page.on("pageerror", lambda error: faults.append(error))
    result = machine_page.evaluate(
        """async () => {
            await machine.run("trial.step", { last: 3 }, () => {});
            const call = attempt(machine.call("trial.loop_for_ever"));
            const first = machine.stop();
            await call;
            await Promise.all([first, machine.stop(), machine.stop()]);
            return attempt(machine.call("trial.step"));
        }"""
    )
    assert result["value"]["steps"] == 4
    assert not faults


def test_python_starts_again_when_the_network_is_back(machine_page):
    page = machine_page
    parts = ["worker.js", "bundle.json", "pyodide.asm.wasm"]  # as they are asked for
    page.evaluate("caches.delete('python')")
    for part in parts:
        page.route(f"**/{part}", lambda route: route.abort())
    page.evaluate(
        """async () => {
            await machine.run("trial.step", { last: 3 }, () => {});
            const call = machine.call("trial.loop_for_ever").catch(() => {});
            await Promise.all([machine.stop(), call]);
        }"""
    )
    for part in parts:
        assert attempt(page, "call('trial.step')")["name"] == "LabError"
        page.unroute(f"**/{part}")
    assert attempt(page, "call('trial.step')")["value"]["steps"] == 4


def test_messages_that_code_makes_up_do_no_harm(machine_page):
    faults = []
    machine_page.on("pageerror", lambda error: faults.append(error))
    assert attempt(machine_page, "call('trial.forge')") == {"value": "done"}
    assert attempt(machine_page, "call('trial.double', {number: 4})") == {"value": 8}
    assert not faults


def test_a_page_that_is_left_runs_no_more(machine_page):
    result = machine_page.evaluate(
        """async () => {
            const left = machine;
            const run = attempt(left.run("trial.step", { last: 1e9 }, () => {}));
            await left.call("trial.double", { number: 1 });
            let restarts = 0;
            window.machine = left.handOver();
            machine.addEventListener("restart", () => (restarts += 1));
            await machine.settled;
            const [{ value: { steps } }, { value: next }] = [
                await attempt(machine.call("trial.step")),
                await attempt(machine.call("trial.step")),
            ];
            const late = await attempt(left.call("trial.step"));
            const endless = attempt(machine.call("trial.loop_for_ever"));
            window.machine = machine.handOver();
            machine.addEventListener("restart", () => (restarts += 1));
            await machine.settled;
            const ended = [await run, late, await endless].map(({ name }) => name);
            const again = await attempt(machine.call("trial.double", { number: 4 }));
            return { goesOn: next.steps - steps, ended, restarts, again };
        }"""
    )
    assert result == {
        "goesOn": 1,
        "ended": ["Stopped"] * 3,
        "restarts": 1,
        "again": {"value": 8},
    }


def test_endless_calls_are_stopped(machine_page):
    page = machine_page
    ended = page.evaluate(
        """async () => {
            const call = attempt(machine.call("trial.loop_for_ever"));
            setTimeout(() => machine.stop(), 50);
            const ended = await call;
            return [ended, await attempt(machine.call("trial.double", { number: 3 }))];
        }"""
    )
    assert [ended[0]["name"], ended[1]] == ["Stopped", {"value": 6}]


# The page around it


def asked_by(page):
    """Return a list that grows by what the page asks for, its workers included."""
    asked = []
    page.context.on("request", lambda request: asked.append(request.url))
    return asked


def test_nothing_is_loaded_before_a_lab_is_started(reader, site):
    asked = asked_by(reader)
    reader.goto(site.url(site.page_with_lab("tokenizer")))
    reader.wait_for_load_state("networkidle")
    assert not [url for url in asked if "/labs/" in url]
    assert reader.locator(".lab-bar small").first.inner_text().startswith("Runs the")


def machines(page):
    return [worker for worker in page.workers if worker.url.endswith("/worker.js")]


@pytest.mark.slow
def test_python_waits_for_the_next_page_whose_labs_start_by_themselves(open_lab):
    lab = open_lab("tokenizer")
    page = lab.page
    before = machines(page)
    starts = page.get_by_label("Labs start by themselves").first
    assert starts.is_checked()
    page.locator(".md-footer__link--next").click()
    page.wait_for_url("**/counting/")
    page.locator(".lab[data-lab=stage]").scroll_into_view_if_needed()
    page.locator(".md-footer__link--prev").click()  # that page begins at its top
    page.wait_for_url("**/tokens/")
    page.locator(".lab[data-lab=tokenizer]").wait_for()
    to_it = "lab.getBoundingClientRect().top + scrollY - 1.5 * innerHeight"
    page.locator(".lab[data-lab=tokenizer]").evaluate(f"lab => scrollTo(0, {to_it})")
    page.locator(".lab[data-lab=tokenizer][data-state=ready]").wait_for()
    assert page.evaluate("document.activeElement === document.body")
    assert machines(page) == before
    starts.uncheck()
    page.reload()
    page.locator(".lab[data-lab=tokenizer] .lab-start").focus()
    page.keyboard.press("Enter")
    page.locator(".lab[data-lab=tokenizer][data-state=ready]").wait_for()
    assert page.evaluate("document.activeElement.closest('.lab-body') !== null")
    page.get_by_text("[26, 4, 12, 12, 0, 26]").first.wait_for()
    assert not starts.is_checked()


def test_leaving_before_anything_is_loaded_starts_nothing(open_page, site):
    page = open_page(site.page_with_lab("tokenizer")).page
    held, asked = [], asked_by(page)
    page.route("**/labs/shared/page.js", lambda route: held.append(route))
    with page.expect_request("**/labs/shared/page.js"):
        page.locator(".lab[data-lab=tokenizer] .lab-start").click()
    page.locator(".md-footer__link--next").click()
    page.wait_for_url("**/counting/")
    page.wait_for_function("!document.querySelector('.lab[data-lab=tokenizer]')")
    with page.expect_response("**/labs/shared/page.js"):
        held[0].continue_()
    page.evaluate("import('/labs/shared/page.js')")  # it has been read
    page.evaluate("fetch('/labs/bundle.json').then((answer) => answer.text())")
    assert not [url for url in asked if url.endswith("/labs/shared/worker.js")]


FILES = [
    pytest.param(name, marks=[pytest.mark.slow] if place else [])
    for place, name in enumerate(vendor.PACKAGES["python"].files)
]


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_changed_on_the_way_is_refused(chromium, site, file):
    context = chromium.new_context()
    page = context.new_page()
    page.goto(site.url(site.page_with_lab("tokenizer")))
    lab = page.locator('.lab[data-lab="tokenizer"]')

    def spoil(route):
        route.fulfill(content_type="text/javascript", body="export default 1")

    for fault in (spoil, lambda route: route.abort()):
        page.route(f"**/{file}", fault)
        lab.locator(".lab-start").click()
        lab.locator(".lab-start[aria-disabled=false]").wait_for()
        assert "could not be started" in lab.locator(".lab-bar").inner_text()
        assert lab.locator("table").is_visible()
        page.unroute(f"**/{file}")
        page.wait_for_timeout(100)  # nothing is tried again unasked
        assert "could not be started" in lab.locator(".lab-bar").inner_text()
    lab.locator(".lab-start").click()
    lab.locator("xpath=self::*[@data-state='ready']").wait_for(timeout=60_000)
    context.close()


def test_what_is_run_is_what_was_checked(open_page, site):
    page = open_page(site.page_with_lab("autograd")).page
    page.evaluate("caches.delete('python')")
    scripts = ["pyodide.mjs", "pyodide.asm.mjs", "dagre.esm.js"]
    asked = []

    def change(route):
        name = route.request.url.rpartition("/")[2]
        asked.append(name)
        if asked.count(name) == 1:
            route.continue_()
        else:
            body = "throw new Error('This was never checked.')"
            route.fulfill(content_type="text/javascript", body=body)

    for script in scripts:
        page.route(f"**/{script}", change)
    lab = page.locator('.lab[data-lab="autograd"]').first
    lab.locator(".lab-start").click()
    lab.locator("xpath=self::*[@data-state='ready']").wait_for()
    assert sorted(asked) == sorted(scripts)


# The labs in the book


def labs_in_the_book():
    text = (ROOT / "microgpt.md").read_text(encoding="utf-8")
    return re.findall(
        r'<div class="lab" data-lab="(\w+)"[^>]*>\n(.*?)\n</div>', text, re.S
    )


def test_every_lab_shows_something_where_it_does_not_run():
    found = labs_in_the_book()
    assert len({name for name, _ in found}) >= 9
    bare = [name for name, still in found if len(still.split()) < 8]
    assert not bare


@pytest.mark.parametrize("name", sorted({name for name, _ in labs_in_the_book()}))
def test_every_lab_has_its_two_halves(name):
    folder = ROOT / "labs" / name
    assert (folder / "lab.js").is_file()
    assert folder / "lab.py" in bundle.python_files()


def test_print_shows_the_picture_and_no_button(reader, site):
    reader.goto(site.url(site.page_with_lab("tokenizer")))
    reader.emulate_media(media="print")
    lab = reader.locator(".lab[data-lab=tokenizer]")
    assert lab.locator("table").is_visible()
    assert not lab.locator("button, small").first.is_visible()
