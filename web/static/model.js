// A version's page for those who may move it: says what will happen, asks, and does it by the API.
import { call } from "./api.js";
import { trying } from "./told.js";

const dialog = document.querySelector("#move");
const part = dialog.querySelector("[data-part=share]");
const share = dialog.querySelector("#share");
const { version } = dialog.dataset;
let to = null;

for (const button of document.querySelectorAll("[data-move]")) {
  button.addEventListener("click", () => {
    to = button.dataset.move;
    dialog.querySelector("#move-title").textContent = button.textContent;
    dialog.querySelector("#move-says").textContent = document.querySelector(`#says-${to}`).textContent;
    // What is not asked must not keep the form from closing.
    part.hidden = share.disabled = to !== "canary";
    dialog.returnValue = "";
    dialog.showModal();
  });
}

dialog.addEventListener("close", () => {
  if (dialog.returnValue !== "move") return;
  trying(async () => {
    if (to === "back") await call("POST", "/models/rollback", { version });
    else {
      const canary = to === "canary" ? { share: share.valueAsNumber / 100 } : {};
      await call("POST", `/models/${version}/stage`, { stage: to, ...canary });
    }
    location.reload();
  });
});
