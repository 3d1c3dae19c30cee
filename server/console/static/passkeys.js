// Passkeys at the desk: the browser is asked for one, and what it brings goes with the form. Without a script they stay hidden.

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
const named = (list = []) => list.map((one) => ({ ...one, id: bytes(one.id) }));

async function shown(asked) {
  const { id, rawId, type, response } = await navigator.credentials.get({
    publicKey: { ...asked, challenge: bytes(asked.challenge), allowCredentials: named(asked.allowCredentials) },
  });
  const { clientDataJSON, authenticatorData, signature, userHandle } = response;
  const said = { clientDataJSON: text(clientDataJSON), authenticatorData: text(authenticatorData), signature: text(signature) };
  return { id, rawId: text(rawId), type, clientExtensionResults: {}, response: userHandle ? { ...said, userHandle: text(userHandle) } : said };
}

async function made(asked) {
  const { id, rawId, type, response } = await navigator.credentials.create({
    publicKey: {
      ...asked,
      challenge: bytes(asked.challenge),
      user: { ...asked.user, id: bytes(asked.user.id) },
      excludeCredentials: named(asked.excludeCredentials),
    },
  });
  const said = { clientDataJSON: text(response.clientDataJSON), attestationObject: text(response.attestationObject) };
  return { id, rawId: text(rawId), type, clientExtensionResults: {}, response: said };
}

async function ask(path, says) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json", "X-Lanyard": "1" }, body: JSON.stringify(says) });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.refusal === "wrong_pair" ? "That is not your password." : said.words);
  return said;
}

const ways = {
  async "sign-in"(form) {
    const { ticket, publicKey } = await ask("/api/passkeys/sign-in", {});
    form.elements.ticket.value = ticket;
    await ways.show(form, publicKey);
  },
  async show(form, asked = JSON.parse(form.dataset.asks)) {
    form.elements.passkey.value = JSON.stringify(await shown(asked));
    form.submit();
  },
  async new(form) {
    const { ticket, publicKey } = await ask("/api/passkeys/new", { password: form.elements.password.value });
    const passkey = await made(publicKey);
    await ask("/api/passkeys", { ticket, name: form.elements.name.value, passkey });
    location.assign("/console/own?done=saved");
  },
};

function told(form, error) {
  const note = document.querySelector("#not-added, #not-shown");
  const isTheirs = error instanceof DOMException; // they said no, or the device did
  note.lastElementChild.textContent = isTheirs ? (error.name === "InvalidStateError" ? "This device has one of your passkeys already." : "No passkey was shown.") : error.message;
  note.hidden = false;
}

for (const form of "credentials" in navigator ? document.querySelectorAll("form[data-passkey]") : []) {
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    await ways[form.dataset.passkey](form).catch((error) => told(form, error));
    button.disabled = false;
  });
}
