// The users' page for those who may change it: add, change roles, give a new way in, disable, enable. All by the API.
import { call, idempotencyKey } from "./api.js";
import { trying } from "./told.js";

const words = document.querySelector("#words").dataset;
const dialog = (name) => document.querySelector(`dialog#${name}`);
const chosen = (form) => [...new FormData(form).getAll("roles")];

/** Opens a dialog, and gives whether it was left by its button. */
function asked(one) {
  one.returnValue = "";
  one.showModal();
  return new Promise((resolve) => one.addEventListener("close", () => resolve(one.returnValue !== ""), { once: true }));
}

/** Changes the user of a row as it stands on the page; says no where somebody else has changed it since. */
function change(row, method, what, body) {
  const path = `/users/${encodeURIComponent(row.name)}/${what}`;
  return call(method, path, body, { "If-Match": `"${row.revision}"` });
}

/** Shows a link or secret until it has been taken. */
async function hand(made) {
  const way = dialog("way");
  const kind = made.secret ? "secret" : "link";
  way.querySelector("h2").textContent = made.user.name;
  way.querySelector("[data-part=label]").textContent = words[kind];
  way.querySelector("#way-hint").textContent = words[`${kind}Hint`];
  const field = way.querySelector("#handed");
  field.value = made[kind];
  const copy = way.querySelector("[data-part=copy]");
  // Browsers let a page write to the clipboard over TLS or on this machine only.
  copy.hidden = !navigator.clipboard;
  copy.onclick = async () => {
    await navigator.clipboard.writeText(field.value);
    copy.textContent = words.copied;
  };
  const done = asked(way);
  field.select();
  await done;
}

const acts = {
  async roles(row) {
    const one = dialog("roles");
    one.querySelector("[data-part=who]").textContent = row.name;
    for (const box of one.querySelectorAll("[name=roles]")) box.checked = row.roles.split(" ").includes(box.value);
    if (!(await asked(one))) return false;
    const roles = chosen(one.querySelector("form"));
    if (!roles.length) throw new Error(words.none);
    await change(row, "PUT", "roles", { roles });
    return true;
  },
  async reset(row, title) {
    if (!(await sure(title, words[row.kind === "machine" ? "resetMachine" : "resetPerson"]))) return false;
    await hand((await change(row, "POST", "reset")).value);
    return true;
  },
  async disable(row, title) {
    if (!(await sure(title, words.disable))) return false;
    await change(row, "POST", "disable");
    return true;
  },
  async enable(row) {
    await change(row, "POST", "enable");
    return true;
  },
};

function sure(title, what) {
  const one = dialog("sure");
  one.querySelector("h2").textContent = title;
  one.querySelector("[data-part=what]").textContent = what;
  one.querySelector("[data-part=yes]").textContent = title.split(":")[0];
  return asked(one);
}

for (const button of document.querySelectorAll("[data-act]")) {
  button.addEventListener("click", () =>
    trying(async () => {
      const { dataset } = button.closest("tr");
      if (await acts[button.dataset.act](dataset, button.getAttribute("aria-label"))) location.reload();
    }),
  );
}

// The same key until there was an answer: where the connection broke, trying again adds nobody twice.
let key = idempotencyKey();
document.querySelector("#add").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  const button = form.querySelector("button");
  trying(async () => {
    const roles = chosen(form);
    if (!roles.length) throw new Error(words.none);
    const body = { name: form.elements.name.value.trim().toLowerCase(), kind: form.elements.kind.value, roles };
    button.disabled = true;
    try {
      const { value } = await call("POST", "/users", body, { "Idempotency-Key": key });
      if (value.link || value.secret) await hand(value);
      location.reload();
    } catch (problem) {
      if (problem.status) key = idempotencyKey();
      throw problem;
    } finally {
      button.disabled = false;
    }
  });
});
