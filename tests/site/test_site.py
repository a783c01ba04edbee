"""The built site: its links, and how it behaves in a real browser.

The browser tests need playwright and Chromium. Without them they are skipped, except
where the environment variable CI is set.
"""

import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
from browser import (
    REPOSITORY,
    RULES,
    Watched,
    audit,
    axe,
    build,
    change_colours,
)
from html_tree import read_html
from quantity_marks import READ, names_by_page

ROOT = Path(__file__).resolve().parents[2]


pytest.importorskip("mkdocs", reason="the site's tools are not installed")


# Files


@pytest.fixture(scope="session")
def trees(site):
    return {path: read_html(site.read(path)) for path in site.paths}


def test_the_build_warns_of_nothing(site):
    assert not re.search("^(WARNING|ERROR)", site.said, re.MULTILINE)


def test_every_id_is_there_once(trees):
    for path, tree in trees.items():
        ids = [each.get("id") for each in tree.walk() if each.get("id")]
        double = {name for name in ids if ids.count(name) > 1} if ids else set()
        assert not double, path


def test_every_link_leads_somewhere(site, trees):
    ids = {
        path: {each.get("id") for each in tree.walk() if each.get("id")}
        for path, tree in trees.items()
    }
    broken = []
    for path, tree in trees.items():
        if path == "404.html":
            continue  # its links are absolute, for wherever it is shown
        for element in tree.walk():
            for name in ("href", "src"):
                link = element.get(name)
                if not link or link.startswith(("data:", "mailto:", "javascript:")):
                    continue
                if not _exists(site, ids, path, link):
                    broken.append((path, link))
    assert not broken


def _exists(site, ids, path, link):
    url, anchor = urldefrag(urljoin(site.url(path), link))
    if not url.startswith(site.address):  # whether it works is not ours to say
        return urlsplit(url).scheme in ("http", "https")
    target = unquote(url.removeprefix(site.address))
    if not target or target.endswith("/"):
        target += "index.html"
    if not (site.folder / target).is_file():
        return False
    return not anchor or target not in ids or unquote(anchor) in ids[target]


def test_nothing_is_loaded_from_elsewhere(site, trees):
    for path, tree in trees.items():
        for element in tree.walk():
            link = element.get("src")
            if element.tag == "link" and element.get("rel") != "canonical":
                link = element.get("href")
            if link:
                url = urljoin(site.url(path), link)
                assert url.startswith((site.address, "data:")), (path, link)


def test_the_fonts_are_light_and_come_with_their_licences(site):
    fonts = [*(site.folder / "fonts").glob("*.woff2")]
    assert sum(font.stat().st_size for font in fonts) <= 120_000
    assert len([*(site.folder / "fonts").glob("OFL-*.txt")]) == 3
    style = site.read("book.css")
    assert {f"fonts/{font.name}" for font in fonts} == {
        *re.findall(r'url\("(fonts/.*?)"\)', style)
    }


def test_figures_stand_in_the_page_and_take_its_colours(trees):
    drawings = [each for tree in trees.values() for each in tree.all("svg", "drawing")]
    assert len(drawings) > 20
    for drawing in drawings:
        assert int(drawing.get("width")) == 360 < 800 > int(drawing.get("height"))
        assert drawing.first("title").text and not drawing.first("style")
    assert not [e for tree in trees.values() for e in tree.walk() if e.tag == "img"]


def test_the_edit_link_leads_to_the_line(site, trees):
    lines = (ROOT / "microgpt.md").read_text(encoding="utf-8").split("\n")
    checked = 0
    for path, tree in trees.items():
        for link in tree.all("a"):
            if link.get("rel") != "edit":
                continue
            start = f"{REPOSITORY}/blob/main/microgpt.md?plain=1#L"
            assert link.get("href").startswith(start)
            line = lines[int(link.get("href").removeprefix(start)) - 1]
            assert line.startswith("#"), path
            checked += 1
    assert checked > 10


