// The next document is claimed and loaded while somebody still looks at this one, so that it is there at once.
import { call } from "./api.js";
import { keep } from "./claims.js";

/** Loads a page of the desk without showing it: its `main`, title and address; null where that can't be. */
export async function load(path) {
  const answer = await fetch(path, { credentials: "same-origin", headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = page.querySelector("main");
  const href = main?.querySelector("svg.page:not([hidden]) image")?.getAttribute("href");
  const picture = href ? new Image() : null;
  if (picture) {
    picture.src = href;
    await picture.decode().catch(() => {});
  }
  return main ? { main, title: page.title, path, picture } : null;
}

export class Ahead {
  /** `besides` is the document on the screen, `wanted` what narrows the queue. */
  constructor(besides, wanted, query, signal) {
    this.besides = besides;
    this.wanted = wanted;
    this.query = query;
    this.signal = signal;
    this.ready = null;
    this.id = null;
  }

  /** Begins to load the next one. */
  start() {
    this.ready ??= this.fetch().catch(() => null);
    return this.ready;
  }

  async fetch() {
    const { value } = await call("POST", "/queue/next", { ...this.wanted, besides: [this.besides] });
    if (!value.document_id) return null;
    this.id = value.document_id;
    const gone = () => {
      this.ready = this.id = null;
    };
    keep(this.id, value.claim_seconds, gone, this.signal);
    return load(`/documents/${this.id}${this.query ? `?${this.query}` : ""}`);
  }

  /** The next one; asks again where nothing waited before. Null where nothing does now. */
  async next() {
    const found = await this.start();
    if (found) return found;
    this.ready = null;
    return this.start();
  }
}
