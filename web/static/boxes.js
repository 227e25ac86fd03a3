// Boxes on the picture of a page: drawn, moved and stretched by mouse and by keyboard.
//
// A box is `[left, top, right, bottom]` in fractions of the page. Whoever makes a `Boxes` keeps the boxes and is told of
// every change; nothing is kept here but the picture.

const SVG = "http://www.w3.org/2000/svg";
const WIDE = 1000;
//: Fractions of the page: a key's step, and the least side of a box.
const STEP = 0.0025;
const LEAST = 0.004;

const clamp = (value, least, most) => Math.min(Math.max(value, least), most);
const rounded = (box) => box.map((one) => Math.round(one * 1e4) / 1e4);

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** `told`: functions `drawn(box)`, `changed(key, box)`, `chosen(key)`, `removed(key)`. */
export class Boxes {
  constructor(svg, told) {
    this.svg = svg;
    this.told = told;
    this.high = WIDE;
    this.items = [];
    this.key = null;
    svg.addEventListener("pointerdown", (event) => this.#begin(event));
    svg.addEventListener("keydown", (event) => this.#press(event));
    svg.addEventListener("focusin", (event) => {
      const key = event.target.dataset?.key;
      if (key !== undefined && key !== this.key) this.told.chosen(key);
    });
  }

  /** Shows a picture of so many pixels; resolves when it is there. */
  picture(address, width, height) {
    this.high = Math.round((WIDE * height) / width);
    this.svg.setAttribute("viewBox", `0 0 ${WIDE} ${this.high}`);
    this.image = element("image", { href: address, width: WIDE, height: this.high });
    this.svg.replaceChildren(this.image);
    this.show(this.items, this.key);
  }

  /** Shows boxes: `{key, box, name, kind, classes}` each, the one with `key` chosen. */
  show(items, key) {
    const focused = document.activeElement?.dataset?.key;
    this.items = items;
    this.key = key;
    for (const old of this.svg.querySelectorAll("rect, text")) old.remove();
    for (const one of items) this.svg.append(...this.#drawn(one));
    if (focused !== undefined) this.svg.querySelector(`rect[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  focus(key) {
    this.svg.querySelector(`rect[data-key="${CSS.escape(key)}"]`)?.focus();
  }

  #drawn({ key, box, name, kind, classes = "" }) {
    const [x0, y0, x1, y1] = box;
    const chosen = key === this.key;
    const place = { x: x0 * WIDE, y: y0 * this.high, width: (x1 - x0) * WIDE, height: (y1 - y0) * this.high };
    const rect = element("rect", {
      ...place,
      class: `box kind-${kind} ${classes} ${chosen ? "chosen" : ""}`,
      tabindex: 0,
      role: "button",
      "aria-pressed": chosen,
      "aria-label": name,
      "data-key": key,
    });
    const text = element("text", { x: place.x + 2, y: Math.max(14, place.y - 4), class: "box-name", "aria-hidden": "true" });
    text.textContent = name;
    if (!chosen) return [rect, text];
    const corner = { x: x1 * WIDE - 7, y: y1 * this.high - 7, width: 14, height: 14, class: "handle" };
    return [rect, text, element("rect", { ...corner, "data-stretches": key, "aria-hidden": "true" })];
  }

  #point(event) {
    const frame = this.svg.getBoundingClientRect();
    return [clamp((event.clientX - frame.left) / frame.width, 0, 1), clamp((event.clientY - frame.top) / frame.height, 0, 1)];
  }

  #begin(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    const { key, stretches } = event.target.dataset;
    const start = this.#point(event);
    const one = this.items.find((item) => item.key === (stretches ?? key));
    const before = one ? [...one.box] : null;
    if (key !== undefined) {
      this.told.chosen(key);
      this.focus(key);
    }
    let now = null;
    const trace = one ? null : element("rect", { class: "box" });
    if (trace) this.svg.append(trace);
    const move = (moved) => {
      const [x, y] = this.#point(moved);
      const [dx, dy] = [x - start[0], y - start[1]];
      if (Math.abs(dx) < LEAST / 2 && Math.abs(dy) < LEAST / 2 && !now) return;
      if (!one) {
        now = [Math.min(start[0], x), Math.min(start[1], y), Math.max(start[0], x), Math.max(start[1], y)];
        trace.setAttribute("x", now[0] * WIDE);
        trace.setAttribute("y", now[1] * this.high);
        trace.setAttribute("width", (now[2] - now[0]) * WIDE);
        trace.setAttribute("height", (now[3] - now[1]) * this.high);
        return;
      }
      now = stretches !== undefined ? stretched(before, dx, dy) : shifted(before, dx, dy);
      this.show(
        this.items.map((item) => (item === one || item.key === one.key ? { ...item, box: now } : item)),
        this.key,
      );
    };
    const end = () => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", end);
      trace?.remove();
      if (!now) return;
      if (one) this.told.changed(one.key, rounded(now));
      else if (now[2] - now[0] >= LEAST && now[3] - now[1] >= LEAST) this.told.drawn(rounded(now));
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", end);
  }

  #press(event) {
    const { key } = event.target.dataset;
    const one = this.items.find((item) => item.key === key);
    if (!one || event.ctrlKey || event.metaKey || event.altKey) return;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (way) {
      event.preventDefault();
      const [dx, dy] = way.map((each) => each * STEP);
      this.told.changed(key, rounded(event.shiftKey ? stretched(one.box, dx, dy) : shifted(one.box, dx, dy)));
    } else if (event.key === "Delete") {
      event.preventDefault();
      this.told.removed(key);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.told.chosen(key);
    }
  }
}

function shifted([x0, y0, x1, y1], dx, dy) {
  const [x, y] = [clamp(dx, -x0, 1 - x1), clamp(dy, -y0, 1 - y1)];
  return [x0 + x, y0 + y, x1 + x, y1 + y];
}

function stretched([x0, y0, x1, y1], dx, dy) {
  return [x0, y0, clamp(x1 + dx, x0 + LEAST, 1), clamp(y1 + dy, y0 + LEAST, 1)];
}
