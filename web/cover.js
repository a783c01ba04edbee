// The recorded training on the cover: plays it once, and lets the reader go through it.

(() => {
  const PACE = 260; // milliseconds from one stop to the next
  const figure = document.querySelector(".run");
  const { stops, losses, names, guesses } = JSON.parse(
    figure.querySelector("template").content.textContent,
  );
  const last = stops.length - 1;
  const most = Math.max(...guesses.flat());
  const head = figure.querySelector(".run-head");
  const slider = figure.querySelector("input");
  const button = figure.querySelector("button");
  const rows = figure.querySelectorAll(".run-names li");
  const bars = figure.querySelectorAll(".run-guess span");
  const count = new Intl.NumberFormat("en").format;
  let playing = null;

  function show(i) {
    const [step, loss] = [count(stops[i]), losses[i].toFixed(2)];
    head.style.setProperty("--at", `${(100 * i) / last}%`);
    figure.querySelector(".run-step").textContent = step;
    figure.querySelector(".run-loss b").textContent = loss;
    rows.forEach((row, n) => spell(row, names[i][n]));
    bars.forEach((bar, n) => bar.style.setProperty("--p", guesses[i][n] / most));
    slider.value = i;
    slider.ariaValueText = `step ${step}, loss ${loss}: ${names[i].join(", ")}`;
  }

  // Letters that stay are left alone: one sees which ones change.
  function spell(row, name) {
    while (row.childElementCount > name.length) row.lastElementChild.remove();
    [...name].forEach((letter, i) => {
      if (row.children[i]?.textContent === letter) return;
      const tile = document.createElement("b");
      tile.textContent = letter;
      if (row.children[i]) row.children[i].replaceWith(tile);
      else row.append(tile);
    });
  }

  function pause() {
    clearInterval(playing);
    playing = null;
    button.textContent = "Play";
  }

  function play() {
    let i = Number(slider.value) < last ? Number(slider.value) : 0;
    const next = () => {
      if (!figure.isConnected || i > last) return pause();
      show(i);
      i += 1;
    };
    playing = setInterval(next, PACE);
    button.textContent = "Pause";
    next();
  }

  slider.addEventListener("input", () => {
    pause();
    show(Number(slider.value));
  });
  button.addEventListener("click", () => (playing ? pause() : play()));
  show(last);
  figure.offsetWidth; // it stands there already: only what comes now shall move
  figure.classList.add("is-live");
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const seen = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      play();
    },
    { threshold: 0.5 },
  );
  seen.observe(figure.querySelector(".run-chart"));
})();
