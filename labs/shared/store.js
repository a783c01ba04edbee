// What the reader has trained and typed. This browser keeps it until it is forgotten.
//
// A state belongs to one program, and a text to the one that it was typed over: where
// these have changed, it is as if there were none. Where the browser keeps nothing, in
// some private windows or on a full disk, all goes on without.

const NAME = `microgpt ${new URL("../..", import.meta.url).pathname}`;
let database = null; // the promise of it

// Return [[module, state]], those of a program, and forget those of others.
export async function states(program) {
  const found = (await ask("readonly", (store) => store.getAll(range("state")))) ?? [];
  for (const { module } of found.filter((each) => each.program !== program)) {
    ask("readwrite", (store) => store.delete(["state", module]));
  }
  const own = found.filter((each) => each.program === program);
  return own.map(({ module, state }) => [module, state]);
}

export function keepState(program, module, state) {
  return ask("readwrite", (store) => store.put({ program, module, state }, ["state", module]));
}

// Return what was typed over a text of the book; undefined if nothing was.
export function typed(over) {
  return ask("readonly", (store) => store.get(["typed", over]));
}

export function keepTyped(over, text) {
  return ask("readwrite", (store) => store.put(text, ["typed", over]));
}

export function forgetTyped(over) {
  return ask("readwrite", (store) => store.delete(["typed", over]));
}

export function forgetAll() {
  return ask("readwrite", (store) => store.clear());
}

const range = (kind) => IDBKeyRange.bound([kind], [kind, []]);

async function ask(mode, action) {
  try {
    const asked = action((await open()).transaction("kept", mode).objectStore("kept"));
    return await result(asked);
  } catch {
    return undefined;
  }
}

function open() {
  database ??= new Promise((resolve, reject) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("kept");
    result(opening).then(resolve, reject);
  });
  return database;
}

function result(asked) {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}
