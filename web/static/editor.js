// The editor of a document type: fields drawn on the blank, described beside it, kept as a draft after every change.
import { call } from "./api.js";
import { Boxes } from "./boxes.js";
import { formOf, tell, trying } from "./told.js";

const root = document.querySelector("#editor");
const words = document.querySelector("#words").dataset;
const told = document.querySelector("#told");
const path = `/doctypes/drafts/${root.dataset.id}`;
const find = (selector) => root.querySelector(selector);

//: How long after the last change a draft is kept, and how often one that is being made is asked for (milliseconds).
const IDLE = 600;
const AGAIN = 1500;

find("#drop")?.addEventListener("click", async () => {
  if (root.dataset.state === "ready" && !confirm(words.drop)) return;
  await trying(async () => {
    await call("DELETE", path);
    location.assign("/doctypes");
  });
});

if (root.dataset.state === "making") waitUntilMade();
else if (root.dataset.state === "ready") edit();

async function waitUntilMade() {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, AGAIN));
    const { value } = await call("GET", path).catch(() => ({ value: { state: "making", told: told.textContent } }));
    tell(value.told);
    if (value.state !== "making") return location.reload();
  }
}

async function edit() {
  let { value: draft, etag } = await call("GET", path);
  const body = draft.body;
  body.fields ??= [];
  // Fields are known by a key of our own, since their names change.
  let last = 0;
  for (const field of body.fields) Object.defineProperty(field, "key", { value: `${last++}`, enumerable: false });
  let chosen = null;
  let page = 1;
  let timer = null;
  let keeping = Promise.resolve();
  const form = find("#field");
  const input = (name) => form.elements[name];

  const boxes = new Boxes(find("#paper"), {
    drawn: add,
    chosen: choose,
    changed(key, box) {
      field(key).box = box;
      change();
    },
    removed: remove,
  });

  const field = (key) => body.fields.find((one) => one.key === key);
  const remarksOf = (one) => draft.remarks.filter((each) => each.field === body.fields.indexOf(one));

  function change() {
    draw();
    clearTimeout(timer);
    find("#saved").textContent = words.saving;
    timer = setTimeout(keep, IDLE);
  }

  /** Keeps the draft as it is now; one request after the other. */
  function keep() {
    clearTimeout(timer);
    timer = null;
    keeping = keeping.then(async () => {
      try {
        const answer = await call("PUT", path, { body }, { "If-Match": etag });
        draft = answer.value;
        etag = answer.etag;
        tell("");
        find("#saved").textContent = timer ? words.saving : words.saved;
        draw();
      } catch (problem) {
        find("#saved").textContent = "";
        tell(problem.message);
      }
    });
    return keeping;
  }

  function add(box) {
    let number = body.fields.length + 1;
    while (body.fields.some((one) => one.name === `field_${number}`)) number += 1;
    const made = { name: `field_${number}`, label: `${words.field} ${number}`, kind: "text", page, box, required: false, checks: [{ check: "field.missing" }] };
    Object.defineProperty(made, "key", { value: `${last++}`, enumerable: false });
    body.fields.push(made);
    chosen = made.key;
    change();
    fill();
    input("name").focus();
    input("name").select();
  }

  function remove(key) {
    const at = body.fields.findIndex((one) => one.key === key);
    body.fields.splice(at, 1);
    chosen = null;
    change();
    fill();
    find("#fields button")?.focus();
  }

  function choose(key) {
    chosen = key;
    if (field(key).page !== page) turn(field(key).page);
    draw();
    fill();
  }

  function turn(number) {
    page = number;
    find("#page").value = number;
    const paper = body.pages[page - 1];
    boxes.picture(`/api/v1${path}/pages/${page}`, paper.width_mm ?? 210, paper.height_mm ?? 297);
    draw();
  }

  function draw() {
    const shown = body.fields.filter((one) => one.page === page);
    boxes.show(
      shown.map((one) => ({ key: one.key, box: one.box, name: one.label || one.name, kind: one.kind, classes: remarksOf(one).length ? "wrong" : "" })),
      chosen,
    );
    find("#fields").replaceChildren(
      ...body.fields.map((one) => {
        const line = document.createElement("li");
        const button = document.createElement("button");
        button.type = "button";
        button.className = "quiet";
        button.textContent = one.label || one.name;
        button.setAttribute("aria-current", String(one.key === chosen));
        button.addEventListener("click", () => {
          choose(one.key);
          boxes.focus(one.key);
        });
        line.append(button, listed(remarksOf(one)));
        return line;
      }),
    );
    const others = draft.remarks.filter((one) => one.field === null);
    find("#form-remarks").replaceChildren(...listed(others).children);
    find("#field-remarks").replaceChildren(...(chosen === null ? [] : listed(remarksOf(field(chosen))).children));
  }

  function listed(remarks) {
    const list = document.createElement("ul");
    list.className = "remarks";
    for (const one of remarks) {
      const line = document.createElement("li");
      line.textContent = one.part ? `${one.part}: ${one.message}` : one.message;
      if (one.stops) line.className = "stops";
      list.append(line);
    }
    return list;
  }

  function choices(select, value, names) {
    const options = ["", ...names].map((name) => new Option(name, name, false, name === (value ?? "")));
    select.replaceChildren(...options);
  }

  /** The chosen field into the form. */
  function fill() {
    const one = chosen === null ? null : field(chosen);
    form.hidden = one === null;
    if (one === null) return;
    const others = body.fields.filter((each) => each !== one);
    for (const name of ["name", "label", "kind", "identifier", "format", "cells"]) input(name).value = one[name] ?? "";
    input("groups").value = (one.groups ?? []).join(" ");
    input("gap").value = one.gap ?? "";
    form.querySelector("[data-cells]").hidden = !one.cells;
    for (const name of ["required", "masked"]) input(name).checked = Boolean(one[name]);
    choices(input("required_if"), one.required_if, others.map((each) => each.name));
    const checks = one.checks ?? [];
    const own = (check) => checks.find((each) => each.check === check);
    for (const tick of form.querySelectorAll("[name=check]")) {
      tick.checked = own(tick.value) !== undefined;
      tick.parentElement.hidden = !tick.parentElement.dataset.kinds.split(" ").includes(one.kind) && !tick.checked;
    }
    input("max_age_days").value = own("date.stale")?.max_age_days ?? "";
    choices(input("not_before"), own("date.order")?.not_before, others.filter((each) => each.kind === "date").map((each) => each.name));
    choices(input("words"), own("amount.mismatch")?.words, others.filter((each) => each.kind === "text").map((each) => each.name));
    for (const part of form.querySelectorAll("[data-check]")) part.hidden = own(part.dataset.check) === undefined;
    for (const part of form.querySelectorAll("[data-for]")) part.hidden = part.dataset.for !== one.kind;
    draw();
  }

  /** The form into the chosen field. */
  function take(event) {
    const one = field(chosen);
    const put = (name, value) => (value === "" || value === null || value === false ? delete one[name] : (one[name] = value));
    const before = one.name;
    one.name = input("name").value.trim();
    one.label = input("label").value;
    one.kind = input("kind").value;
    if (event.target.name === "kind") suggest(one);
    put("identifier", one.kind === "identifier" ? input("identifier").value : null);
    put("format", one.kind === "date" ? input("format").value : null);
    put("cells", input("cells").value === "" ? null : Number(input("cells").value));
    form.querySelector("[data-cells]").hidden = !one.cells;
    const groups = input("groups").value.split(" ").map(Number).filter((count) => count > 0);
    put("groups", one.cells && groups.length > 0 ? groups : null);
    put("gap", one.groups && input("gap").value !== "" ? Number(input("gap").value) : null);
    put("required_if", input("required_if").value);
    one.required = input("required").checked;
    put("masked", input("masked").checked);
    const rules = new Map((one.checks ?? []).map((each) => [each.check, each.rule]));
    one.checks = [...form.querySelectorAll("[name=check]:checked")].map((tick) => {
      const made = { check: tick.value };
      if (rules.get(tick.value)) made.rule = rules.get(tick.value);
      if (tick.value === "date.stale") made.max_age_days = Number(input("max_age_days").value || 90);
      if (tick.value === "date.order") made.not_before = input("not_before").value || null;
      if (tick.value === "amount.mismatch" && input("words").value) made.words = input("words").value;
      return made;
    });
    if (before !== one.name) renamed(before, one.name);
    change();
    if (event.type === "change") fill();
  }

  /** Others go on to refer to a field whose name changes. */
  function renamed(before, now) {
    for (const each of body.fields) {
      if (each.required_if === before) each.required_if = now;
      for (const check of each.checks ?? []) {
        for (const part of ["not_before", "words"]) if (check[part] === before) check[part] = now;
      }
    }
  }

  /** The checks that are usual for another kind. */
  function suggest(one) {
    for (const tick of form.querySelectorAll("[name=check]")) {
      tick.checked = tick.parentElement.dataset.usual.split(" ").includes(one.kind);
    }
  }

  form.addEventListener("input", (event) => {
    if (event.target.matches("input:not([type=checkbox])")) take(event);
  });
  form.addEventListener("change", (event) => {
    if (!event.target.matches("input:not([type=checkbox])")) take(event);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  find("#remove").addEventListener("click", () => remove(chosen));
  find("#add").addEventListener("click", () => add([0.4, 0.45, 0.6, 0.49]));
  find("#page").addEventListener("change", (event) => turn(Number(event.target.value)));
  find("#title").value = body.title ?? "";
  find("#title").addEventListener("input", (event) => {
    body.title = event.target.value;
    change();
  });

  find("#publish").addEventListener("click", async () => {
    await keep();
    if (!told.hidden) return;
    await trying(async () => {
      await call("POST", `${path}/publish`, undefined, { "If-Match": etag });
      location.assign(`/doctypes/${encodeURIComponent(root.dataset.name)}`);
    });
  });

  find("#try").addEventListener("submit", async (event) => {
    event.preventDefault();
    const result = find("#result");
    result.textContent = words.working;
    await keep();
    try {
      const { value } = await call("POST", `${path}/try`, formOf(find("#sample").files[0]));
      const lines = value.pages.map((one) => {
        const wrong = one.faulty.length ? `; ${words.mistaken}: ${one.faulty.join(", ")}` : "";
        const marks = one.marks ? `; ${one.marks} ${words.marks}` : "";
        return `${words.page.replace("#", one.number)}: ${one.sure ? `${one.fields.length} ${words.cut}${wrong}${marks}` : one.why}`;
      });
      const list = document.createElement("ul");
      for (const text of [...value.remarks, ...lines]) list.append(Object.assign(document.createElement("li"), { textContent: text }));
      const image = Object.assign(document.createElement("img"), { className: "overview", alt: words.overview });
      if (value.picture) image.src = `data:image/png;base64,${value.picture}`;
      result.replaceChildren(list, ...(value.picture ? [image] : []));
      result.focus();
    } catch (problem) {
      result.textContent = problem.message;
    }
  });

  window.addEventListener("beforeunload", (event) => {
    if (timer) event.preventDefault();
  });
  turn(1);
}
