// From file:// a browser starts no worker. This runs Material's search worker in a
// hidden frame instead; on a server it does nothing.

class FrameWorker extends EventTarget {
  constructor(address) {
    super();
    this.frame = document.createElement("iframe");
    this.frame.hidden = true;
    this.frame.title = "search";
    document.body.append(this.frame);
    const inside = this.frame.contentWindow;
    inside.document.write("<!doctype html><title>search</title>");
    inside.document.close();
    inside.postMessage = (data) => {
      const event = new MessageEvent("message", { data });
      this.dispatchEvent(event);
      if (this.onmessage) this.onmessage(event);
    };
    inside.importScripts = (...addresses) =>
      addresses.reduce(
        (before, each) => before.then(() => this.load(each)),
        Promise.resolve(),
      );
    this.ready = this.load(address);
  }

  load(address) {
    return new Promise((done, fail) => {
      const script = this.frame.contentDocument.createElement("script");
      script.src = address;
      script.onload = done;
      script.onerror = fail;
      this.frame.contentDocument.body.append(script);
    });
  }

  postMessage(data) {
    this.ready.then(() => {
      const event = new MessageEvent("message", { data });
      this.frame.contentWindow.dispatchEvent(event);
    });
  }

  terminate() {
    this.frame.remove();
  }
}

if (location.protocol === "file:") window.Worker = FrameWorker;
