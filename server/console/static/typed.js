// What was typed into a long form outlives a session that ran out or a school that was busy: it stays in this tab until the school
// has it, and comes back when the same form is opened again. Signing out forgets it.

const form = document.querySelector("form[data-keep]");
const name = `typed at ${location.pathname}`;

const changed = (box) =>
  box instanceof HTMLSelectElement
    ? ![...box.options].some((option) => option.selected && option.defaultSelected)
    : box.type === "checkbox" || box.type === "radio"
      ? box.checked !== box.defaultChecked
      : box.value !== box.defaultValue;

/** Only the boxes that were touched: what others wrote meanwhile in the rest is not written over. */
const touched = () => [...form.elements].filter((box) => box.name && box.type !== "hidden" && changed(box)).map((box) => [box.name, box.value, box.checked === true]);

function bringBack(kept) {
  for (const [called, value, checked] of kept) {
    for (const box of form.querySelectorAll(`[name="${CSS.escape(called)}"]`)) {
      if (box.type === "checkbox" || box.type === "radio") box.checked = box.value === value ? checked : box.checked;
      else box.value = value;
      box.closest("details")?.setAttribute("open", "");
    }
  }
  document.getElementById("back").hidden = false;
}

if (form) {
  const kept = sessionStorage.getItem(name);
  if (kept && !document.querySelector(".problems")) bringBack(JSON.parse(kept));
  form.addEventListener("input", () => sessionStorage.setItem(name, JSON.stringify(touched())));
} else if (new URL(location.href).searchParams.get("done")?.match(/^(wrote|begun)/)) {
  for (const key of Object.keys(sessionStorage)) if (key.startsWith("typed at ")) sessionStorage.removeItem(key);
}

document.addEventListener("submit", (event) => event.target.action.endsWith("/console/sign-out") && sessionStorage.clear());
