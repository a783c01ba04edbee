// Draws matrices of numbers: a pixel for each, which the style enlarges. Zero has the
// colour of the page, what is below it one colour, what is above it another.

const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

// The colours for numbers from -limit to limit, as the style of an element has them.
export class Scale {
  constructor(element, limit) {
    const style = getComputedStyle(element);
    this.limit = limit;
    [this.below, this.zero, this.above] = ["below", "zero", "above"].map((name) =>
      channels(style.getPropertyValue(`--heat-${name}`)),
    );
  }

  // Write a number's colour into the pixels of a picture.
  paint(number, pixels, at) {
    const share = Math.max(-1, Math.min(1, number / this.limit)) || 0; // 0 for "nan"
    const end = share < 0 ? this.below : this.above;
    for (let i = 0; i < 3; i++) {
      pixels[at + i] = this.zero[i] + (end[i] - this.zero[i]) * Math.abs(share);
    }
    pixels[at + 3] = 255;
  }
}

// Draw numbers, row after row, on a canvas that has a pixel for each.
export function draw(canvas, numbers, scale) {
  const context = canvas.getContext("2d");
  const picture = context.createImageData(canvas.width, canvas.height);
  numbers.forEach((number, i) => scale.paint(number, picture.data, 4 * i));
  context.putImageData(picture, 0, 0);
}

// Call an action whenever the page takes its other colours, until the machine ends.
export function onScheme(machine, action) {
  const observer = new MutationObserver(action);
  observer.observe(document.body, { attributeFilter: ["data-md-color-scheme"] });
  machine.addEventListener("end", () => observer.disconnect());
}

// An action that is done once in the next frame, however often it is asked for.
export function inFrame(action) {
  let isAsked = false;
  return () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      action();
    });
  };
}

// A rounded number that not more than one in a hundred exceeds, to either side.
export function limitOf(numbers) {
  const sizes = Float64Array.from(numbers, (number) => Math.abs(number) || 0).sort();
  const limit = sizes[Math.floor(0.99 * sizes.length)] || sizes.at(-1);
  return limit ? Number(limit.toPrecision(1)) : 1;
}

function channels(colour) {
  probe.fillStyle = colour.trim();
  probe.fillRect(0, 0, 1, 1);
  return [...probe.getImageData(0, 0, 1, 1).data];
}
