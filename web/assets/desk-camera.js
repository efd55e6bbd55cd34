// Barcodes and QR codes from the camera, in the page: the reader is a WebAssembly file of our own server.
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";

const FORMATS = ["QRCode", "Code128", "Code39", "EAN13", "EAN8", "ITF", "DataMatrix"];
const PAUSE = 120; // milliseconds between two looks

/** Looks through the camera until a code is seen, gives it once, and closes. What comes back stops it. */
window.deskCamera = async (video, reader, found) => {
  const prepared = prepareZXingModule({ overrides: { locateFile: () => reader }, fireImmediately: true });
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: false,
    video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } },
  });
  let open = true;
  const stop = () => {
    open = false;
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  try {
    await prepared;
    video.srcObject = stream;
    await video.play();
  } catch (error) {
    stop();
    throw error;
  }
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const look = async () => {
    if (!open || !video.isConnected) return stop();
    if (video.videoWidth) {
      canvas.width = video.videoWidth;
      canvas.height = video.videoHeight;
      pen.drawImage(video, 0, 0);
      const seen = await readBarcodes(pen.getImageData(0, 0, canvas.width, canvas.height), {
        formats: FORMATS,
        tryHarder: true,
        maxNumberOfSymbols: 1,
      });
      if (open && seen.length && seen[0].isValid) {
        stop();
        return found(seen[0].text);
      }
    }
    setTimeout(look, PAUSE);
  };
  look();
  return stop;
};
