// Photographs are made small before they are sent: what a camera makes is ten times what anybody looks at, and the line is slow.
const EDGE = 1600;
const QUALITY = 0.8;

async function smaller(file) {
  if (!file.type.startsWith("image/")) return file;
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, EDGE / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const small = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
    return small && small.size < file.size ? new File([small], "photo.jpg", { type: "image/jpeg" }) : file;
  } catch {
    return file; // Nothing that this browser can read: the server says what is wrong with it.
  }
}

document.addEventListener("change", async (e) => {
  const input = e.target;
  if (!(input instanceof HTMLInputElement) || !input.matches("#desk [data-photo]")) return;
  const small = new DataTransfer();
  for (const file of input.files) small.items.add(await smaller(file));
  input.files = small.files;
});
