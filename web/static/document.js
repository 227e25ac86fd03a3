// The page of a document: choosing findings, deciding, taking back, reporting what was missed, and going on.
import { call, idempotencyKey } from "./api.js";
import { Ahead, load } from "./ahead.js";
import { keep, putBack, take } from "./claims.js";
import * as keys from "./keys.js";
import { Sheet } from "./sheet.js";

/** The last decision, of this document or the one before: what can be taken back. */
let last = null;
let current = null;

const told = document.createElement("p");
told.className = "told";
told.setAttribute("role", "status");
document.querySelector(".top").append(told);

/** Says something for a while, with a button where there is something to do about it. */
function tell(text, button) {
  told.replaceChildren(document.createTextNode(text));
  if (button) told.append(" ", button);
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => told.replaceChildren(), button ? 60_000 : 8_000);
}

class Page {
  constructor(root) {
    this.root = root;
    this.stop = new AbortController();
    const { signal } = this.stop;
    this.id = root.dataset.id;
    this.state = root.dataset.state;
    this.decides = root.dataset.decides === "yes";
    this.busy = false;
    this.words = Object.fromEntries(
      [...root.querySelectorAll("#say dt")].map((one) => [one.textContent, one.nextElementSibling.textContent]),
    );
    this.sheet = new Sheet(root, signal);
    this.findings = [...root.querySelectorAll(".finding")];
    this.ahead = new Ahead(this.id, JSON.parse(root.dataset.wanted), root.dataset.query, signal);
    this.listen(signal);
    this.choose(root.querySelector(".finding[aria-current]") ?? this.findings[0], false);
    if (this.decides) {
      keep(this.id, Number(root.dataset.claimSeconds), (why) => this.lost(why), signal);
      this.ahead.start();
    }
  }

  find(name) {
    return this.root.querySelector(name);
  }

  listen(signal) {
    const actions = {
      c: () => this.decide("confirmed"),
      d: () => this.decide("dismissed"),
      e: () => this.correct(),
      b: () => this.redraw(),
      t: () => this.find("#note")?.focus(),
      n: () => this.step(1),
      p: () => this.step(-1),
      u: () => this.undo(),
      z: () => this.sheet.closeUp(this.box),
      "+": () => this.sheet.nearer(),
      "=": () => this.sheet.nearer(),
      "-": () => this.sheet.farther(),
      0: () => this.sheet.whole(),
      r: () => this.sheet.rotate(),
      "[": () => this.sheet.step(-1),
      "]": () => this.sheet.step(1),
      x: () => this.miss(),
      s: () => this.skip(),
      q: () => this.find(".head a.button").click(),
      "?": () => this.help(),
    };
    keys.listen(actions, signal);
    const buttons = {
      "#confirm": actions.c,
      "#dismiss": actions.d,
      "#correct": actions.e,
      "#redraw": actions.b,
      "#following": actions.n,
      "#close-up": actions.z,
      "#nearer": actions["+"],
      "#farther": actions["-"],
      "#whole": actions[0],
      "#rotate": actions.r,
      "#page-before": actions["["],
      "#page-after": actions["]"],
      "#miss": actions.x,
      "#skip": actions.s,
      "#keys-shown": actions["?"],
      "#again": () => this.retake(false),
      "#take-over": () => this.retake(true),
    };
    for (const [name, action] of Object.entries(buttons)) this.find(name)?.addEventListener("click", action, { signal });
    for (const one of this.findings) {
      one.querySelector(".pick").addEventListener("click", () => this.choose(one), { signal });
      one.querySelector(".undo")?.addEventListener("click", () => this.undo(Number(one.dataset.finding)), { signal });
    }
    for (const one of this.root.querySelectorAll(".frame[data-finding]")) {
      const finding = this.findings.find((other) => other.dataset.finding === one.dataset.finding);
      one.addEventListener("click", () => this.choose(finding), { signal });
    }
    for (const one of this.root.querySelectorAll(".withdraw")) {
      one.addEventListener("click", () => this.withdraw(one), { signal });
    }
    this.find("#note")?.addEventListener("keydown", (event) => event.key === "Escape" && event.target.blur(), { signal });
    const box = this.find("#keys-on");
    box.checked = keys.on();
    box.addEventListener("change", () => keys.turn(box.checked), { signal });
  }

  get box() {
    return this.chosen ? JSON.parse(this.chosen.dataset.box) : null;
  }

  get undecided() {
    return this.findings.filter((one) => one.dataset.undecided === "yes");
  }

  choose(finding, scroll = true) {
    if (!finding) return;
    this.chosen = finding;
    for (const one of this.findings) {
      if (one === finding) one.setAttribute("aria-current", "true");
      else one.removeAttribute("aria-current");
    }
    if (scroll) finding.scrollIntoView({ block: "nearest" });
    this.sheet.select(finding.dataset.finding, Number(finding.dataset.page), this.box);
  }

  step(by) {
    const count = this.findings.length;
    if (!count) return;
    this.choose(this.findings[(this.findings.indexOf(this.chosen) + by + count) % count]);
    this.chosen.querySelector(".pick").focus({ preventScroll: true });
  }

