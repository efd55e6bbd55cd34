// Passkeys: a form with data-passkey asks the browser for one before it is sent. What to ask comes with the form, or from
// the address that it names. Without WebAuthn the form says so, and whatever else is on the page can still be used.

const toBytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const able = () => window.isSecureContext && typeof window.PublicKeyCredential === "function";

async function optionsOf(form) {
  if (form.dataset.passkeyOptions) return JSON.parse(form.dataset.passkeyOptions);
  const answer = await fetch(form.dataset.passkeyAsk, {
    method: "POST",
    headers: { Accept: "application/json", "X-CSRFToken": form.elements.csrf_token.value },
  });
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.title);
  return content;
}

const withIds = (list) => (list || []).map((one) => ({ ...one, id: toBytes(one.id) }));

async function made(options) {
  const credential = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: toBytes(options.challenge),
      user: { ...options.user, id: toBytes(options.user.id) },
      excludeCredentials: withIds(options.excludeCredentials),
    },
  });
  const response = credential.response;
  return written(credential, {
    clientDataJSON: toText(response.clientDataJSON),
    attestationObject: toText(response.attestationObject),
    transports: response.getTransports ? response.getTransports() : [],
  });
}

async function used(options) {
  const credential = await navigator.credentials.get({
    publicKey: { ...options, challenge: toBytes(options.challenge), allowCredentials: withIds(options.allowCredentials) },
  });
  const response = credential.response;
  return written(credential, {
    clientDataJSON: toText(response.clientDataJSON),
    authenticatorData: toText(response.authenticatorData),
    signature: toText(response.signature),
    userHandle: response.userHandle ? toText(response.userHandle) : null,
  });
}

const written = (credential, response) =>
  JSON.stringify({ id: credential.id, rawId: toText(credential.rawId), type: credential.type, response });

function say(form, sentence) {
  const place = form.querySelector("[data-passkey-says]");
  place.querySelector("p").textContent = sentence;
  place.hidden = !sentence;
}

async function ask(form) {
  const button = form.querySelector("[data-passkey-button]");
  say(form, "");
  button.disabled = true;
  try {
    const options = await optionsOf(form);
    form.elements.credential.value = await (form.dataset.passkey === "create" ? made(options) : used(options));
    form.submit();
  } catch (error) {
    // The browser tells "cancelled", "timed out" and "no passkey here" apart for nobody, so that no page can ask around.
    const known = { InvalidStateError: form.dataset.passkeyKnown, NotAllowedError: form.dataset.passkeyCancelled };
    say(form, error instanceof DOMException ? known[error.name] || form.dataset.passkeyFailed : error.message);
    button.disabled = false;
    button.focus();
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("[data-passkey-button]");
  const missing = form.querySelector("[data-passkey-missing]");
  if (able()) {
    button.disabled = button.hidden = false;
    missing.hidden = true;
    form.addEventListener("submit", (event) => {
      // Another button of the same form, such as "Reject", sends it as it is.
      if (event.submitter && !event.submitter.hasAttribute("data-passkey-button")) return;
      event.preventDefault();
      ask(form);
    });
  } else {
    missing.hidden = false;
  }
}
