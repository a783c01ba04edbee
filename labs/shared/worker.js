// The worker in which Python and the program run, one thing at a time. See machine.js
// for the messages.

import * as store from "./store.js";

const BETWEEN = 1000; // milliseconds between two times that a run is stored
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

const checked = new Map(); // address → a package's file that was checked, as a blob

// Whatever is loaded of a package is what was checked, not what the server gives now.
const get = globalThis.fetch;
globalThis.fetch = async (address, options) => {
  const file = checked.get(String(address?.url ?? address));
  return file ? new Response(file) : get(address, options);
};

// Load a package; returns its address, and its modules by their files' names.
async function load({ base: folder, files, sizes }, report = () => {}) {
  const base = new URL(folder, import.meta.url).href;
  const names = Object.keys(files);
  const all = names.reduce((sum, file) => sum + sizes[file], 0);
  let loaded = 0;
  const count = (bytes) => report((loaded += bytes) / all);
  await Promise.all(names.map((file) => bring(base + file, files[file], count)));
  const scripts = names.filter((file) => /js$/.test(file));
  const modules = await Promise.all(scripts.map((file) => importChecked(base + file)));
  return { base, modules: Object.fromEntries(scripts.map((file, i) => [file, modules[i]])) };
}

// Have a file of a package, from what this browser keeps or else from its server. Its
// bytes are counted as they come in, and checked when they are all there.
async function bring(address, integrity, count) {
  const shelf = await openShelf();
  const name = new URL(encodeURIComponent(integrity), import.meta.url);
  const kept = await shelf?.match(name);
  const answer = kept ?? (await get(address));
  if (!answer.ok) throw new Error(`${address} says ${answer.status}`);
  const counting = new TransformStream({
    transform(part, rest) {
      count(part.length);
      rest.enqueue(part);
    },
  });
  const headers = { "Content-Type": answer.headers.get("Content-Type") ?? "" };
  const file = await new Response(answer.body.pipeThrough(counting), { headers }).blob();
  await check(file, integrity).catch(() => {
    shelf?.delete(name);
    throw new Error(`${address} is not the file that it should be`);
  });
  if (!kept) shelf?.put(name, new Response(file)).catch(() => {}); // if there is room
  checked.set(address, file);
}

// Python's files stay in this browser from one visit to the next, by what is in them.
async function openShelf() {
  return globalThis.caches?.open("python").catch(() => null);
}

// Let the browser compare a file with its integrity, which it also does where the page's
// own scripts are not given the means.
async function check(file, integrity) {
  const own = URL.createObjectURL(file);
  try {
    await get(own, { integrity });
  } finally {
    URL.revokeObjectURL(own);
  }
}

async function importChecked(address) {
  const script = checked.get(address).slice(0, undefined, "text/javascript");
  const own = URL.createObjectURL(script);
  try {
    return await import(own);
  } finally {
    URL.revokeObjectURL(own);
  }
}

let packages; // what is loaded beside the bundle, by name
let graphs = null; // what lays graphs out, once it is loaded

let program; // the fingerprint of all that the bundle has

async function start({ kept, program: its }) {
  const address = new URL("../bundle.json", import.meta.url);
  const again = () => fetch(address, { cache: "force-cache" }); // when there is no network
  const answer = await fetch(address, { cache: "no-cache" }).catch(again);
  if (!answer.ok) throw new Error(`${answer.url} says ${answer.status}`);
  const bundle = await answer.json();
  ({ packages, program } = bundle);
  const storedStates = store.states(program);
  const report = (share) => postMessage({ loaded: share });
  const { base: indexURL, modules } = await load(packages.python, report);
  const { default: createPyodideModule } = modules["pyodide.asm.mjs"];
  const { loadPyodide } = modules["pyodide.mjs"];
  const env = { HOME: "/book" };
  const python = await loadPyodide({ indexURL, createPyodideModule, env });
  checked.clear();
  for (const [name, text] of Object.entries(bundle.files)) {
    const path = `/book/${name}`;
    python.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
    python.FS.writeFile(path, text);
  }
  python.runPython("import os, sys; os.chdir('/book'); sys.path.insert(0, '/book')");
  driver = python.pyimport("labs.shared.driver");
  const states = new Map([...(await storedStates), ...(its === program ? kept : [])]);
  for (const [module, state] of states) restore(module, state);
  const tell = (printed) => postMessage({ id: asked, printed });
  python.pyimport("exercises.typed").listen(tell);
  return program;
}

// Let a lab go on; where it cannot, it begins anew.
function restore(module, state) {
  try {
    driver.restore(module, state);
  } catch (error) {
    console.warn(`The ${module} lab cannot go on: ${error.message}`);
  }
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
  const keep = (kept) => kept.length && store.keepState(program, module, kept);
  let last = performance.now();
  running.add(id);
  try {
    for (let value = {}; running.has(id) && !value.done; await turn()) {
      value = call(name, args);
      const kept = state(module);
      const isTime = performance.now() > last + BETWEEN;
      if (isTime) {
        keep(kept);
        last = performance.now();
      }
      postMessage({ id, step: value, module, kept }, [kept.buffer]);
    }
    keep(state(module));
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
