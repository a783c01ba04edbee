"""The hook by which MkDocs weaves the book: its pages come from microgpt.md alone.

Everything that decides what a page says is in `literate/`. This module hands the pages
to MkDocs, and a mistake in the document to whoever made it.
"""

from __future__ import annotations

import html
import json
import logging
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemBytecodeCache
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import Abort
from mkdocs.livereload import LiveReloadServer
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from watchdog.observers.polling import PollingObserver

from exercises import judging
from labs import bundle
from literate.core.diagnostics import DocumentError
from literate.core.document import parse
from literate.core.programs import Output
from literate.publishing import offline, press
from literate.tool.forms import outputs_and_forms
from literate.weaving.diagrams import draw_once
from literate.weaving.html import StashExtension
from literate.weaving.pages import Site, Surroundings, weave

ROOT = Path(__file__).parent
BOOK = "microgpt.md"
PDF = "downloads/microgpt.pdf"

log = logging.getLogger("mkdocs.hooks.weave")


@dataclass
class _Server:
    """What one build leaves to the next: the line of each page in the book, if any.

    `cards` gives the card of each page that is to have one.
    """

    is_serving: bool = False
    lines: dict[str, int | None] = field(default_factory=dict)
    cards: dict[str, str] = field(default_factory=dict)

    @property
    def is_rebuilding(self) -> bool:
        """Whether somebody is writing, and waits."""
        return self.is_serving and bool(self.lines)


_server = _Server()


def on_startup(command: str, dirty: bool) -> None:
    """Remember whether somebody is reading along."""
    _server.is_serving = command == "serve"


def on_serve(server: LiveReloadServer, config: MkDocsConfig, **_) -> None:
    """Look for what was saved ten times a second: it would be twice."""
    watched = [config.docs_dir, config.config_file_path]
    for path in watched:
        server.unwatch(path)
    server.observer = PollingObserver(timeout=0.1)
    server.build_delay = 0.03  # a file is saved at once
    for path in watched:
        server.watch(path)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Let Python-Markdown keep ready HTML as it is."""
    config.markdown_extensions.append(StashExtension())
    if config.plugins["material/offline"].config.enabled:
        config.extra["polyfills"] = ["iframe-worker.js"]
        config.extra["press"] = False
    elif not _server.is_serving:
        config.extra_javascript.append("offline.js")
    if _server.is_serving or not press.browser():
        config.extra["press"] = False
    if _server.is_serving:  # an index takes a third of the time to the next page
        config.plugins["material/search"].config.enabled = False
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the woven pages and the downloads; set the navigation."""
    try:
        site = _weave(config)
    except (DocumentError, UnicodeDecodeError) as error:
        if not _server.is_serving:
            raise Abort(f"\n{error}") from None
        log.error("\n%s", error)
        return _add_mistake(files, config, str(error))
    for page in site.pages:
        files.append(File.generated(config, page.path, content=page.text))
    for path, text in site.files.items():
        files.append(File.generated(config, path, content=text))
    for path, place in bundle.vendored().items():
        files.append(File.generated(config, f"labs/{path}", abs_src_path=str(place)))
    for path, place in bundle.scripts().items():
        files.append(File.generated(config, path, abs_src_path=str(place)))
    if config.extra["press"]:
        files.append(File.generated(config, PDF, content=b""))  # until there is one
    _teach_search(files, config)
    _join_styles(files, config)
    config.nav = site.navigation
    config.site_name = site.name
    _server.lines = {page.path: page.line for page in site.pages}
    return files


def _teach_search(files: Files, config: MkDocsConfig) -> None:
    """Put the book's words for what readers ask in front of Material's search."""
    [worker] = (f for f in files if fnmatch(f.src_uri, "*/workers/search.*.min.js"))
    ours = (ROOT / "web" / "search.js").read_text(encoding="utf-8")
    content = f"{ours}\n{worker.content_string}"
    files.remove(worker)
    files.append(File.generated(config, worker.src_uri, content=content))


def _join_styles(files: Files, config: MkDocsConfig) -> None:
    """Put Material's style sheets in front of the book's: one file is asked for."""
    theirs = [f for f in files if fnmatch(f.src_uri, "assets/stylesheets/*.css")]
    [ours] = (f for f in files if f.src_uri in config.extra_css)
    content = "\n".join(f.content_string for f in [*theirs, ours])
    for file in [*theirs, ours]:
        files.remove(file)
    files.append(File.generated(config, ours.src_uri, content=content))


def on_env(env: Environment, config: MkDocsConfig, files: Files) -> Environment:
    """Keep the theme's templates compiled from one build to the next."""
    folder = ROOT / ".cache" / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    env.bytecode_cache = FileSystemBytecodeCache(str(folder))
    return env


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_) -> str:
    """Let the edit link lead to the line of the book where the page begins."""
    line = _server.lines.get(page.file.src_uri)
    page.edit_url = None
    if line and config.extra.get("repository"):
        page.edit_url = _repository(config, f"{BOOK}?plain=1#L{line}")
    begins_later = line and line > 1  # the cover and the one-page book begin with it
    if begins_later and config.extra["press"]:
        page.meta["card"] = f"cards/{Path(page.file.src_uri).with_suffix('.png')}"
        _server.cards[page.file.dest_uri] = page.meta["card"]
    return markdown


