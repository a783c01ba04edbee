// Keeps the pages that were read, and what they need, for when there is no network.
//
// The build writes FILES above this: the fingerprint of each file of this version of the
// site. Only what has it is kept, so what is kept never mixes two versions. While there is
// a network, everything comes from there.

const PREFIX = `book ${registration.scope} `;
const CACHE = PREFIX + VERSION;
const FRESH = { cache: "no-cache" }; // ask the server whether it is still that

// The name of a file in FILES; undefined for what is elsewhere
function nameOf(url) {
  if (!url.startsWith(registration.scope)) return undefined;
  const path = url.slice(registration.scope.length).replace(/[?#].*/, "");
  return path === "" || path.endsWith("/") ? `${path}index.html` : path;
}

const isPage = (name) => name.endsWith(".html");
const isLab = (name) => name.startsWith("labs/");

async function isOfThisVersion(name, bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return btoa(String.fromCharCode(...digest.slice(0, 6))) === FILES[name];
}

// Keep what the network answered; return whether it is of this version.
async function keep(name, answer) {
  const bytes = await answer.arrayBuffer();
  if (!(await isOfThisVersion(name, bytes))) return false;
  const cache = await caches.open(CACHE);
  const headers = { "Content-Type": answer.headers.get("Content-Type") ?? "" };
  await cache.put(name, new Response(bytes, { headers }));
  return true;
}

async function have(names) {
  const kept = await caches.open(CACHE);
  const one = async (name) => {
    if (!(name in FILES) || (await kept.match(name))) return;
    const answer = await fetch(name, FRESH);
    if (answer.ok) await keep(name, answer);
  };
  await Promise.all([...new Set(names)].map(one));
}

// What every page needs, and what was kept of the version before
async function install() {
  const names = Object.keys(FILES).filter((name) => !isPage(name) && !isLab(name));
  names.push("404.html");
  for (const old of await caches.keys()) {
    if (!old.startsWith(PREFIX)) continue;
    const requests = await (await caches.open(old)).keys();
    names.push(...requests.map(({ url }) => nameOf(url)));
  }
  if (names.some(isLab)) names.push(...Object.keys(FILES).filter(isLab));
  await have(names);
  await skipWaiting();
}

async function activate() {
  for (const old of await caches.keys()) {
    if (old.startsWith(PREFIX) && old !== CACHE) await caches.delete(old);
  }
  await clients.claim();
  const open = await clients.matchAll(); // asked for while nobody or the old worker listened
  await have(open.map(({ url }) => nameOf(url)));
}

async function answer(event, name) {
  const isWhole = event.request.mode === "navigate"; // and not put into another page
  try {
    const given = await fetch(event.request, FRESH);
    if (!given.ok || !(name in FILES)) return given;
    if (!isPage(name) || isWhole) {
      event.waitUntil(keep(name, given.clone()).then((isOurs) => after(name, isOurs)));
      return given;
    }
    const isOurs = await keep(name, given.clone());
    after(name, isOurs);
    return isOurs ? given : new Response("", { status: 503 }); // so it is loaded as a whole
  } catch {
    return fromBefore(name);
  }
}

async function after(name, isOurs) {
  if (!isOurs) await registration.update().catch(() => {});
  else if (name === "labs/bundle.json") await have(Object.keys(FILES).filter(isLab));
}

async function fromBefore(name) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(name);
  if (kept || !isPage(name)) return kept ?? Response.error();
  const help = await cache.match("404.html");
  return new Response(help?.body, { status: 503, headers: help?.headers });
}

addEventListener("install", (event) => event.waitUntil(install()));
addEventListener("activate", (event) => event.waitUntil(activate()));
addEventListener("fetch", (event) => {
  const { request } = event;
  const name = nameOf(request.url);
  if (request.method !== "GET" || name === undefined) return;
  if (name in FILES || request.mode === "navigate") event.respondWith(answer(event, name));
});
