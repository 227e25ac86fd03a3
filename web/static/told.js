// The line of a page that says what came of what was asked.
const told = document.querySelector("#told");

/** Says it; an empty message hides the line. */
export function tell(message) {
  told.textContent = message;
  told.hidden = !message;
}

/** Does what `act` does, and says what goes wrong. */
export async function trying(act) {
  tell("");
  try {
    await act();
  } catch (problem) {
    tell(problem.message);
    told.scrollIntoView({ block: "nearest" });
  }
}

/** A file as the API takes it. */
export function formOf(file) {
  const form = new FormData();
  form.append("file", file);
  return form;
}