def test_each_page_says_what_it_is(trees):
    seen = set()
    for path, tree in trees.items():
        if path == "404.html":
            continue
        title = tree.first("title").text
        assert title and title not in seen, path
        seen.add(title)
        metas = {each.get("name") or each.get("property") for each in tree.all("meta")}
        assert {"description", "og:title", "og:description", "og:image"} <= metas, path
        [described] = [e for e in tree.all("meta") if e.get("name") == "description"]
        assert re.fullmatch(r"[^|$\\`\"]+[.?…]", described.get("content")), path


def test_a_term_says_what_the_glossary_says(trees):
    rows = [row.all("td") for row in trees["glossary/index.html"].all("tr")]
    meanings = {}
    for row in rows:
        if row:
            place = row[0].first("a").get("href").removeprefix("../")
            meanings[place] = row[1].text.removesuffix(
                row[1].first("span", "uses").text
            )
    links = [link for tree in trees.values() for link in tree.all("a", "term")]
    assert len(meanings) > 100 and len(links) > 300
    for link in links:
        meaning = meanings[re.sub(r"^(\.\./)+", "", link.get("href"))]
        assert link.get("title") == " ".join(meaning.split())


def test_a_word_in_another_sense_is_no_term(trees):
    """Words that have been read in the table of `make terms`, and were mistaken."""
    linked = {
        (path.partition("/")[0], link.text)
        for path, tree in trees.items()
        for link in tree.all("a", "term")
    }
    assert ("heads-and-layers", "keys") in linked  # marked in the book
    assert not linked & {
        ("a-number-that-remembers", "linear"),  # the rectified linear unit
        ("a-table-that-learns", "value"),
        ("everything-else-is-efficiency", "loss"),  # what is lost
        ("from-here-to-production", "layer"),  # a linear layer
        ("from-here-to-production", "value"),
        ("one-head-looking-back", "batch"),  # of matrices
    }


def test_names_of_quantities_are_marked_as_they_were_read(trees):
    chapters = {
        path.removesuffix("/index.html"): tree
        for path, tree in trees.items()
        if path.count("/") == 1 and not path.startswith("book/")
    }
    found = names_by_page(chapters)
    assert found == READ.read_text(encoding="utf-8"), "make quantities, and read"


def test_a_letter_in_another_sense_is_no_quantity(site):
    adam, one_head = (
        site.read("adam/index.html"),
        site.read("one-head-looking-back/index.html"),
    )
    assert "<mi>v</mi>" in adam and ">v</mi>" not in adam.replace("<mi>v</mi>", "")
    [add] = re.findall(r'id="chunk-add-two-lists".*?</figure>', one_head, re.DOTALL)
    assert "data-quantity" not in add
    assert ".values()" in one_head


def test_the_previous_and_the_next_page_are_linked(site, trees):
    path, order = "index.html", ["index.html"]
    while True:
        links = [e for e in trees[path].all("link") if e.get("rel") == "next"]
        if not links:
            break
        url = urljoin(site.url(path), links[0].get("href"))
        path = url.removeprefix(site.address) + "index.html"
        assert path not in order
        order.append(path)
    assert set(order) == set(site.paths) - {"404.html"}


def test_the_downloads_are_the_tangled_files(site, program):
    def files(folder):
        found = [file for file in folder.rglob("[!._]*.*") if file.is_file()]
        return {file.relative_to(folder).as_posix() for file in found}

    names = files(program.folder)
    assert names >= {"microgpt.py", "names.txt", "stages/stage1_counts.py"}
    assert files(site.folder / "downloads") == names
    for name in names:
        there = (site.folder / "downloads" / name).read_bytes()
        assert there == (program.folder / name).read_bytes()