def on_post_build(config: MkDocsConfig) -> None:
    """Make the PDF and the cards, if there is a browser, and the service worker."""
    site = Path(config.site_dir)
    if config.extra["press"]:
        pdfs, kept = {"book/index.html": PDF}, ROOT / ".cache" / "press"
        try:
            press.press(site, config.site_url, pdfs, _server.cards, kept)
        except RuntimeError as error:
            said = f"\n{error}\nPRESS=false builds without PDF and cards."
            raise Abort(said) from None
    if "offline.js" in config.extra_javascript:
        script = (ROOT / "web" / "sw.js").read_text(encoding="utf-8")
        worker = offline.service_worker(site, script)
        (site / "sw.js").write_text(worker, encoding="utf-8")


def on_page_content(markup: str, page: Page, files: Files, **_) -> str:
    """Resolve the links in ready HTML, which name pages by their Markdown files."""

    def resolve(match: re.Match[str]) -> str:
        path, hash_, anchor = html.unescape(match[2]).partition("#")
        file = files.get_file_from_path(path)
        if file is None:
            return match[0]
        url = file.url_relative_to(page.file)
        return f'{match[1]}="{html.escape(url + hash_ + anchor)}"'

    markup = re.sub(r'\b(href|src)="([^":#?][^":?]*)"', resolve, markup)
    # Print shows where these lead, and instant loading makes every link absolute.
    markup = re.sub(r'<a href="(?=https?://)', '<a rel="external" href="', markup)
    return re.sub(r'<img [^>]*src="[./]*(figures/[\w-]+\.svg)"[^>]*>', _figure, markup)


def _figure(match: re.Match[str]) -> str:
    """Return a figure itself in the place of its element, in the page's own colours."""
    return _drawing(match[1]).replace("<svg ", "<svg data-search-exclude ", 1)


def _drawing(path: str) -> str:
    """Return a drawing without the colours that it has where it stands alone."""
    drawing = (ROOT / "web" / path).read_text(encoding="utf-8")
    return re.sub(r"<style>.*?</style>\n", "", drawing).strip()


def _weave(config: MkDocsConfig) -> Site:
    text = (ROOT / BOOK).read_bytes().decode("utf-8")
    document = parse(text, BOOK)
    outputs = outputs_and_forms(document)
    texts = {o.path: o.text for o in outputs if isinstance(o, Output)}
    run = _trained("cover's model", bundle.recorded, texts)
    surroundings = Surroundings(
        draw=partial(draw_once, folder=ROOT / ".cache" / "diagrams"),
        repository=lambda path: _repository(config, path),
        figures=[f"web/figures/{p.name}" for p in ROOT.glob("web/figures/*")],
        labs=[path.parent.name for path in ROOT.glob("labs/*/lab.js")],
        exercises={
            name: exercise.chunk if exercise.slips else ""
            for name, exercise in judging.find_all().items()
        },
        map=_drawing("figures/map.svg"),
        lead=config.site_description,
        run=json.loads(run) if run else None,
        pdf=PDF if config.extra["press"] else "",
    )
    site = weave(document, outputs, surroundings)
    model = _trained("labs' model", bundle.trained, texts)
    site.files["labs/bundle.json"] = bundle.bundle(text, texts, model)
    site.files["labs/labs.css"] = bundle.style()
    return site


def _trained(what: str, train: Callable, texts: dict[str, str]) -> str | None:
    """Return what a training leaves; nobody who is writing waits for a new one."""
    found = train(texts, make=False)
    if found:
        return found
    if _server.is_rebuilding:
        log.info("There is no %s of this program: restart to train it.", what)
        return None
    log.info("Training the %s, once for this version of the program.", what)
    try:
        return train(texts)
    except RuntimeError as error:
        if not _server.is_serving:
            raise Abort(f"\n{error}") from None
        log.error("\n%s", error)
        return None


def _repository(config: MkDocsConfig, path: str) -> str:
    """Return the address of a file in the repository, "" if none is configured."""
    base, branch = config.extra["repository"], config.extra["branch"] or "main"
    if not base:
        return ""
    return f"{base.rstrip('/')}/blob/{branch}/{posixpath.normpath(path)}"


def _add_mistake(files: Files, config: MkDocsConfig, message: str) -> Files:
    """Show what is wrong on every page that was there before, until it is mended."""
    text = (
        "---\nsearch:\n  exclude: true\n---\n\n# The book has a mistake\n\n"
        "Mend it in the document and save: this page will reload.\n\n"
        f'<pre class="mistake"><code>{html.escape(message)}</code></pre>\n'
    )
    _server.lines = dict.fromkeys(_server.lines or ["index.md"])
    for path in _server.lines:
        files.append(File.generated(config, path, content=text))
    config.nav = [{"The book has a mistake": "index.md"}]
    return files
