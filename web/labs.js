// Offers the labs of a page. What they need is loaded when the first one is started.

(() => {
  const folder = new URL("labs/", document.currentScript.src);
  let page = null; // the module that runs the labs, once one was started

  async function start(button) {
    const lab = button.closest(".lab");
    const note = lab.querySelector(".lab-bar small");
    if (location.protocol === "file:") {
      note.textContent =
        "A page that was opened from a file cannot start Python. Run " +
        "“python -m http.server” in the folder of this copy, and open localhost:8000.";
      return;
    }
    button.disabled = true;
    try {
      page ??= await import(new URL("page.js", folder));
      await page.start((text) => (note.textContent = text));
    } catch (error) {
      note.textContent = `The lab could not be started: ${error.message}`;
    }
    button.disabled = false;
  }

  addEventListener("click", (event) => {
    const button = event.target.closest?.(".lab-start");
    if (button) start(button);
  });

  // Each page, also those that Material loads in place

  document$.subscribe(() => page?.leave());
})();