def test_the_search_index_has_the_text_once(site):
    index = json.loads((site.folder / "search" / "search_index.json").read_bytes())
    places = [entry["location"] for entry in index["docs"]]
    assert "tokens/" in places
    [glossary] = [each for each in index["docs"] if each["location"] == "glossary/"]
    assert len(glossary["text"]) < 500  # the chapters define the terms
    assert not [p for p in places if p.startswith(("book/", "listing/"))]


# Mistakes


def copy_of_the_book(folder, change):
    """Copy what MkDocs needs, with a change to the book."""
    names = ("exercises", "labs", "literate", "web", "weave.py", "mkdocs.yml")
    for name in names:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / name)
    if (ROOT / ".cache").exists():
        shutil.copytree(ROOT / ".cache", folder / ".cache")
    text = (ROOT / "microgpt.md").read_text(encoding="utf-8")
    (folder / "microgpt.md").write_text(change(text), encoding="utf-8")


def test_a_mistake_fails_the_build_and_says_where(tmp_path):
    copy_of_the_book(tmp_path, lambda text: text.replace("# <<Draw the", "#<<Draw the"))
    command = [sys.executable, "-m", "mkdocs", "build"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8")
    assert done.returncode == 1
    assert re.search(r"microgpt\.md:\d+:\d+: error: ", done.stdout + done.stderr)
    assert "Traceback" not in done.stderr


def test_a_program_that_fails_to_train_ends_a_build_but_no_server(monkeypatch):
    from mkdocs.exceptions import Abort

    import weave

    def trained(texts, make=True):
        if make:
            raise RuntimeError("The labs' model could not be trained.")

    with pytest.raises(Abort, match="could not be trained"):
        weave._trained("labs' model", trained, {})
    monkeypatch.setattr(weave._server, "is_serving", True)
    assert weave._trained("labs' model", trained, {}) is None


def test_serving_shows_a_mistake_and_its_mending(tmp_path):
    """Stock `mkdocs serve`: from save to page in a few seconds, mistakes included."""
    from urllib.error import HTTPError, URLError
    from urllib.request import urlopen

    copy_of_the_book(tmp_path, lambda text: text)
    book = tmp_path / "microgpt.md"
    good = book.read_text(encoding="utf-8")
    with http.server.HTTPServer(("127.0.0.1", 0), None) as probe:
        port = probe.server_port
    command = [sys.executable, "-m", "mkdocs", "serve", "-a", f"127.0.0.1:{port}"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as server:
        threading.Thread(target=server.stderr.read, daemon=True).start()

        def wait_for(words):
            end = time.monotonic() + 180
            while time.monotonic() < end:
                try:
                    with urlopen(f"http://127.0.0.1:{port}/tokens/") as answer:
                        if words in answer.read().decode():
                            return
                except (HTTPError, URLError, ConnectionError):
                    pass
                time.sleep(0.1)
            raise AssertionError(words)

        def bundled():
            address = f"http://127.0.0.1:{port}/labs/bundle.json"
            with urlopen(address) as answer:
                return json.loads(answer.read())["files"]

        try:
            wait_for('id="tokens"')
            book.write_text(good.replace("# <<Draw the", "#<<Draw the"), "utf-8")
            wait_for("The book has a mistake")
            wait_for("microgpt.md:")
            book.write_text(good.replace("## Tokens", "## Tokens\n\n$$x$$"), "utf-8")
            wait_for("display mathematics is a block of its own")
            book.write_text(good.replace("## Tokens", "## Tokens\n\nGrue."), "utf-8")
            wait_for("Grue.")
            assert "model.json" in bundled()
            # With another program no build waits for another model, nor ships this one.
            header = "# <<Encode a document>>=\n"
            book.write_text(good.replace(header, f"{header}# Grue.\n"), "utf-8")
            wait_for("# Grue.</span>")
            assert "model.json" not in bundled()
        finally:
            server.terminate()


# In the browser


CODE_PAGE = "a-number-that-remembers/"


def audit_pages(chromium, site, paths):
    """Return what is wrong with pages: axe in both schemes, messages, width."""
    wide, narrow = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
    faults = {}
    context = chromium.new_context(viewport=wide)
    watched = Watched(context, site.address)
    page = watched.page
    for path in paths:
        watched.faults.clear()
        page.set_viewport_size(wide)
        page.goto(site.url(path))
        page.wait_for_function("document.documentElement.classList.contains('js')")
        page.add_style_tag(content="* { transition: none !important }")
        page.evaluate(axe())
        # The whole book takes long, and its code is on the chapters' pages too.
        repeated = [".chunk", ".example"] if path.startswith("book/") else []
        change_colours(page, 0, "default")
        found = audit(page, RULES, repeated)
        change_colours(page, 1, "slate")
        found += audit(page, ["color-contrast"], repeated)
        page.set_viewport_size(narrow)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > narrow["width"]:
            found.append(f"{width} pixels wide")
        found += watched.faults
        if found:
            faults[path] = found
    context.close()
    return faults


SOME = ["index.html", "404.html", "attention/index.html", "glossary/index.html"]
SOME += ["part-ii-how-a-program-learns/index.html"]


def test_some_pages_are_accessible_quiet_and_narrow(chromium, site):
    assert not audit_pages(chromium, site, SOME)


@pytest.mark.slow
@pytest.mark.parametrize("share", range(4))
def test_every_page_is_accessible_quiet_and_narrow(chromium, site, share):
    paths = [path for path in site.paths if path not in SOME]
    assert not audit_pages(chromium, site, paths[share::4])


def test_the_parts_are_in_the_navigation_and_in_the_order_of_reading(reader, site):
    reader.goto(site.url("counting/"))
    reader.get_by_role("link", name="Next: Part II: How a program learns").click()
    reader.locator("h1", has_text="Part II: How a program learns").wait_for()
    assert reader.locator(".map-frame .here").count() > 4
    sidebar = reader.locator(".md-sidebar--primary")
    sidebar.get_by_role("link", name="Part III: The model", exact=True).click()
    reader.locator("h1", has_text="Part III: The model").wait_for()
    reader.get_by_role("link", name="Next: Keeping numbers in size").click()
    reader.locator("article").get_by_role("link", name="Part III: The model").click()
    reader.locator("h1", has_text="Part III: The model").wait_for()


def test_what_changed_unfolds_and_can_be_read_in_both_colours(reader, site):
    reader.goto(site.url("one-head-looking-back/"))
    changes = reader.locator("details.changes")
    assert not changes.locator("ins").first.is_visible()
    changes.locator("summary").click()
    changes.locator("ins").first.wait_for()
    assert "+     return model\n" in changes.locator("ins").all_text_contents()
    reader.add_style_tag(content="* { transition: none !important }")
    reader.evaluate(axe())
    for option, scheme in enumerate(["default", "slate"]):
        change_colours(reader, option, scheme)
        assert audit(reader, RULES, []) == []
    reader.set_viewport_size({"width": 360, "height": 740})
    assert reader.evaluate("document.documentElement.scrollWidth") == 360


def test_a_reference_opens_in_place_with_the_mouse(reader, site):
    reader.goto(site.url(CODE_PAGE))
    reference = reader.locator(".chunk .ref").first
    inside = reference.locator(".inside").first
    assert not inside.is_visible()
    reference.locator("summary").first.click()
    assert inside.is_visible()
    assert "def __init__" in inside.inner_text()
    reference.locator("summary").first.click()
    assert not inside.is_visible()


def test_references_open_with_the_keyboard_and_nested(reader, site):
    reader.goto(site.url("the-algorithm-complete/"))
    outer = reader.locator(".chunk .ref").filter(has_text="number that remembers")
    outer.locator("summary").first.focus()
    reader.keyboard.press("Enter")
    nested = outer.locator(".inside .ref summary").first
    assert nested.is_visible()
    nested.focus()
    reader.keyboard.press("Space")
    assert outer.locator(".inside .inside").first.is_visible()
    reader.keyboard.press("Escape")
    reader.locator("h1").click()
    reader.keyboard.press("e")
    assert reader.locator("article .ref > details:not([open])").count() == 0
    reader.keyboard.press("e")
    assert reader.locator("article .ref > details[open]").count() == 0


@pytest.mark.parametrize("how", ["hover", "focus"])
def test_identifiers_and_references_are_previewed(reader, site, how):
    reader.goto(site.url("the-training-loop/"))
    use = reader.locator("a.use", has_text="mean_loss").first
    reader.keyboard.press("Tab")
    getattr(use, how)()
    reader.wait_for_selector("#preview")
    assert "def mean_loss" in reader.inner_text("#preview")
    assert use.get_attribute("aria-describedby") == "preview"
    reader.keyboard.press("Escape")
    assert reader.locator("#preview").count() == 0
    reader.goto(site.url(CODE_PAGE))
    reader.keyboard.press("Tab")
    getattr(reader.locator(".ref summary").first, how)()
    reader.wait_for_selector("#preview")
    assert "def __init__" in reader.inner_text("#preview")


def test_an_identifier_leads_to_its_definition(reader, site):
    reader.goto(site.url("the-training-loop/"))
    use = reader.locator("a.use", has_text="mean_loss").first
    use.click()
    reader.wait_for_url("**/the-loss/#L*")
    line = reader.url.rpartition("#")[2]
    reader.locator(f"#{line}").wait_for()  # the page comes after its address
    text = reader.evaluate(
        "id => document.getElementById(id).nextSibling.textContent", line
    )
    assert text.startswith("def")


def test_the_copy_button_copies_code_alone(reader, site):
    reader.goto(site.url("attention/"))
    figure = reader.locator("figure.chunk", has_text="Look back with one").first
    figure.locator(".copy").click()
    reader.wait_for_selector(".md-dialog--active")
    copied = reader.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("def look_back(")
    assert "# Weigh the earlier positions" in copied
    compile(copied, "copied", "exec")


def test_a_session_is_copied_without_prompts_and_answers(reader, site):
    reader.goto(site.url("tokens/"))
    session = reader.locator(".language-pycon").first
    session.hover()
    session.locator(".md-code__button").first.click()
    reader.wait_for_selector(".md-dialog--active")
    copied = reader.evaluate("navigator.clipboard.readText()")
    assert ">>>" not in copied and copied.startswith("from microgpt import")
    compile(copied, "copied", "exec")


def test_the_search_finds_by_keyboard(reader, site):
    reader.goto(site.url("index.html"))
    reader.keyboard.press("/")
    reader.keyboard.type("temperature")
    result = reader.locator(".md-search-result__link", has_text="Sampling").first
    result.wait_for()
    reader.keyboard.press("ArrowDown")
    reader.keyboard.press("Enter")
    reader.wait_for_function("location.pathname.length > 1")


def test_the_search_finds_by_mouse(reader, site):
    reader.goto(site.url("index.html"))
    reader.click(".md-search__input")
    reader.keyboard.type("residual")
    # With the first letters alone, other pages that name it may come before.
    reader.locator(".md-search-result__link[href*='/the-whole-model/']").first.click()
    reader.wait_for_function("location.pathname === '/the-whole-model/'")


FIRST = {  # what a reader types, and the page that must come first
    "why divide by sqrt": "attention",
    "sqare root": "attention",
    "bakcprop": "backwards-in-the-right-order",
    "autograd": "backwards-in-the-right-order",
    "hallucination": "sampling",
    "top-k": "sampling",
    "temprature": "sampling",
    "chatgpt": "from-here-to-production",
    "perplexity": "counting",
    "momentum": "adam",
    "overfitting": "the-training-loop",
    "cross entropy": "the-loss",
    "BPE": "tokens",
    "what is a token?": "tokens",
    "RoPE": "what-newer-models-changed",
    "layer norm": "keeping-numbers-in-size",
    "feed-forward": "a-small-network",
    "embeding": "a-small-network",
    "multi-head attention": "heads-and-layers",
    "finite differences": "slopes",
    "how do I train on my own list": "a-list-of-your-own",
    "checkpoint": "stopping-and-going-on",
    "mutant": "a-wrong-gradient-that-still-learns",
}
NEAR = {  # ... and a page among the first three: others say as much
    "GPU": "what-each-engine-buys",
    "NumPy": "many-names-at-a-time",
    "pytorch": "on-many-machines",
    "gradient accumulation": "what-newer-models-changed",
    "skip connection": "the-whole-model",
    "SGD": "adam",
}


def test_the_search_understands_what_readers_type(reader, site):
    reader.goto(site.url("index.html"))
    reader.click(".md-search__input")
    item = ".md-search-result__item:nth-child(-n + {})"
    for pages, shown in ((FIRST, item.format(1)), (NEAR, item.format(3))):
        for words, page in pages.items():
            reader.locator(".md-search__input").fill("")
            reader.keyboard.type(words)
            link = f"{shown} .md-search-result__link[href*='/{page}/']"
            reader.locator(link).first.wait_for()


def test_the_colours_change_by_mouse_and_by_key(reader, site):
    reader.goto(site.url("tokens/"))
    scheme = "document.body.dataset.mdColorScheme"
    assert reader.evaluate(scheme) == "default"
    reader.click("label[for=__palette_1]")
    assert reader.evaluate(scheme) == "slate"
    reader.reload()
    assert reader.evaluate(scheme) == "slate"
    reader.keyboard.press("d")
    assert reader.evaluate(scheme) == "default"


def test_the_keys_are_explained(reader, site):
    reader.goto(site.url("tokens/"))
    reader.keyboard.press("?")
    assert "references" in reader.inner_text("dialog.help")
    reader.keyboard.press("Escape")
    reader.locator("dialog.help").wait_for(state="detached")
    reader.keyboard.press("n")
    reader.wait_for_url(lambda url: not url.endswith("/tokens/"))


def test_the_place_of_reading_is_remembered(reader, site):
    reader.goto(site.url(CODE_PAGE))
    reader.locator("figure.chunk").nth(3).scroll_into_view_if_needed()
    reader.evaluate("scrollBy(0, 400)")
    reader.wait_for_function("__md_get('book-place')?.anchor.startsWith('chunk-')")
    reader.goto(site.url("index.html"))
    link = reader.locator(".continue a")
    assert link.inner_text() == "A number that remembers"
    link.click()
    reader.wait_for_url(f"**/{CODE_PAGE}#chunk-*")


def test_terms_explain_themselves(reader, site):
    reader.goto(site.url("the-whole-model/"))
    terms = reader.locator("a.term")
    terms.first.hover()
    reader.wait_for_selector(".md-tooltip2--active")


@pytest.mark.slow
def test_pointing_at_a_quantity_lights_it_everywhere(reader, site):
    """By mouse and key, and without a move of the page."""
    names = """() => [...document.querySelectorAll(".lit")].map(
        (each) => each.textContent.trim() || each.tagName)"""
    height = "document.documentElement.scrollHeight"
    reader.goto(site.url("heads-and-layers/"))
    reader.locator(".md-nav__link[href*='attention/']").click()  # loaded in place
    reader.locator("h1", has_text="Attention").wait_for()
    assert reader.evaluate(names) == []
    before = reader.evaluate(height)
    reader.locator("math[display] [data-quantity=key]").hover()
    reader.locator(".drawing text.lit").first.wait_for()
    assert {"k", "key", "Key", "keys", "key 0: 0", "line"} <= {*reader.evaluate(names)}
    assert reader.evaluate(height) == before
    reader.locator(".drawing [stroke='var(--value)']").first.dispatch_event("click")
    assert {"v", "values"} <= {*reader.evaluate(names)} and "k" not in reader.evaluate(
        names
    )
    reader.locator("h1").hover()
    reader.wait_for_selector(".lit", state="detached")
    reader.keyboard.press("Tab")
    reader.locator("a.use[data-quantity=query]:visible").first.focus()
    assert {"q", "query"} <= {*reader.evaluate(names)}


@pytest.mark.slow
def test_what_is_lit_can_be_read_in_both_colours(reader, site):
    for path in ("attention/", "the-whole-model/", "adam/"):
        reader.goto(site.url(path))
        reader.wait_for_function("document.documentElement.classList.contains('js')")
        reader.evaluate(
            "document.querySelectorAll('article [data-quantity]')"
            ".forEach((each) => each.classList.add('lit'))"
        )
        reader.evaluate(axe())
        for option, scheme in enumerate(["default", "slate"]):
            change_colours(reader, option, scheme)
            assert audit(reader, ["color-contrast"], []) == []


SMALLEST = """() => [...document.querySelectorAll(".drawing, .diagram svg")]
    .filter((svg) => svg.clientWidth)
    .flatMap((svg) => [...svg.querySelectorAll("text, .nodeLabel, .edgeLabel")]
      .filter((text) => text.textContent.trim())
      .map((text) => parseFloat(getComputedStyle(text).fontSize)
        * svg.clientWidth / svg.viewBox.baseVal.width))"""


@pytest.mark.slow
def test_the_words_of_figures_can_be_read_on_a_phone(reader, site):
    reader.set_viewport_size({"width": 390, "height": 844})
    for path in site.paths:
        if path != "book/index.html" and re.search("<figure|<svg", site.read(path)):
            reader.goto(site.url(path))
            assert min(reader.evaluate(SMALLEST), default=12) > 10.5, path


def test_a_wrong_address_offers_the_nearest_chapter(reader, site):
    reader.route("**/old/*", lambda route: route.fulfill(body=site.read("404.html")))
    near = {"atention.html": "Attention", "chain-rule": "The chain rule"}
    for address, title in near.items():
        reader.goto(site.url(f"old/{address}"))
        offer = reader.locator(".nearest a")
        assert offer.inner_text() == title
    offer.click()
    reader.locator("h1", has_text="The chain rule").wait_for()
    reader.goto(site.url("old/xyzzy"))
    assert not reader.locator(".nearest").is_visible()
    titles = reader.locator(".contents a").all_inner_texts()
    assert {"Run it first", "Attention", "Glossary"} <= {*titles}
    reader.goto(site.url("old/adam"))
    reader.get_by_role("link", name="Search the book").click()
    reader.locator(".md-search-result__link[href*='/adam/']").first.wait_for()
    assert reader.locator(".md-search__input").input_value() == "adam"


def test_a_root_leaves_no_hole_behind_it(reader, site):
    reader.goto(site.url("attention/"))
    reader.evaluate("document.fonts.load('1em \"Book Radical\"', '√')")
    holes = reader.evaluate(
        "[...document.querySelectorAll('p msqrt')].map((root) =>"
        " root.getBoundingClientRect().right -"
        " root.lastElementChild.getBoundingClientRect().right)"
    )
    assert holes and max(holes) < 1


# In print

PAPER = {"A4": 658, "Letter": 680}  # pixels between the margins


def test_what_is_printed_is_numbered_and_has_no_buttons(reader, site):
    reader.emulate_media(media="print")
    numbers, breaks = set(), {}
    for path in ("heads-and-layers/", "attention/", "book/"):
        reader.goto(site.url(path))
        hidden = ".copy, .lab-start, .headerlink, .ref .inside, .changes"
        shown = "all => all.filter((each) => each.checkVisibility()).length"
        assert reader.locator(hidden).evaluate_all(shown) == 0, path
        square = "all => all.map((e) => getComputedStyle(e, '::after').display)"
        squares = reader.locator("summary").evaluate_all(square)
        assert {*squares} == {"none"}, path
        headings = reader.locator("article :is(h1, h2, h3, h4)")
        breaks[path] = headings.evaluate_all(
            "all => all.filter((e) => getComputedStyle(e).breakBefore === 'page')"
            ".map((e) => e.className)"
        )
        if path != "attention/":
            heading = reader.locator("#heads-and-layers")
            numbers.add(heading.get_attribute("style"))
    counted = reader.evaluate(
        """() => {
          const figures = ".diagram, p:has(> svg.drawing)";
          const all = [...document.querySelectorAll(`.chapter, ${figures}`)];
          const isChapter = (each) => each.matches(".chapter");
          return all.filter(isChapter).map((chapter) => [
            chapter.style.counterReset.split(" ").at(-1),
            `${all.slice(0, all.indexOf(chapter)).filter((e) => !isChapter(e)).length}`,
          ]);
        }"""
    )
    assert all(said == found for said, found in counted)
    [numbered] = numbers
    assert re.fullmatch(r"counter-reset: chapter \d+ figure \d+", numbered)
    assert not breaks["heads-and-layers/"] and not breaks["attention/"]
    assert {*breaks["book/"]} == {"chapter", "part"}


@pytest.mark.parametrize("paper", PAPER)
def test_no_line_of_a_program_is_too_long_for_the_paper(reader, site, paper):
    reader.emulate_media(media="print")
    reader.set_viewport_size({"width": PAPER[paper], "height": 900})
    reader.goto(site.url("book/"))
    faults = reader.evaluate(
        """() => {
          const isWrapped = (pre) => {
            const lines = pre.textContent.split("\\n").length - 1;
            const height = lines * parseFloat(getComputedStyle(pre).lineHeight);
            return pre.checkVisibility() && pre.offsetHeight > height + lines;
          };
          const programs = document.querySelectorAll(".chunk pre:not(.data)");
          const wrapped = [...programs].filter(isWrapped);
          const all = [...document.querySelectorAll("article :is(table, pre, svg, p)")];
          const isWide = (each) => each.getBoundingClientRect().right > innerWidth + 1;
          return [...wrapped, ...all.filter(isWide)].map((each) => each.outerHTML);
        }"""
    )
    assert not faults


def test_it_reads_without_scripts(chromium, site):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.url("the-chain-rule/"))
    assert page.locator("math").first.is_visible()
    assert page.locator("figure.diagram svg").first.is_visible()
    page.goto(site.url(CODE_PAGE))
    assert "class Value" in page.inner_text("article")
    summary = page.locator(".ref summary").first
    summary.click()
    assert "def __init__" in page.locator(".ref .inside").first.inner_text()
    page.locator("a.to-chunk").first.click()
    page.wait_for_url("**#chunk-*")
    context.close()


@pytest.mark.slow
def test_the_copy_from_a_file_opens_and_searches(chromium, tmp_path):
    build(tmp_path, OFFLINE="true")
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    watched = Watched(context, "file://")
    page = watched.page
    page.goto((tmp_path / "index.html").as_uri())
    page.click("text=Start reading")
    page.wait_for_url("**/run-it-first.html")  # and until it is loaded
    assert page.locator("h1").first.is_visible()
    page.keyboard.press("/")
    page.keyboard.type("temperature")
    page.locator(".md-search-result__link[href*='/sampling.html']").first.click()
    page.wait_for_url("**/sampling.html*")
    page.locator("a.use").first.click()
    assert page.url.startswith("file://")
    page.goto((tmp_path / "tokens.html").as_uri())
    page.locator(".lab-start").first.click()
    page.get_by_text("Run “python -m http.server”").first.wait_for()
    context.close()
    assert not watched.faults
