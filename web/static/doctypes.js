// Document types: a new draft from files, or from a type that is there.
import { call } from "./api.js";
import { trying } from "./told.js";

const begin = (asking) =>
  trying(async () => {
    const { value } = await asking();
    location.assign(`/doctypes/drafts/${value.id}`);
  });

document.querySelector("#new")?.addEventListener("submit", (event) => {
  event.preventDefault();
  begin(() => call("POST", "/doctypes/drafts", new FormData(event.target)));
});

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", () => begin(() => call("POST", "/doctypes/drafts/copy", { type: button.dataset.copy })));
}
