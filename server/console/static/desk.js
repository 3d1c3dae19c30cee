// What every page of the desk does with a script: none of it is needed to read or to write.

import "./keys.js";
import "./live.js";
import { dress, unsent } from "./pages.js";
import "./passkeys.js";
import "./typed.js";

dress(document);
document.querySelector("[data-first]")?.focus();

const does = {
  print: () => print(),
  keys: () => document.getElementById("keys").showModal(),
  close: (button) => button.closest(".toast, dialog").remove(),
  shut: (button) => button.closest("dialog").close(),
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-does]");
  if (button) does[button.dataset.does](button);
  for (const menu of document.querySelectorAll("details.me[open]")) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("input", (event) => event.target.form && dress(event.target.form));

// Filters answer as they are chosen, and keep empty ones out of the address.
document.addEventListener("change", (event) => event.target.form?.matches("[data-at-once]") && event.target.form.requestSubmit());
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-once][data-sent]")) return event.preventDefault(); // what it answers is shown this once
  if (event.target.method === "get") for (const box of event.target.elements) box.disabled ||= box.name !== "" && box.value === "";
  event.target.dataset.sent = "yes";
});

// What was typed is not lost by a stray click.
addEventListener("beforeunload", (event) => {
  for (const form of document.querySelectorAll("form[data-keep]:not([data-sent])")) if (unsent(form)) event.preventDefault();
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form")) {
    delete form.dataset.sent;
    if (form.method === "get") for (const box of form.elements) box.disabled = false;
  }
});

// On paper the history is whole.
addEventListener("beforeprint", () => {
  for (const closed of document.querySelectorAll(".steps details")) closed.open = true;
});
