// The pages of a document: which one is shown, how near, which way up; frames on it, and boxes drawn by hand or keys.
const NEAREST = 12;
const STEP = 1.4;
const SVG = "http://www.w3.org/2000/svg";
const within = (value, low, high) => Math.min(Math.max(value, low), high);

/** Boxes are [left, top, right, bottom] in fractions of the page. */
export class Sheet {
  constructor(root, signal) {
    this.root = root;
    this.frame = root.querySelector("#sheet");
    this.pages = [...root.querySelectorAll("svg.page")];
    this.near = 1;
    this.centre = [0.5, 0.5];
    this.turns = 0;
    this.drawing = null;
    if (!this.frame) return;
    this.signal = signal;
    for (const page of this.pages) {
      page.querySelector("image").addEventListener("error", () => this.unseen(true), { signal });
      page.querySelector("image").addEventListener("load", () => this.unseen(false), { signal });
    }
    this.frame.addEventListener("keydown", (event) => this.moved(event), { signal });
    this.frame.addEventListener("wheel", (event) => this.wheel(event), { signal, passive: false });
    this.frame.addEventListener("pointerdown", (event) => this.grab(event), { signal });
    root.querySelector("#see-again").addEventListener("click", () => this.load(true), { signal });
    this.show(Number(root.dataset.page) || 1);
  }

  get page() {
    return this.pages.find((page) => !page.hasAttribute("hidden"));
  }

  get number() {
    return Number(this.page?.dataset.page);
  }

  show(number) {
    const wanted = this.pages.find((page) => Number(page.dataset.page) === number);
    if (!wanted) return false;
    if (wanted !== this.page) {
      for (const page of this.pages) page.toggleAttribute("hidden", page !== wanted);
      this.whole();
    }
    this.load();
    const told = this.root.querySelector("#page-number");
    if (told) told.textContent = `${number} / ${this.pages.length}`;
    return true;
  }

  step(by) {
    const place = this.pages.indexOf(this.page) + by;
    if (this.pages[place]) this.show(Number(this.pages[place].dataset.page));
  }

  load(again = false) {
    const image = this.page.querySelector("image");
    if (again) image.removeAttribute("href");
    if (!image.hasAttribute("href")) image.setAttribute("href", this.page.dataset.src + (again ? `?${Date.now()}` : ""));
  }

  unseen(is) {
    this.root.querySelector("#unseen").hidden = !is;
  }

  /** Marks the frame of a finding, on its page; the view follows where it is nearer than the whole page. */
  select(id, page, box) {
    for (const one of this.root.querySelectorAll(".frame")) one.classList.toggle("chosen", one.dataset.finding === id);
    if (!this.frame || !this.show(page) || !box) return;
    if (this.near > 1) this.centre = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
    this.draw();
  }

  whole() {
    this.near = 1;
    this.centre = [0.5, 0.5];
    this.draw();
  }

  zoom(by) {
    this.near = within(this.near * by, 1, NEAREST);
    this.draw();
  }

  nearer() {
    this.zoom(STEP);
  }

  farther() {
    this.zoom(1 / STEP);
  }

  closeUp(box) {
    if (!box || this.near > 2) return this.whole();
    this.near = within(0.4 / Math.max(box[2] - box[0], box[3] - box[1]), 2.5, NEAREST);
    this.centre = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
    this.draw();
  }

  rotate() {
    this.turns = (this.turns + 1) % 4;
    this.draw();
  }

  /** Writes view and turn into the picture. */
  draw() {
    const page = this.page;
    if (!page) return;
    const [width, height] = [Number(page.dataset.width), Number(page.dataset.height)];
    const [x, y] = [this.centre[0] * width, this.centre[1] * height];
    const [turn, across, down, centre] = [
      ["", width, height, [x, y]],
      [`translate(${height} 0) rotate(90)`, height, width, [height - y, x]],
      [`translate(${width} ${height}) rotate(180)`, width, height, [width - x, height - y]],
      [`translate(0 ${width}) rotate(270)`, height, width, [y, width - x]],
    ][this.turns];
    page.querySelector(".turned").setAttribute("transform", turn);
    const [w, h] = [across / this.near, down / this.near];
    const left = within(centre[0] - w / 2, 0, across - w);
    const top = within(centre[1] - h / 2, 0, down - h);
    page.setAttribute("viewBox", `${left} ${top} ${w} ${h}`);
  }

