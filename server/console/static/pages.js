// Other pages of the desk, fetched whole and put in place piece by piece. The browser's own parser makes the document
// (an XMLHttpRequest's), so no string ever becomes HTML in our hands and the page needs no Trusted Types policy.

export class Gone extends Error {}

/** The page at an address, as a document. `live`: drawn again by itself, so it counts as no new reading. */
export function pageAt(address, { live = false } = {}) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("GET", address);
    request.responseType = "document";
    if (live) request.setRequestHeader("X-Lanyard-Live", "1");
    request.onload = () => {
      const page = request.response;
      if (page === null || page.getElementById("main") === null) return failed(new Error("not a page of ours"));
      if (new URL(request.responseURL).pathname === "/console/sign-in") return failed(new Gone());
      done(page);
    };
    request.onerror = () => failed(new Error("the school cannot be reached"));
    request.send();
  });
}

/** Puts a fresh piece in the place of the one with the same id. Answers the piece that stands there now. */
export function swap(fresh) {
  const piece = document.adoptNode(fresh);
  document.getElementById(piece.id).replaceWith(piece);
  dress(piece);
  return piece;
}

/** What only works with a script comes out of hiding; what it makes needless goes into it. */
export function dress(piece) {
  for (const button of piece.querySelectorAll("[data-does]")) button.hidden = false;
  for (const button of piece.querySelectorAll("[data-without-script]")) button.hidden = true;
  for (const button of piece.querySelectorAll("[data-when-changed]")) button.hidden = !unsent(button.form);
}

/** Something typed or chosen, and not sent yet. */
export const unsent = (piece) =>
  [...piece.querySelectorAll("input, textarea, select")].some((box) =>
    box instanceof HTMLSelectElement
      ? [...box.options].some((option) => option.selected !== option.defaultSelected) && [...box.options].some((option) => option.defaultSelected)
      : box.type === "checkbox" || box.type === "radio"
        ? box.checked !== box.defaultChecked
        : box.type !== "hidden" && box.type !== "search" && box.value !== box.defaultValue,
  );
