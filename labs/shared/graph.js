// Draws a graph of values that the worker has laid out, and shows a step on it.

import { h, svg } from "./controls.js";

const WIDTH = 108; // of a node, in pixels
const HEIGHT = 60;
const PARALLEL = 22; // pixels between edges that join the same two nodes
const LABEL = 0.42; // of an edge's way, where its label is
const SETTINGS = { rankdir: "TB", ranksep: 40, nodesep: 14, marginx: 7, marginy: 7 };

// Ask the worker where the nodes go. Each has a `name` and its `children`, by name.
export async function layOut(machine, nodes) {
  const boxes = nodes.map(({ name }) => ({ id: name, width: WIDTH, height: HEIGHT }));
  const edges = nodes.flatMap(({ name, children }) => children.map((child) => [child, name]));
  const layout = await machine.graph(boxes, edges, SETTINGS);
  return inOrder(upright(layout, nodes), nodes);
}

// The other way round a layout is as good: take the one with more children in order.
function upright(layout, nodes) {
  const at = new Map(layout.nodes.map(({ id, x }) => [id, x]));
  const parents = nodes.filter(({ children }) => children.length);
  const ways = parents.map(({ children: [a], children }) => at.get(children.at(-1)) - at.get(a));
  if (ways.reduce((sum, way) => sum + Math.sign(way), 0) >= 0) return layout;
  const turn = (point) => ({ ...point, x: layout.width - point.x });
  const edges = layout.edges.map((edge) => ({ ...edge, points: edge.points.map(turn) }));
  return { ...layout, nodes: layout.nodes.map(turn), edges };
}

// Leaves that only one node has, side by side, can change places: let them be in order.
function inOrder(layout, nodes) {
  const boxes = new Map(layout.nodes.map((box) => [box.id, box]));
  const uses = (name) => layout.edges.filter(({ from }) => from === name).length;
  const leaves = nodes.filter(({ children }) => !children.length).map(({ name }) => name);
  const now = new Map();
  for (const { children } of nodes) {
    const free = leaves.filter((name) => children.includes(name) && uses(name) === 1);
    const row = free.filter((name) => boxes.get(name).y === boxes.get(free[0]).y);
    const places = [...row].sort((a, b) => boxes.get(a).x - boxes.get(b).x);
    row.forEach((name, i) => now.set(places[i], name));
  }
  const named = (name) => now.get(name) ?? name;
  return {
    ...layout,
    nodes: layout.nodes.map((box) => ({ ...box, id: named(box.id) })),
    edges: layout.edges.map((edge) => ({ ...edge, from: named(edge.from) })),
  };
}

export class GraphView {
  #nodes = new Map(); // name → {x, y, group, data, grad}
  #edges = []; // {from, to, group, label}

  constructor() {
    const ariaLabel = "The graph; it can be scrolled";
    this.element = h("div", { className: "graph", tabIndex: 0, role: "group", ariaLabel });
  }

