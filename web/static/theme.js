// Before anything is drawn: the appearance that was chosen, else that of the system.
const chosen = localStorage.getItem("docvigil-theme");
if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
