// Documents in one's hands stay there while the page is open.
import { call } from "./api.js";

/** Renews the claim on a document until the signal ends; calls `lost` with a sentence once it is somebody else's. */
export function keep(id, seconds, lost, signal) {
  const renew = async () => {
    if (signal.aborted) return;
    try {
      await call("PUT", `/documents/${id}/claim`);
    } catch (problem) {
      // Without a connection nobody knows; the next turn tells.
      if (signal.aborted || problem.status === 0 || problem.status >= 500 || problem.status === 429) return;
      lost(problem.message);
    }
  };
  const timer = setInterval(renew, Math.max(1, seconds / 3) * 1000);
  signal.addEventListener("abort", () => clearInterval(timer));
  // A computer that slept has missed its turns.
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && renew(), { signal });
}

export const take = (id, over) => call("POST", `/documents/${id}/claim`, { take_over: over });
export const putBack = (id) => call("DELETE", `/documents/${id}/claim`);
