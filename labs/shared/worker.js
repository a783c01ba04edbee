// The worker in which Python and the program run, one thing at a time. See machine.js
// for the messages.

const MEMORY = 512 * 2 ** 20; // bytes that Python may use

let driver = null;
let asked = null; // id of the call that is made
const running = new Set(); // runs that nobody has paused

// Python asks for more memory through this, and is refused with a MemoryError.
const grow = WebAssembly.Memory.prototype.grow;
WebAssembly.Memory.prototype.grow = function (pages) {
  if (this.buffer.byteLength + pages * 2 ** 16 > MEMORY) throw new RangeError();
  return grow.call(this, pages);
};

let lost = () => {}; // is told of a part's file that cannot be had

const pinned = new Map(); // address of a part's file → {integrity, report}

// Whatever is loaded of a part has to be the pinned file.
const get = globalThis.fetch;
globalThis.fetch = async (address, options) => {
  const name = String(address?.url ?? address);
  if (!pinned.has(name)) return get(address, options);
  const { integrity, report } = pinned.get(name);
  const answer = await get(name, { integrity }).catch((error) => {
    lost(error);
    throw error;
  });
  report();
  return answer;
};

async function load(name, parts, report = () => {}) {
  const { base: folder, files } = parts[name];
  const base = new URL(folder, import.meta.url).href;
  const names = Object.keys(files);
  let loaded = 0;
  const count = () => report(++loaded / names.length);
  for (const file of names) pinned.set(base + file, { integrity: files[file], report: count });
  const scripts = names.filter((file) => /js$/.test(file));
  await Promise.all(scripts.map((file) => fetch(base + file).then((a) => a.text())));
  return [await import(base + names[0]), base];
}

let parts;
let graphs = null; // what lays graphs out, once it is loaded

async function start({ kept }) {
  const address = new URL("../bundle.json", import.meta.url);
  const again = () => fetch(address, { cache: "force-cache" }); // when there is no network
  const answer = await fetch(address, { cache: "no-cache" }).catch(again);
  if (!answer.ok) throw new Error(`${answer.url} says ${answer.status}`);
  const bundle = await answer.json();
  parts = bundle.parts;
  const report = (share) => postMessage({ loaded: share });
  const [{ loadPyodide }, indexURL] = await load("python", parts, report);
  const loss = new Promise((_, reject) => (lost = reject));
  const loading = loadPyodide({ indexURL, env: { HOME: "/book" } });
  const python = await Promise.race([loading, loss]); // it may wait for ever for a file
  for (const [name, text] of Object.entries(bundle.files)) {
    const path = `/book/${name}`;
    python.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
    python.FS.writeFile(path, text);
  }
  python.runPython("import os, sys; os.chdir('/book'); sys.path.insert(0, '/book')");
  driver = python.pyimport("labs.shared.driver");
  for (const [module, state] of kept) driver.restore(module, state);
  const tell = (printed) => postMessage({ id: asked, printed });
  python.pyimport("exercises.typed").listen(tell);
}

function call(name, args) {
  const { value, error } = JSON.parse(driver.call(name, JSON.stringify(args)));
  if (error !== undefined) throw Object.assign(new Error(error), { name: "LabError" });
  return value;
}

// Let the messages that have come in meanwhile be handled.
const turn = () =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => (port1.close(), resolve());
    port2.postMessage(null);
  });

function state(module) {
  const bytes = driver.save(module);
  const copy = bytes.toJs();
  bytes.destroy();
  return copy;
}

async function run(id, name, args) {
  const [module] = name.split(".");
  running.add(id);
  try {
    for (let value = {}; running.has(id) && !value.done; await turn()) {
      value = call(name, args);
      const kept = state(module);
      postMessage({ id, step: value, module, kept }, [kept.buffer]);
    }
  } finally {
    running.delete(id);
  }
}

let begun; // what it was started with
let ready = null; // the promise of the start, null after one that failed

function begin(data) {
  begun = data;
  ready = start(begun);
  ready.catch(() => (ready = null));
  return ready;
}

// Wait for the start, and try it again if it has failed.
async function started() {
  try {
    await (ready ?? begin(begun));
  } catch ({ message }) {
    const error = new Error(`Python could not be started again: ${message}. Try it once more.`);
    throw Object.assign(error, { name: "LabError" });
  }
}

const actions = {
  start: begin,
  call({ id, name, args }) {
    asked = id;
    return call(name, args);
  },
  run: ({ id, name, args }) => run(id, name, args),
  pause: ({ run }) => void running.delete(run),
  async graph({ nodes, edges, settings }) {
    graphs ??= (await load("graphs", parts))[0];
    const { Graph, layout } = graphs;
    const graph = new Graph().setGraph(settings).setDefaultEdgeLabel(() => ({}));
    for (const node of nodes) graph.setNode(node.id, node);
    for (const [from, to] of edges) graph.setEdge(from, to);
    layout(graph);
    return {
      width: graph.graph().width,
      height: graph.graph().height,
      nodes: graph.nodes().map((id) => graph.node(id)),
      edges: graph.edges().map(({ v, w }) => ({ from: v, to: w, ...graph.edge(v, w) })),
    };
  },
};

onmessage = async ({ data }) => {
  try {
    if (data.action !== "start") await started();
    const value = await actions[data.action](data);
    postMessage({ id: data.id, value });
  } catch (error) {
    const { name, message, pyodide_fatal_error: isFatal } = error;
    postMessage({ id: data.id, error: { name, message }, isFatal });
  }
};
