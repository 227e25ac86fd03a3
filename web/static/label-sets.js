// Sets of documents to label: made, filled with files, given labels from a file.
import { call } from "./api.js";
import { formOf, tell, trying } from "./told.js";

const words = document.querySelector("#words").dataset;

document.querySelector("#new")?.addEventListener("submit", (event) => {
  event.preventDefault();
  trying(async () => {
    const body = Object.fromEntries([...new FormData(event.target)].map(([name, value]) => [name, value || null]));
    await call("POST", "/labels/sets", { ...body, count: Number(body.count ?? 0) });
    location.reload();
  });
});

for (const input of document.querySelectorAll("[data-documents]")) {
  input.addEventListener("change", () =>
    trying(async () => {
      let done = 0;
      for (const file of input.files) {
        await call("POST", `/labels/sets/${input.dataset.documents}/documents`, formOf(file));
        tell(`${words.uploaded} ${(done += 1)}`);
      }
      input.value = "";
    }),
  );
}

for (const input of document.querySelectorAll("[data-labels]")) {
  input.addEventListener("change", () =>
    trying(async () => {
      const { value } = await call("POST", `/labels/sets/${input.dataset.labels}/import`, formOf(input.files[0]));
      input.value = "";
      tell(`${words.labelled} ${value.labelled}; ${words.unknown} ${value.unknown}`);
    }),
  );
}
