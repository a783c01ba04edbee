"""The hook by which MkDocs weaves the book: its pages come from microgpt.md alone.

Everything that decides what a page says is in `literate/`. This module hands the pages
to MkDocs, and a mistake in the document to whoever made it.
"""

from __future__ import annotations

import html
import importlib
import logging
import posixpath
import re
import sys
from pathlib import Path

from jinja2 import Environment, FileSystemBytecodeCache
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import Abort
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent
BOOK = "microgpt.md"
PACKAGES = ("exercises", "labs", "literate")

log = logging.getLogger("mkdocs.hooks.weave")
_state: dict = {"serving": False, "newest": 0.0, "paths": [], "lines": {}}


def on_startup(command: str, dirty: bool) -> None:
    """Remember whether somebody is reading along."""
    _state["serving"] = command == "serve"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Read the tools afresh, and let Python-Markdown keep ready HTML as it is."""
    _forget_modules()
    config.markdown_extensions.append(_module("weaving.html").StashExtension())
    if config.plugins["material/offline"].config.enabled:
        config.extra["polyfills"] = ["iframe-worker.js"]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the woven pages and the downloads; set the navigation."""
    try:
        site = _weave(config)
    except Exception as error:
        if type(error).__name__ not in ("DocumentError", "UnicodeDecodeError"):
            raise
        if not _state["serving"]:
            raise Abort(f"\n{error}") from None
        log.error("\n%s", error)
        return _add_mistake(files, config, str(error))
    for page in site.pages:
        files.append(File.generated(config, page.path, content=page.text))
    for path, text in site.files.items():
        files.append(File.generated(config, path, content=text))
    bundle = _module("bundle", "labs")
    for path, place in bundle.vendored().items():
        files.append(File.generated(config, f"labs/{path}", abs_src_path=str(place)))
    for path, place in bundle.scripts().items():
        files.append(File.generated(config, path, abs_src_path=str(place)))
    config.nav = site.navigation
    config.site_name = site.name
    _state["paths"] = [page.path for page in site.pages]
    _state["lines"] = {page.path: page.line for page in site.pages}
    return files


def on_env(env: Environment, config: MkDocsConfig, files: Files) -> Environment:
    """Keep the theme's templates compiled from one build to the next."""
    folder = ROOT / ".cache" / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    env.bytecode_cache = FileSystemBytecodeCache(str(folder))
    return env


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_) -> str:
    """Let the edit link lead to the line of the book where the page begins."""
    line = _state["lines"].get(page.file.src_uri)
    page.edit_url = None
    if line and config.extra.get("repository"):
        page.edit_url = _repository(config, f"{BOOK}?plain=1#L{line}")
    return markdown


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
    return re.sub(r'<img (?=[^>]*src="[./]*(figures/[\w-]+\.svg)")', _figure, markup)


def _figure(match: re.Match[str]) -> str:
    """Return the head of a figure's element: loaded when near, its room kept free."""
    drawing = (ROOT / "web" / match[1]).read_text(encoding="utf-8")
    width, height = re.search(r' width="(\d+)" height="(\d+)"', drawing).groups()
    return f'<img loading="lazy" width="{width}" height="{height}" '


def _weave(config: MkDocsConfig):
    documents, program = _module("core.document"), _module("core.programs")
    weaving, diagrams = _module("weaving.pages"), _module("weaving.diagrams")
    text = (ROOT / BOOK).read_bytes().decode("utf-8")
    document = documents.parse(text, BOOK)
    outputs = _module("tool.forms").outputs_and_forms(document)
    program.check_syntax([output for output in outputs if output.key is None])
    drawings = diagrams.Diagrams(ROOT / ".cache" / "diagrams")
    sources = ["".join(e.lines) for e in document.examples if e.info == "mermaid"]
    drawings.prepare(sources)
    site = weaving.weave(
        document, outputs, drawings.draw, lambda path: _repository(config, path)
    )
    site.files["labs/bundle.json"] = _bundle(text, outputs)
    site.files["labs/labs.css"] = _module("bundle", "labs").style()
    return site


def _bundle(text: str, outputs: list) -> str:
    """Return what the labs need; who is writing does not wait for their model."""
    bundles = _module("bundle", "labs")
    texts = {output.path: output.text for output in outputs}
    model = bundles.trained(texts, wait=not _state["serving"])
    if model is None:
        log.info("The labs' model is being trained; the next build will have it.")
    return bundles.bundle(text, texts, model)


def _repository(config: MkDocsConfig, path: str) -> str:
    """Return the address of a file in the repository, "" if none is configured."""
    base = config.extra.get("repository")
    branch = config.extra.get("branch") or "main"
    return (
        f"{base.rstrip('/')}/blob/{branch}/{posixpath.normpath(path)}" if base else ""
    )


def _add_mistake(files: Files, config: MkDocsConfig, message: str) -> Files:
    """Show what is wrong on every page that was there before, until it is mended."""
    shown = html.escape(message)
    text = (
        "---\nsearch:\n  exclude: true\n---\n\n# The book has a mistake\n\n"
        "Mend it in the document and save: this page will reload.\n\n"
        f'<pre class="mistake"><code>{shown}</code></pre>\n'
    )
    paths = _state["paths"] or ["index.md"]
    for path in paths:
        files.append(File.generated(config, path, content=text))
    config.nav = [{"The book has a mistake": "index.md"}]
    _state["lines"] = {}
    return files


def _module(name: str, package: str = "literate"):
    root = str(ROOT)
    if root not in sys.path:
        sys.path.insert(0, root)
    return importlib.import_module(f"{package}.{name}")


def _forget_modules() -> None:
    """Drop the modules that a change has made old since the last build.

    Otherwise they stay, and with them what they remember of unchanged text.
    """
    files = [path for name in PACKAGES for path in (ROOT / name).rglob("*.py")]
    newest = max(path.stat().st_mtime for path in files)
    if newest == _state["newest"]:
        return
    _state["newest"] = newest
    for name in [*sys.modules]:
        if name.partition(".")[0] in PACKAGES:
            del sys.modules[name]
