// The list: `n` takes the next document, and one box ticks all.
import { listen } from "./keys.js";

listen({ n: () => document.querySelector("#next")?.click() });
const all = document.querySelector("#all");
if (all) {
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const one of document.querySelectorAll("input[name=document]")) one.checked = all.checked;
  });
}