  pan(x, y) {
    const half = 0.5 / this.near;
    const turned = [[x, y], [y, -x], [-x, -y], [-y, x]][this.turns];
    this.centre = this.centre.map((value, place) => within(value + turned[place] / this.near, half, 1 - half));
    this.draw();
  }

  moved(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way || this.drawing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.pan(way[0] * 0.15, way[1] * 0.15);
  }

  wheel(event) {
    if (!event.ctrlKey) return;
    event.preventDefault();
    this.zoom(event.deltaY < 0 ? 1.1 : 1 / 1.1);
  }

  /** Where the pointer is, in fractions of the page. */
  place(event) {
    const page = this.page;
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(
      page.querySelector(".turned").getScreenCTM().inverse(),
    );
    return [within(at.x / Number(page.dataset.width), 0, 1), within(at.y / Number(page.dataset.height), 0, 1)];
  }

  grab(event) {
    if (event.button !== 0) return;
    const from = this.place(event);
    const drawing = this.drawing;
    const centre = this.centre;
    const move = (other) => {
      const to = this.place(other);
      if (drawing) {
        drawing.set([Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.max(from[0], to[0]), Math.max(from[1], to[1])]);
      } else if (this.near > 1) {
        const half = 0.5 / this.near;
        this.centre = centre.map((value, place) => within(this.centre[place] + from[place] - to[place], half, 1 - half));
        this.draw();
      }
    };
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.signal]);
    if (drawing) event.preventDefault();
    addEventListener("pointermove", move, { signal });
    addEventListener("pointerup", () => stop.abort(), { signal });
  }

  /** Lets somebody draw a box on the page shown, beginning with `start`; gives the box, or null. */
  box(start) {
    if (!this.frame || this.drawing) return Promise.resolve(null);
    const page = this.page;
    const rect = document.createElementNS(SVG, "rect");
    rect.setAttribute("class", "draft");
    page.querySelector(".turned").append(rect);
    const note = this.root.querySelector("#drawing");
    note.hidden = false;
    this.frame.focus();
    return new Promise((resolve) => {
      const stop = new AbortController();
      const signal = AbortSignal.any([stop.signal, this.signal]);
      const end = (value) => {
        stop.abort();
        rect.remove();
        note.hidden = true;
        this.drawing = null;
        resolve(value);
      };
      this.drawing = {
        value: null,
        set(box) {
          this.value = box.map((one) => Math.round(one * 10000) / 10000);
          const [width, height] = [Number(page.dataset.width), Number(page.dataset.height)];
          rect.setAttribute("x", box[0] * width);
          rect.setAttribute("y", box[1] * height);
          rect.setAttribute("width", (box[2] - box[0]) * width);
          rect.setAttribute("height", (box[3] - box[1]) * height);
        },
      };
      const [x, y] = this.centre;
      const half = 0.08 / this.near;
      this.drawing.set(start ?? [within(x - half, 0, 1), within(y - half / 2, 0, 1), within(x + half, 0, 1), within(y + half / 2, 0, 1)]);
      const keep = () => {
        const [x0, y0, x1, y1] = this.drawing.value;
        if (x1 - x0 > 0.002 && y1 - y0 > 0.002) end(this.drawing.value);
      };
      document.addEventListener(
        "keydown",
        (event) => {
          const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
          if (event.key === "Escape") end(null);
          else if (event.key === "Enter" && !(event.target instanceof HTMLButtonElement)) keep();
          else if (way) this.nudge(way, event.shiftKey);
          else return;
          event.preventDefault();
          event.stopPropagation();
        },
        { signal, capture: true },
      );
      this.root.querySelector("#drawn").addEventListener("click", keep, { signal });
      this.root.querySelector("#given-up").addEventListener("click", () => end(null), { signal });
    });
  }

  /** Moves the box that is drawn by a hundredth of what is seen, or makes it larger or smaller. */
  nudge([x, y], resize) {
    const by = 0.01 / this.near;
    let [x0, y0, x1, y1] = this.drawing.value;
    if (resize) {
      x1 = within(x1 + x * by, x0 + by, 1);
      y1 = within(y1 + y * by, y0 + by, 1);
    } else {
      const [right, down] = [within(x * by, -x0, 1 - x1), within(y * by, -y0, 1 - y1)];
      [x0, x1, y0, y1] = [x0 + right, x1 + right, y0 + down, y1 + down];
    }
    this.drawing.set([x0, y0, x1, y1]);
  }
}
