// Which chapters were read and which exercises solved: kept in this browser, and ticked
// in the contents and in the navigation.

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

  addEventListener("solved", ({ detail }) => add("solved", detail));

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
  });
})();
