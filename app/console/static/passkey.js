// Has the browser make a passkey or sign with one, and sends the answer with the form.
const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (it) => it.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const known = (list) => (list ?? []).map((it) => ({ ...it, id: bytes(it.id) }));

async function make(options) {
  const user = { ...options.user, id: bytes(options.user.id) };
  const excludeCredentials = known(options.excludeCredentials);
  const challenge = bytes(options.challenge);
  const made = await navigator.credentials.create({
    publicKey: { ...options, user, challenge, excludeCredentials },
  });
  const { clientDataJSON, attestationObject } = made.response;
  return [made, { clientDataJSON: text(clientDataJSON), attestationObject: text(attestationObject) }];
}

async function sign(options) {
  const allowCredentials = known(options.allowCredentials);
  const challenge = bytes(options.challenge);
  const shown = await navigator.credentials.get({
    publicKey: { ...options, challenge, allowCredentials },
  });
  const { clientDataJSON, authenticatorData, signature } = shown.response;
  return [shown, {
    clientDataJSON: text(clientDataJSON),
    authenticatorData: text(authenticatorData),
    signature: text(signature),
  }];
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const failed = form.querySelector("[data-failed]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    failed.hidden = true;
    try {
      const options = JSON.parse(form.dataset.options);
      const [key, response] = await (form.dataset.passkey === "make" ? make : sign)(options);
      form.elements.answer.value = JSON.stringify({
        id: key.id, rawId: text(key.rawId), type: key.type, response,
      });
      form.submit();
    } catch {
      failed.hidden = false;
    }
  });
}