  async decide(decision, correction = {}) {
    const finding = this.chosen;
    if (!this.decides || !finding || this.busy) return;
    if (finding.dataset.undecided !== "yes") return tell(this.words.decided);
    this.busy = true;
    const note = this.find("#note").value.trim();
    const body = { finding_id: Number(finding.dataset.finding), decision, ...correction, ...(note ? { note } : {}) };
    try {
      const headers = { "Idempotency-Key": idempotencyKey(), "If-Match": `"${this.state}"` };
      const { value, etag } = await call("POST", "/reviews", body, headers);
      this.state = etag.replaceAll('"', "");
      this.find("#note").value = "";
      last = { finding: body.finding_id, document: this.id, path: location.pathname + location.search };
      finding.dataset.undecided = "";
      const line = document.createElement("li");
      line.textContent = this.words[decision] + (correction.value ? `: ${correction.value}` : "");
      finding.querySelector(".decisions").append(line);
      const back = document.createElement("button");
      back.type = "button";
      back.className = "quiet";
      back.textContent = `${this.words.undo} (U)`;
      back.addEventListener("click", () => current.undo());
      const name = finding.querySelector(".pick span").textContent.replace(/^\d+\. /, "");
      tell(`${name}: ${this.words[decision]}`, back);
      if (value.undecided === 0) await this.goOn();
      else this.choose(this.undecided[0]);
    } catch (problem) {
      this.failed(problem);
    } finally {
      this.busy = false;
    }
  }

  /** To the next document; to the queue where nothing waits. */
  async goOn() {
    const next = await this.ahead.next();
    if (next) return show(next);
    const query = this.root.dataset.query;
    location.assign(`/?${query ? `${query}&` : ""}told=done`);
  }

  correct() {
    if (!this.decides || this.chosen?.dataset.undecided !== "yes") return;
    const dialog = this.find("#correction");
    const field = dialog.querySelector("#value");
    field.value = this.chosen.dataset.value;
    this.ask(dialog, () => this.decide("corrected", { value: field.value.trim() }));
    field.select();
  }

  async redraw() {
    if (!this.decides || this.chosen?.dataset.undecided !== "yes") return;
    this.sheet.show(Number(this.chosen.dataset.page));
    const box = await this.sheet.box(this.box);
    if (box) await this.decide("corrected", { box });
  }

  async miss() {
    if (!this.find("#miss")) return;
    const page = this.sheet.number;
    const box = await this.sheet.box(null);
    if (!box) return;
    const dialog = this.find("#missing");
    const note = dialog.querySelector("#missing-note");
    note.value = "";
    this.ask(dialog, async () => {
      const body = { page, box, check: dialog.querySelector("#missing-check").value };
      try {
        await call("POST", `/documents/${this.id}/misses`, note.value.trim() ? { ...body, note: note.value.trim() } : body);
        await reload();
        tell(this.words.reported);
      } catch (problem) {
        this.failed(problem);
      }
    });
  }

  async withdraw(button) {
    try {
      await call("DELETE", `/misses/${button.dataset.miss}`);
      await reload();
      tell(this.words.undone);
    } catch (problem) {
      this.failed(problem);
    }
  }

  async undo(finding) {
    const wanted = finding ? { finding, path: location.pathname + location.search } : last;
    const shown = this.find(".undo");
    if (!wanted && shown) return this.undo(Number(shown.closest(".finding").dataset.finding));
    if (!wanted) return tell(this.words.nothing);
    try {
      await call("POST", "/reviews/undo", { finding_id: wanted.finding });
      last = null;
      const page = await load(wanted.path);
      if (page) show(page);
      else location.assign(wanted.path);
      tell(this.words.undone);
    } catch (problem) {
      this.failed(problem);
    }
  }

  async skip() {
    if (!this.decides || this.busy) return;
    this.busy = true;
    try {
      await this.ahead.start();
      await putBack(this.id);
      await this.goOn();
    } catch (problem) {
      this.failed(problem);
    } finally {
      this.busy = false;
    }
  }

  /** Opens a dialog; `then` where it is closed by its first button. */
  ask(dialog, then) {
    dialog.returnValue = "";
    dialog.addEventListener("close", () => dialog.returnValue === "keep" && then(), { once: true });
    dialog.showModal();
  }

  help() {
    this.find("#keys").showModal();
  }

  lost(why) {
    this.decides = false;
    this.find(".decide")?.setAttribute("hidden", "");
    this.find("#lost-why").textContent = why;
    this.find("#lost").hidden = false;
  }

  async retake(over) {
    try {
      await take(this.id, over);
      await reload();
    } catch (problem) {
      this.find("#lost-why").textContent = problem.message;
    }
  }

  failed(problem) {
    if (problem.status === 401) return location.reload();
    if (problem.status === 409 || problem.status === 412) this.lost(problem.message);
    else tell(problem.message);
  }
}

/** Shows a page that was loaded, in the place of this one. */
function show(page) {
  if (page.path !== location.pathname + location.search) history.pushState(null, "", page.path);
  document.title = page.title;
  document.querySelector("main").replaceWith(document.adoptNode(page.main));
  begin();
  scrollTo(0, 0);
  document.querySelector("main").focus({ preventScroll: true });
}

async function reload() {
  const page = await load(location.pathname + location.search);
  if (page) show(page);
  else location.reload();
}

function begin() {
  current?.stop.abort();
  const root = document.querySelector("#document");
  current = root ? new Page(root) : null;
}

addEventListener("popstate", () => location.reload());
begin();
