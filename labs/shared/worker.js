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

let lost = () => {}; // is told of a package's file that cannot be had

const pinned = new Map(); // address of a package's file → {integrity, report}

// Whatever is loaded of a package has to be the pinned file.
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

// Load a package; returns its address, and its modules by their files' names.
async function load({ base: folder, files }, report = () => {}) {
  const base = new URL(folder, import.meta.url).href;
  const names = Object.keys(files);
  let loaded = 0;
  const count = () => report(++loaded / names.length);
  for (const file of names) pinned.set(base + file, { integrity: files[file], report: count });
  const scripts = names.filter((file) => /js$/.test(file));
  const modules = await Promise.all(scripts.map((file) => importChecked(base + file)));
  return { base, modules: Object.fromEntries(scripts.map((file, i) => [file, modules[i]])) };
}

// Import a pinned script: what runs are the bytes that were checked, not what the server
// gives when it is asked once more.
async function importChecked(address) {
  const checked = await (await fetch(address)).arrayBuffer();
  const own = URL.createObjectURL(new Blob([checked], { type: "text/javascript" }));
  try {
    return await import(own);
  } finally {
    URL.revokeObjectURL(own);
  }
}

let packages; // what is loaded beside the bundle, by name
let graphs = null; // what lays graphs out, once it is loaded

async function start({ kept }) {
  const address = new URL("../bundle.json", import.meta.url);
  const again = () => fetch(address, { cache: "force-cache" }); // when there is no network
  const answer = await fetch(address, { cache: "no-cache" }).catch(again);
  if (!answer.ok) throw new Error(`${answer.url} says ${answer.status}`);
  const bundle = await answer.json();
  packages = bundle.packages;
  const report = (share) => postMessage({ loaded: share });
  const { base: indexURL, modules } = await load(packages.python, report);
  const { default: createPyodideModule } = modules["pyodide.asm.mjs"];
  const { loadPyodide } = modules["pyodide.mjs"];
  const loss = new Promise((_, reject) => (lost = reject));
  const env = { HOME: "/book" };
  const loading = loadPyodide({ indexURL, createPyodideModule, env });
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
    graphs ??= Object.values((await load(packages.graphs)).modules)[0];
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
