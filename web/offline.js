// Lets a service worker keep what is read, for when there is no network.

(() => {
  const workers = navigator.serviceWorker; // there is none in some private windows
  const address = new URL("sw.js", document.currentScript.src);
  if (!workers) return;

  // When another version of the site has come, its pages are not for these scripts: the
  // next page is loaded as a whole.
  let isFirst = !workers.controller;
  let isOld = false;
  workers.addEventListener("controllerchange", () => {
    isOld = !isFirst;
    isFirst = false;
  });
  const whole = (event) => isOld && event.target.closest?.("a[href]") && event.stopPropagation();
  addEventListener("click", whole, { capture: true });
  addEventListener("popstate", () => isOld && location.reload());

  const register = () => workers.register(address).catch(() => {});
  if (document.readyState === "complete") register();
  else addEventListener("load", register);
})();
