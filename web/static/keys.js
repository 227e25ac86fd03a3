// Single keys that do something, unless somebody types, a dialog is open, or they are switched off (WCAG 2.1.4).
const SWITCH = "docvigil-keys";

export const on = () => localStorage.getItem(SWITCH) !== "off";
export const turn = (wanted) => localStorage.setItem(SWITCH, wanted ? "on" : "off");

const typing = (target) =>
  target instanceof Element && target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select");

/** Calls `actions[key]` when that key is pressed; small letters, shifted or not. Ends with the signal. */
export function listen(actions, signal) {
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
      // A dialog that was just closed keeps the focus until the page is drawn again; keys pressed meanwhile count.
      if (typing(event.target) || document.querySelector("dialog[open]")) return;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      if (!(key in actions) || (!on() && key !== "?")) return;
      event.preventDefault();
      actions[key]();
    },
    { signal },
  );
}
