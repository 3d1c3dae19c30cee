// The page keeps itself up to date while somebody looks at it: the pieces marked data-live are drawn again in place, and nothing
// that is being read, chosen or typed moves. A record that changed while it is open says so and waits to be asked.

import { Gone, dress, pageAt, swap, unsent } from "./pages.js";

const AT_LEAST_BETWEEN = 1500; // ms
const POLL_EVERY = 60_000; // ms, where there is no stream

let stream = null;
let due = null;
let last = Date.now();

function listen() {
  if (document.hidden || stream) return;
  stream = new EventSource("/api/live");
  stream.addEventListener("moved", soon);
}

function rest() {
  stream?.close();
  stream = null;
}

function soon() {
  due ??= setTimeout(refresh, Math.max(0, last + AT_LEAST_BETWEEN - Date.now()));
}

async function refresh() {
  due = null;
  last = Date.now();
  if (document.hidden) return;
  const address = location.href;
  try {
    const page = await pageAt(address, { live: true });
    if (address === location.href) draw(page);
  } catch (error) {
    if (error instanceof Gone) rest();
  }
}

export function draw(page) {
  for (const piece of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(piece.id);
    if (fresh && !busy(piece)) inPlace(piece, fresh);
  }
  const open = document.querySelector("#reading[data-seq]");
  const now = page.querySelector("#reading[data-seq]");
  if (open && now && open.dataset.seq !== now.dataset.seq) document.getElementById("moved").hidden = false;
}

/** Somebody is selecting, choosing or typing in it: it waits for the next time. */
function busy(piece) {
  const selection = getSelection();
  return unsent(piece) || piece.querySelector("details.change[open]") || (selection && !selection.isCollapsed && selection.containsNode(piece, true));
}

function inPlace(piece, fresh) {
  dress(fresh);
  dress(piece);
  keepOpen(piece, fresh);
  if (piece.isEqualNode(document.importNode(fresh, true))) return;
  const scroller = scrollerOf(piece);
  const focused = piece.contains(document.activeElement) ? document.activeElement.id : "";
  const anchor = seen(piece, scroller);
  const placed = swap(fresh);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  const again = anchor && document.getElementById(anchor.id);
  if (again) scroller.scrollTop += again.getBoundingClientRect().top - anchor.top;
  say(placed);
}

/** What somebody has unfolded to read stays so. */
function keepOpen(piece, fresh) {
  for (const one of piece.querySelectorAll("[id] > details[open]")) fresh.querySelector(`[id="${one.parentNode.id}"] > details`)?.setAttribute("open", "");
}

function scrollerOf(piece) {
  const list = piece.closest("#list");
  return list && list.scrollHeight > list.clientHeight ? list : document.scrollingElement;
}

/** The row at the top of what can be seen: it stays at its height, whatever comes in above it. */
function seen(piece, scroller) {
  if (scroller.scrollTop === 0) return null;
  const top = Math.max(0, scroller.getBoundingClientRect().top);
  const row = [...piece.querySelectorAll("[id]")].find((one) => one.getBoundingClientRect().bottom > top);
  return row ? { id: row.id, top: row.getBoundingClientRect().top } : null;
}

function say(piece) {
  const bands = [...piece.querySelectorAll(".band")].map((band) => band.textContent.trim().replace(/\s+/g, " "));
  if (bands.length) document.getElementById("said").textContent = bands.join(". ");
}

// The answer to a form has no address of its own to be drawn again from.
if (!("posted" in document.body.dataset) && document.querySelector("[data-live], #reading[data-seq]")) {
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : listen()));
  addEventListener("pagehide", rest);
  addEventListener("pageshow", listen);
  const goesByTheClock = document.querySelector("[data-live=clock]"); // something on it is due, whatever moves
  setInterval(() => (goesByTheClock || stream?.readyState !== EventSource.OPEN) && !document.hidden && soon(), POLL_EVERY);
  listen();
}
