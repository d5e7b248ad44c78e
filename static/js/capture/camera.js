// The phone's camera: its picture in a <video>, a photo of it, and its torch. It knows nothing of shots.

const WANTED = { facingMode: { ideal: "environment" }, width: { ideal: 2560 }, height: { ideal: 1920 } };
const JPEG_QUALITY = 0.92;
const WHY = { NotAllowedError: "denied", SecurityError: "denied", NotReadableError: "busy", AbortError: "busy" };

/** All pixels of a picture, upright. */
export function drawn(picture, width, height) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  canvas.getContext("2d", { willReadFrequently: true }).drawImage(picture, 0, 0, width, height);
  return canvas;
}

export class Camera extends EventTarget {
  state = "closed"; // or "live", "denied", "busy", "none"
  torch = false; // whether it is lit
  #video;
  #track = null;

  constructor(video) {
    super();
    this.#video = video;
    document.addEventListener("visibilitychange", () => {
      // Phones take the camera away from a page that is not seen.
      if (document.visibilityState === "visible" && this.state === "live" && this.#track?.readyState === "ended") this.open();
    });
  }

  async open() {
    this.#track?.stop();
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: WANTED, audio: false });
      this.#track = stream.getVideoTracks()[0];
      this.#track.addEventListener("ended", () => document.visibilityState === "visible" && this.#become("busy"));
      this.#video.srcObject = stream;
      await this.#video.play();
      this.torch = false;
      this.#become("live");
    } catch (error) {
      // Without HTTPS there are no mediaDevices at all.
      this.#become(WHY[error?.name] ?? "none");
    }
  }

  close() {
    this.#track?.stop();
    this.#track = null;
    this.#video.srcObject = null;
    this.#become("closed");
  }

  get hasTorch() {
    return this.state === "live" && Boolean(this.#track?.getCapabilities?.().torch);
  }

  async light(on) {
    try {
      await this.#track.applyConstraints({ advanced: [{ torch: on }] });
      this.torch = on;
    } catch {
      this.torch = false;
    }
    this.dispatchEvent(new Event("change"));
  }

  /** -> { canvas, file }: the picture as it is now, and as a JPEG. */
  async take() {
    const { videoWidth, videoHeight } = this.#video;
    const canvas = drawn(this.#video, videoWidth, videoHeight);
    const file = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY));
    return { canvas, file };
  }

  #become(state) {
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}