  // Draw nodes anew: `name`, `operation`, `kind`, `children`.
  draw(layout, nodes) {
    this.#edges = layout.edges.flatMap((edge) => drawEdges(edge, nodes));
    const boxes = new Map(layout.nodes.map((box) => [box.id, box]));
    this.#nodes = new Map(nodes.map((node) => [node.name, drawNode(boxes.get(node.name), node)]));
    const { width, height } = layout;
    const groups = [...this.#edges, ...this.#nodes.values()].map(({ group }) => group);
    const picture = { width, height, viewBox: `0 0 ${width} ${height}`, role: "img" };
    const label = `A graph of ${nodes.length} values. The table below lists them.`;
    this.element.replaceChildren(svg("svg", { ...picture, "aria-label": label }, ...groups));
  }

  // Say that there is nothing to see.
  clear(text) {
    this.element.replaceChildren(h("p", {}, text));
  }

  // Show a step: nodes as above, with `shown` and `local_grads`; the grads of all of
  // them; the name of the node whose turn it is; the names of those that had theirs.
  show(nodes, grads, turn, done) {
    nodes.forEach((node, i) => {
      const drawn = this.#nodes.get(node.name);
      put(drawn.data, node.shown);
      put(drawn.grad, grads[i]);
      drawn.group.classList.toggle("turn", node.name === turn);
    });
    const slopes = new Map(nodes.map((node) => [node.name, node.local_grads]));
    for (const { to, place, group, label } of this.#edges) {
      put(label, slopes.get(to)[place]);
      group.classList.toggle("turn", to === turn && done.has(to));
      group.classList.toggle("done", to !== turn && done.has(to));
    }
  }

  // Scroll the graph, and only the graph, to a node.
  reveal(name) {
    const { x, y } = this.#nodes.get(name) ?? {};
    if (x === undefined) return;
    const { clientWidth, clientHeight } = this.element;
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.element.scrollTo({
      left: x - clientWidth / 2,
      top: y - clientHeight / 2,
      behavior: isCalm ? "auto" : "smooth",
    });
  }
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function drawNode({ x, y }, { name, operation, kind }) {
  const left = 7;
  const right = WIDTH - 7;
  const isSign = /^\W/.test(operation);
  const data = svg("text", { x: right, y: 35, class: "end" });
  const grad = svg("text", { x: right, y: 51, class: "end grad" });
  const group = svg(
    "g",
    { class: `graph-node ${kind}`, transform: `translate(${x - WIDTH / 2} ${y - HEIGHT / 2})` },
    svg("rect", { width: WIDTH, height: HEIGHT, rx: 5 }),
    svg("text", { x: left, y: 17, class: "name" }, name),
    svg("text", { x: right, y: 17, class: `end ${isSign ? "sign" : "soft"}` }, operation),
    svg("text", { x: left, y: 35, class: "soft" }, "data"),
    svg("text", { x: left, y: 51, class: "soft" }, "grad"),
    data,
    grad,
  );
  return { x, y, group, data, grad };
}

// The layout has one edge between two nodes; a value that is used twice has two.
function drawEdges({ from, to, points }, nodes) {
  const { children } = nodes.find(({ name }) => name === to);
  const places = [...children.keys()].filter((place) => children[place] === from);
  return places.map((place, i) => {
    const aside = (i - (places.length - 1) / 2) * PARALLEL;
    return drawEdge(points.map(({ x, y }) => ({ x: x + aside, y })), to, place);
  });
}

function drawEdge(points, to, place) {
  const { x, y } = along(points, LABEL);
  const label = svg("text", { x, y: y + 4 });
  const group = svg("g", { class: "graph-edge" }, svg("path", { d: curve(points) }), label);
  group.insertBefore(arrow(points), label);
  return { to, place, group, label };
}

// A line through the middles of all pieces, rounded at the corners.
function curve(points) {
  const [first, ...rest] = points;
  let d = `M ${first.x} ${first.y}`;
  rest.slice(0, -1).forEach((point, i) => {
    const next = rest[i + 1];
    const isLast = i === rest.length - 2;
    const end = isLast ? next : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 };
    d += ` Q ${point.x} ${point.y} ${end.x} ${end.y}`;
  });
  if (rest.length === 1) d += ` L ${rest[0].x} ${rest[0].y}`;
  return d;
}

function arrow(points) {
  const [before, end] = points.slice(-2);
  const angle = (Math.atan2(end.y - before.y, end.x - before.x) * 180) / Math.PI;
  const transform = `translate(${end.x} ${end.y}) rotate(${angle})`;
  return svg("path", { class: "head", d: "M -7 -4 L 0 0 L -7 4 Z", transform });
}

// The point after a share of the way.
function along(points, share) {
  const lengths = points.slice(1).map((p, i) => Math.hypot(p.x - points[i].x, p.y - points[i].y));
  let rest = share * lengths.reduce((sum, length) => sum + length, 0);
  let i = 0;
  while (i < lengths.length - 1 && rest > lengths[i]) rest -= lengths[i++];
  const part = lengths[i] ? rest / lengths[i] : 0;
  const [a, b] = [points[i], points[i + 1]];
  return { x: a.x + part * (b.x - a.x), y: a.y + part * (b.y - a.y) };
}
