// Review's two panes: a row opens on the right while the list stays where it is; the address says which.

import { Gone, pageAt, swap, unsent } from "./pages.js";

const list = () => document.getElementById("list");
let asked = 0;

/** Opens a row's page on the right. Of several asked for quickly, the last one shows. */
export async function open(address, { push = true } = {}) {
  const reading = document.getElementById("reading");
  if (unsent(reading) && !confirm("Leave what you have typed?")) return;
  const mine = ++asked;
  try {
    const page = await pageAt(address);
    if (mine !== asked) return;
    if (push) history.pushState(null, "", address);
    place(page);
  } catch (error) {
    if (mine === asked) location.href = error instanceof Gone ? location.href : address;
  }
}

function place(page) {
  document.title = page.title;
  document.getElementById("main").className = page.getElementById("main").className;
  document.getElementById("toast")?.remove();
  swap(page.getElementById("reading")).scrollTop = 0;
  mark(new URL(location.href).searchParams.get("on"));
}

/** The chosen row, and no other. */
export function mark(on) {
  for (const row of list().querySelectorAll("a.row")) {
    if (row.id === `row-${on}`) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
  list().querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
}

if (list()) {
  list().addEventListener("click", (event) => {
    const row = event.target.closest("a.row");
    if (!row || event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    mark(row.id.slice("row-".length));
    open(row.href);
  });
  addEventListener("popstate", () => open(location.href, { push: false }));
  const kept = `scroll of ${location.pathname}`;
  addEventListener("pagehide", () => sessionStorage.setItem(kept, list().scrollTop));
  list().scrollTop = Number(sessionStorage.getItem(kept) ?? 0);
  mark(new URL(location.href).searchParams.get("on"));
}
