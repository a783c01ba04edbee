// Offers what a page has to be tried: its labs, its sessions, and its chunks. What they
// need is loaded when the first one is started.

(() => {
  const folder = new URL("labs/", document.currentScript.src);
  const CHOICE = "labs-start"; // whether labs start by themselves; null: never asked
  const size = "Loads about 6 MB, once.";
  let page = null; // the module that runs the labs, once one was started

  // Do what a button offers; `say` is told how far it is, and what is in the way. Returns
  // whether it was done.
  async function start(button, say, action) {
    if (button.ariaDisabled === "true") return false;
    if (location.protocol === "file:") {
      say(
        "A page that was opened from a file cannot start Python. Run " +
          "“python -m http.server” in the folder of this copy, and open localhost:8000.",
      );
      return false;
    }
    button.ariaDisabled = "true"; // with disabled it would lose the focus
    try {
      page ??= await import(new URL("shared/page.js", folder));
      if (button.isConnected) await action(page); // or the page was left meanwhile
      return true;
    } catch (error) {
      say(`It could not be started: ${error.message}`);
      near.disconnect(); // what failed is tried again when the reader asks for it
      return false;
    } finally {
      button.ariaDisabled = "false";
    }
  }

  const wanted = () => __md_get(CHOICE, sessionStorage);

  function startLab(button) {
    const note = button.closest(".lab").querySelector(".lab-bar small");
    const say = (text) => (note.textContent = text);
    return start(button, say, (page) => page.start(button.closest(".lab"), say));
  }

  addEventListener("click", (event) => {
    const button = event.target.closest?.(".lab-start");
    if (!button) return;
    if (wanted() === null) __md_set(CHOICE, true, sessionStorage);
    startLab(button).then((isStarted) => isStarted && watch());
  });

  // A link may start a lab of the page that it leads to.
  const ASKED = "book-start-lab";
  addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-start-lab]");
    if (link) sessionStorage.setItem(ASKED, link.dataset.startLab);
  });

  function startWanted() {
    const name = sessionStorage.getItem(ASKED);
    sessionStorage.removeItem(ASKED);
    const lab = name && document.querySelector(`.lab[data-lab="${name}"]`);
    if (!lab) return;
    lab.scrollIntoView();
    lab.querySelector(".lab-start").click();
  }

  // Once the reader has started one, the other labs of this tab start by themselves as
  // they come near, except where something that is seen would move.
  const near = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting, boundingClientRect: place } of entries) {
        const button = target.querySelector(".lab-start"); // none if it starts already
        const isUnseen = isIntersecting && place.bottom > innerHeight;
        if (button && isUnseen && wanted()) startLab(button);
      }
    },
    { rootMargin: "0px 0px 200% 0px" },
  );

  function watch() {
    near.disconnect();
    if (!wanted()) return;
    // A stage begins to compute as soon as it starts: that is left to the reader.
    const labs = document.querySelectorAll(".lab[data-lab]:not([data-lab=stage])");
    for (const lab of labs) if (!lab.dataset.state) near.observe(lab);
  }

  // Put a small button into the corner of a session or a chunk.
  function offer(block, place, script, text, title) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "offer", textContent: text });
    button.title = `${title} ${size}`;
    const note = document.createElement("p");
    note.className = "offer-note";
    note.setAttribute("role", "status");
    const say = (text) => (note.textContent = text);
    const open = (page) => page.open(script, block, say).then(() => note.remove());
    button.addEventListener("click", () => {
      block.append(note);
      start(button, say, open);
    });
    place.append(button);
  }

  // Each page, also those that Material loads in place

  document$.subscribe(() => {
    page?.leave();
    watch();
    for (const session of document.querySelectorAll(".language-pycon[data-line]")) {
      offer(session, session, "cells", "Run", "Run this session here, and change it.");
    }
    for (const chunk of document.querySelectorAll(".chunk[data-line]")) {
      const caption = chunk.querySelector("figcaption");
      offer(chunk, caption, "workshop", "Edit", "Change this chunk here, and train with it.");
    }
    startWanted();
  });
})();
