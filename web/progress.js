// Which chapters were read and which exercises solved: kept in this browser, and ticked
// in the contents and in the navigation. Code that is asked for may be covered until then.

(() => {
  const KEY = "book-progress";
  const STAY = 60; // seconds on a page, its end seen, after which it counts as read
  const nothing = { read: [], solved: [] };
  const kept = () => __md_get(KEY) ?? nothing;
  let page = null; // the chapter that is open: {path, seconds, hasEnded}

  function add(kind, name) {
    const now = kept();
    if (now[kind].includes(name)) return;
    __md_set(KEY, { ...now, [kind]: [...now[kind], name] });
    tick();
  }

  // Show what is kept on all that is there to be ticked.
  function tick() {
    const { read, solved } = kept();
    const links = document.querySelectorAll(".chapters a, .md-nav--primary a.md-nav__link");
    for (const link of links) {
      mark(link, read.includes(link.pathname) && !link.hash, "read");
    }
    for (const link of document.querySelectorAll("[data-solves]")) {
      mark(link, solved.includes(link.dataset.solves), "solved");
    }
    for (const exercises of document.querySelectorAll("[data-exercises]")) {
      const names = exercises.dataset.exercises.split(" ");
      exercises.dataset.all ??= exercises.textContent;
      const right = names.filter((name) => solved.includes(name)).length;
      const some = right < names.length ? `${right} of ${exercises.dataset.all} solved` : "";
      exercises.textContent = right ? some || `${exercises.dataset.all} solved` : exercises.dataset.all;
      mark(exercises, right === names.length, "");
    }
    const note = document.querySelector(".progress");
    if (!note) return;
    const chapters = document.querySelectorAll(".chapters a.is-done").length;
    const said = `Read: ${chapters}. Solved: ${solved.length}.`;
    const is = chapters || solved.length;
    note.querySelector("span").textContent = is ? said : "";
    note.querySelector("button").hidden = !is;
  }

  // Cover the code that solves a task, if the reader wants that and has not solved it.
  function cover() {
    const { solved, covers } = kept();
    for (const box of document.querySelectorAll(".path-cover input")) box.checked = !!covers;
    for (const figure of document.querySelectorAll(".chunk[data-task]")) {
      const isCovered = !!covers && !solved.includes(figure.dataset.task);
      figure.classList.toggle("is-covered", isCovered);
      const button = figure.querySelector(".uncover");
      if (!isCovered) button?.remove();
      else if (!button) figure.append(uncoverer(figure));
    }
  }

  function uncoverer(figure) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "uncover" });
    button.textContent = "This is for you to write. Show the book’s code";
    button.addEventListener("click", () => {
      figure.classList.remove("is-covered");
      button.remove();
    });
    return button;
  }

  addEventListener("change", ({ target }) => {
    if (!target.matches?.(".path-cover input")) return;
    __md_set(KEY, { ...kept(), covers: target.checked });
    cover();
  });

  function mark(element, isDone, word) {
    element.classList.toggle("is-done", isDone);
    element.querySelector(".tick-word")?.remove();
    if (!isDone || !word) return;
    const said = document.createElement("span");
    said.className = "tick-word";
    said.textContent = ` (${word})`;
    element.append(said);
  }

  setInterval(() => {
    if (!page || document.hidden) return;
    page.seconds += 1;
    if (page.hasEnded && page.seconds >= STAY) add("read", page.path);
  }, 1000);

  const ends = new IntersectionObserver((entries) => {
    if (page && entries.some((entry) => entry.isIntersecting)) page.hasEnded = true;
  });

  addEventListener("solved", ({ detail }) => {
    add("solved", detail);
    cover();
  });

  addEventListener("click", ({ target }) => {
    if (!target.closest?.(".progress button")) return;
    __md_set(KEY, nothing);
    tick();
  });

  // Each page, also those that Material loads in place

  document$.subscribe(() => {
    const isChapter = document.querySelector("h1.chapter");
    page = isChapter && { path: location.pathname, seconds: 0, hasEnded: false };
    ends.disconnect();
    if (page) ends.observe(document.querySelector(".md-footer"));
    tick();
    cover();
  });
})();
