// The register's page for those who may change it: import with a preview, add, retire. All of it by the API.
import { call } from "./api.js";
import { formOf, trying } from "./told.js";

const words = document.querySelector("#words").dataset;
const preview = document.querySelector("#preview");
const part = (name) => preview.querySelector(`[data-part=${name}]`);
let chosen = null;

function item(text) {
  const line = document.createElement("li");
  line.textContent = text;
  return line;
}

/** The columns in which two differ, as `column: before → after`. */
function differences(before, after) {
  return Object.keys(after)
    .filter((name) => JSON.stringify(before?.[name] ?? null) !== JSON.stringify(after[name] ?? null))
    .map((name) => `${name}: ${before ? `${before[name] ?? "–"} → ` : ""}${after[name] ?? "–"}`)
    .filter((text) => before || !/: (–|)$/.test(text));
}

document.querySelector("#import").addEventListener("submit", (event) => {
  event.preventDefault();
  trying(async () => {
    const [file] = event.target.elements.file.files;
    const { value } = await call("POST", "/endorsers/preview", formOf(file));
    chosen = { file, state: value.state };
    part("refusals").replaceChildren(...value.refusals.map((one) => item(one.message)));
    part("changes").replaceChildren(
      ...value.changes.map((one) => {
        const what = one.before ? words.changed : words.added;
        return item(`${words.line} ${one.line}: ${one.after.name} (${what}). ${differences(one.before, one.after).join("; ")}`);
      }),
    );
    const wrong = value.refusals.length > 0;
    part("title").textContent = wrong ? words.wrong : value.changes.length ? words.changes : words.nothing;
    part("take").hidden = wrong || value.changes.length === 0;
    preview.hidden = false;
    preview.focus();
  });
});

part("take").addEventListener("click", () =>
  trying(async () => {
    await call("POST", "/endorsers/import", formOf(chosen.file), { "If-Match": `"${chosen.state}"` });
    location.reload();
  }),
);

document.querySelector("#add").addEventListener("submit", (event) => {
  event.preventDefault();
  trying(async () => {
    const form = new FormData(event.target);
    const body = Object.fromEntries([...form].map(([name, value]) => [name, value || null]));
    await call("POST", "/endorsers", { ...body, document_types: form.getAll("document_types") });
    location.assign(`${location.pathname}?search=${encodeURIComponent(body.name)}`);
  });
});

const dialog = document.querySelector("#retire");
let endorser = null;
for (const button of document.querySelectorAll("[data-retire]")) {
  button.addEventListener("click", () => {
    endorser = button.dataset.retire;
    dialog.querySelector("[data-part=who]").textContent = button.dataset.name;
    dialog.returnValue = "";
    dialog.showModal();
  });
}
dialog.addEventListener("close", () => {
  if (dialog.returnValue !== "retire") return;
  trying(async () => {
    await call("POST", `/endorsers/${endorser}/retire`, { on: dialog.querySelector("#on").value || null });
    location.reload();
  });
});
