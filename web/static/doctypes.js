// Document types: a new draft from files, or from a type that is there.
import { call } from "./api.js";

const told = document.querySelector("#told");

async function begin(asking) {
  told.hidden = true;
  try {
    const { value } = await asking();
    location.assign(`/doctypes/drafts/${value.id}`);
  } catch (problem) {
    told.textContent = problem.message;
    told.hidden = false;
  }
}

document.querySelector("#new")?.addEventListener("submit", (event) => {
  event.preventDefault();
  begin(() => call("POST", "/doctypes/drafts", new FormData(event.target)));
});

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", () => begin(() => call("POST", "/doctypes/drafts/copy", { type: button.dataset.copy })));
}
