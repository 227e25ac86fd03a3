// The bench where documents are labelled: one field after the other by the keyboard, other boxes by a drag and two keys.
import { call } from "./api.js";
import { Boxes } from "./boxes.js";
import { tell, trying } from "./told.js";

const root = document.querySelector("#labelling");
const words = document.querySelector("#words").dataset;
const set = root.dataset.set;
const kindOf = Object.fromEntries(Object.entries(JSON.parse(words.keys)).map(([kind, key]) => [key, kind]));
const find = (selector) => root.querySelector(selector);

//: Kinds of which only matters whether they are there, and the word that stands for it.
const THERE = { signature: "signature", endorsement: "stamp", text: "text", checkbox: "ticked" };

let work = null;
let fields = [];
let chosen = null;
let page = 1;
//: A new box waits for the key of its kind.
let unnamed = null;

const boxes = new Boxes(find("#paper"), {
  drawn,
  chosen: choose,
  changed(key, box) {
    one(key).box = box;
    draw();
  },
  removed(key) {
    if (!one(key).free) return;
    fields = fields.filter((each) => each.key !== key);
    chosen = null;
    list();
  },
});

const one = (key) => fields.find((each) => each.key === key);
const left = () => fields.filter((each) => each.value === undefined).length;

async function next() {
  const { value } = await call("POST", `/labels/sets/${set}/next`);
  find("#work").hidden = value.document_id === null;
  find("#empty").hidden = value.document_id !== null;
  find("#save").disabled = value.document_id === null;
  if (value.document_id !== null) await open(value.document_id);
}

async function open(id) {
  ({ value: work } = await call("GET", `/labels/documents/${id}?set_id=${set}`));
  fields = work.fields.map((each, number) => ({ ...each, key: `${number}`, free: false }));
  chosen = unnamed = null;
  find("#page").replaceChildren(...work.pages.map((each) => new Option(each.number)));
  for (const tick of root.querySelectorAll("[name=defect]")) tick.checked = false;
  list();
  turn(fields[0]?.page ?? 1);
  if (fields.length) go(fields[0].key);
  else find("#fields").focus();
  tell(`${words.left} ${left()}`);
}

function turn(number) {
  page = number;
  find("#page").value = number;
  const sheet = work.pages.find((each) => each.number === number);
  if (sheet) boxes.picture(`/api/v1/documents/${work.document_id}/pages/${number}`, sheet.width, sheet.height);
  draw();
}

function draw() {
  const shown = fields.filter((each) => each.page === page && each.box);
  boxes.show(
    shown.map(({ key, box, label, kind, value }) => ({ key, box, name: label, kind, classes: value === undefined ? "" : "done" })),
    chosen,
  );
  for (const line of find("#fields").children) {
    const each = one(line.dataset.key);
    line.querySelector("[data-part=value]").textContent = told(each);
    line.firstElementChild.setAttribute("aria-current", String(each.key === chosen));
  }
}

function told(each) {
  if (each.value === undefined) return each.box ? "" : `(${words.draw})`;
  return each.value === null ? `– ${words.nothing}` : each.kind in THERE ? `✓ ${words.there}` : each.value;
}

/** The list of fields anew: a button where only presence counts, an input where something is read. */
function list() {
  find("#fields").replaceChildren(
    ...fields.map((each) => {
      const line = document.createElement("li");
      line.dataset.key = each.key;
      const control = document.createElement(each.kind in THERE ? "button" : "input");
      control.dataset.control = each.key;
      control.addEventListener("focus", () => choose(each.key));
      const value = Object.assign(document.createElement("span"), { className: "small" });
      value.dataset.part = "value";
      if (control.tagName === "BUTTON") {
        Object.assign(control, { type: "button", className: "quiet", textContent: each.label });
        line.append(control, value);
      } else {
        Object.assign(control, { id: `v-${each.key}`, autocomplete: "off", spellcheck: false, value: each.value ?? "", maxLength: 200 });
        const label = Object.assign(document.createElement("label"), { htmlFor: control.id, textContent: each.label });
        line.append(label, control, value);
      }
      return line;
    }),
  );
  draw();
}

/** To a field: chosen, its page turned to, its control focused. */
function go(key) {
  choose(key);
  root.querySelector(`[data-control="${key}"]`)?.focus();
}

function choose(key) {
  chosen = key;
  if (one(key).page !== page) turn(one(key).page);
  draw();
}

function drawn(box) {
  const waiting = chosen === null ? null : one(chosen);
  if (waiting && !waiting.box && waiting.value === undefined && waiting.page === page) {
    waiting.box = box;
    draw();
    return go(waiting.key);
  }
  const number = fields.filter((each) => each.free).length + 1;
  const made = { key: `free-${Date.now()}-${number}`, name: `box_${number}`, label: `${words.box} ${number}`, kind: "text", page, box, cells: null, free: true };
  fields.push(made);
  unnamed = made;
  list();
  go(made.key);
}

/** Says what stands in a field, and goes to the next that nobody has said anything of. */
function say(each, value) {
  each.value = value;
  draw();
  tell(`${words.left} ${left()}`);
  const at = fields.indexOf(each);
  const after = [...fields.slice(at + 1), ...fields.slice(0, at)].find((other) => other.value === undefined);
  if (after) go(after.key);
  else find("#save").focus();
}

async function save() {
  // Of what nobody has said anything, nothing is written down.
  const known = fields.filter((each) => each.value !== undefined);
  const said = known.map(({ name, kind, page: on, box, value }) => ({ name, kind, page: on, box, value }));
  const defects = [...root.querySelectorAll("[name=defect]:checked")].map((tick) => ({ page, field: null, check: tick.value }));
  await call("POST", `/labels/documents/${work.document_id}`, { set_id: Number(set), document_type: work.document_type, fields: said, defects });
  await next();
}

// Single keys count only while the list or the page has the focus.
find("#work").addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !event.target.closest("#fields, #paper")) return;
  const each = chosen === null ? null : one(chosen);
  if (!each) return;
  const typing = event.target.tagName === "INPUT";
  if (unnamed && event.key in kindOf) {
    event.preventDefault();
    unnamed.kind = kindOf[event.key];
    unnamed.name = `${unnamed.kind}_${fields.filter((other) => other.kind === unnamed.kind).length}`;
    unnamed.label = unnamed.name;
    const { key } = unnamed;
    unnamed = null;
    list();
    go(key);
  } else if (typing && event.key === "Enter") {
    event.preventDefault();
    say(each, event.target.value.trim() || null);
  } else if (!typing && each.kind in THERE && (event.key === "1" || event.key === "0")) {
    event.preventDefault();
    say(each, event.key === "1" ? THERE[each.kind] : null);
  } else if (event.target.closest("#fields") && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    const other = fields[fields.indexOf(each) + (event.key === "ArrowDown" ? 1 : -1)];
    if (other) go(other.key);
  }
});

root.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !find("#save").disabled) trying(save);
});
find("#save").addEventListener("click", () => trying(save));
find("#page").addEventListener("change", (event) => turn(Number(event.target.value)));
trying(next);
