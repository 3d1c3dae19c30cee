// The keyboard: j and k move, and a button may name a key of its own with data-key.

import { mark, open } from "./panes.js";

const SETTLED_AFTER = 140; // ms on one row before it opens: running past a record is no reading of it
let opening = null;

addEventListener("keydown", (event) => {
  if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const act = acts[event.key] ?? (/^[1-9]$/.test(event.key) ? () => answer(Number(event.key)) : () => press(event.key));
  if (act(event.target) !== false) event.preventDefault();
});

const acts = {
  j: () => move(1),
  k: () => move(-1),
  Enter: (target) => (target.closest("button, a:not([aria-current]), summary") ? false : press("enter")),
  "/": () => document.getElementById("find").focus(),
  "?": () => document.getElementById("keys").showModal(),
};

const isTyping = (target) => target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") !== null;

function press(key) {
  const button = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!button) return false;
  button.click();
}

/** To the next row, or the one before. In Review it opens by itself once one stays on it. */
function move(by) {
  const rows = [...document.querySelectorAll("[data-list] a.row, [data-list] a.row-link, ol[data-list] b > a")];
  if (rows.length === 0) return false;
  const at = rows.findIndex((row) => row === document.activeElement || row.hasAttribute("aria-current"));
  const row = rows[at === -1 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1)];
  row.focus();
  if (!row.closest("#list")) return;
  mark(row.id.slice("row-".length));
  clearTimeout(opening);
  opening = setTimeout(() => open(row.href), SETTLED_AFTER);
}

/** Goes to an answer of the first dispute; Enter then decides. Nothing is decided by one key. */
function answer(number) {
  const button = document.querySelectorAll(".dispute .side .button")[number - 1];
  if (!button) return false;
  button.focus();
}
