// What the pages do beyond Material: previews of code, keys, and the place of reading.
// Everything can be read without it.

(() => {
  const key = "book-place";
  const documents = new Map();
  let preview = null;

  // Previews

  async function load(url) {
    const address = url.origin + url.pathname + url.search;
    if (address === location.origin + location.pathname + location.search) return document;
    if (!documents.has(address)) {
      const text = fetch(address).then((answer) => (answer.ok ? answer.text() : ""));
      const parse = (markup) => new DOMParser().parseFromString(markup, "text/html");
      documents.set(address, text.then(parse));
    }
    return documents.get(address);
  }

  async function excerpt(url) {
    const page = await load(url);
    const target = page.getElementById(decodeURIComponent(url.hash.slice(1)));
    const figure = target && target.closest("figure.chunk");
    if (!figure) return null;
    const copy = document.importNode(figure, true);
    copy.removeAttribute("id");
    for (const element of copy.querySelectorAll("[id]")) element.removeAttribute("id");
    for (const link of copy.querySelectorAll("[href]")) {
      link.href = new URL(link.getAttribute("href"), url);
    }
    return copy;
  }

  function hide() {
    if (preview) preview.remove();
    preview = null;
  }

  async function show(link, target) {
    hide();
    const box = document.createElement("div");
    preview = box;
    const copy = await excerpt(new URL(target.href)).catch(() => null);
    if (!copy || preview !== box || !link.isConnected) return;
    box.className = "preview md-typeset";
    box.id = "preview";
    box.setAttribute("role", "tooltip");
    box.append(copy);
    document.querySelector(".md-content").append(box);
    const place = link.getBoundingClientRect();
    const frame = box.offsetParent.getBoundingClientRect();
    const below = place.bottom + 6 + box.offsetHeight < innerHeight;
    const top = below ? place.bottom + 6 : place.top - box.offsetHeight - 6;
    const right = document.documentElement.clientWidth - box.offsetWidth - 12;
    box.style.left = `${Math.max(12, Math.min(place.left, right)) - frame.left}px`;
    box.style.top = `${Math.max(4, top) - frame.top}px`;
    link.setAttribute("aria-describedby", "preview");
    box.addEventListener("mouseleave", hide);
  }

  function watch(link, target) {
    let timer;
    const later = (action, delay) => {
      clearTimeout(timer);
      timer = setTimeout(action, delay);
    };
    const leave = () =>
      later(() => {
        link.removeAttribute("aria-describedby");
        if (preview && !preview.matches(":hover")) hide();
      }, 200);
    link.addEventListener("mouseenter", () => later(() => show(link, target), 250));
    link.addEventListener("mouseleave", leave);
    link.addEventListener("focus", () => {
      if (link.matches(":focus-visible")) later(() => show(link, target), 250);
    });
    link.addEventListener("blur", leave);
    link.addEventListener("click", () => {
      clearTimeout(timer);
      hide();
    });
  }

  // Scrolling parts can be reached with the keyboard.

  function openToKeys() {
    const parts = ".chunk .code, .example code, .math, .diagram, .listing, .md-typeset__scrollwrap";
    for (const part of document.querySelectorAll(parts)) {
      if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
    }
  }

  // The place of reading

  function remember() {
    const article = document.querySelector("article");
    if (!article || document.querySelector(".hero")) return;
    const marks = article.querySelectorAll("h1[id], h2[id], h3[id], figure[id]");
    const above = [...marks].filter((mark) => mark.getBoundingClientRect().top < 120);
    const mark = above.pop() || marks[0];
    if (!mark) return;
    const title = document.querySelector("h1").firstChild.textContent.trim();
    __md_set(key, { path: location.pathname, anchor: mark.id, title });
  }

  function offerPlace() {
    const paragraph = document.querySelector(".continue");
    const place = paragraph && __md_get(key);
    if (!place) return;
    const link = document.createElement("a");
    link.href = `${place.path}#${place.anchor}`;
    link.textContent = place.title;
    paragraph.replaceChildren("Continue where you were: ", link);
  }

  let waiting;
  addEventListener(
    "scroll",
    () => {
      clearTimeout(waiting);
      waiting = setTimeout(remember, 400);
    },
    { passive: true },
  );

  // Keys

  const keys = {
    e: ["Open or close all references of the page", openAll],
    d: ["Change between light and dark", changeColours],
    "?": ["Show these keys", help],
  };
  const material = { "/": "Search", n: "Next page", p: "Previous page" };

  function openAll() {
    const all = [...document.querySelectorAll("article .ref > details")];
    const open = all.some((each) => !each.open);
    for (const each of all) each.open = open;
  }

  function changeColours() {
    const label = document.querySelector("label[for^=__palette]:not([hidden])");
    if (label) label.click();
  }

  function help() {
    const box = document.createElement("dialog");
    box.className = "help";
    box.setAttribute("aria-label", "Keys");
    const list = document.createElement("dl");
    const entries = Object.entries(keys).map(([name, [text]]) => [name, text]);
    for (const [name, text] of [...Object.entries(material), ...entries]) {
      const term = document.createElement("dt");
      const meaning = document.createElement("dd");
      term.textContent = name;
      meaning.textContent = text;
      list.append(term, meaning);
    }
    box.append(list);
    box.addEventListener("click", () => box.close());
    box.addEventListener("close", () => box.remove());
    document.body.append(box);
    box.showModal();
  }

  addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
    const typing = event.target.closest?.("input, textarea, [contenteditable], .lab");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (keys[event.key]) keys[event.key][1]();
  });

  // Each page, also those that Material loads in place

  document$.subscribe(() => {
    hide();
    for (const link of document.querySelectorAll("a.use, a.to-chunk, a.prev, a.next")) {
      watch(link, link);
    }
    for (const summary of document.querySelectorAll(".ref > details > summary")) {
      watch(summary, summary.parentElement.nextElementSibling);
    }
    openToKeys();
    offerPlace();
    remember();
  });
})();
