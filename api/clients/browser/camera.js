/** The camera: opening it, choosing one, and taking JPEG pictures. */

import { LivenessError } from "./errors.js";

/** Longer side of the pictures in pixels; larger ones only take longer to send. */
export const LONGEST = 640;
const QUALITY = 0.85;
/** Milliseconds to wait for a new picture. A camera in the dark gives as few as five a second. */
const NEXT_PICTURE = 400;

/** Codes of our errors by the name of the browser's error. */
const CODES = {
  NotAllowedError: "camera_denied",
  SecurityError: "camera_denied",
  NotFoundError: "camera_missing",
  OverconstrainedError: "camera_missing",
  NotReadableError: "camera_busy",
  AbortError: "camera_busy",
};

/**
 * Open the camera with this id, or else the one that faces the person. Throws LivenessError.
 * @param {{deviceId?: string | null}} [options]
 * @returns {Promise<MediaStream>}
 */
export async function openCamera({ deviceId = null } = {}) {
  if (!globalThis.isSecureContext) {
    throw new LivenessError("insecure_context", "Serve the page over HTTPS: browsers give no camera to others.");
  }
  if (!navigator.mediaDevices?.getUserMedia) throw new LivenessError("unsupported", "No getUserMedia here.");
  const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "user" };
  const video = { ...which, width: { ideal: 1280 }, height: { ideal: 960 }, frameRate: { ideal: 30 } };
  try {
    return await navigator.mediaDevices.getUserMedia({ video, audio: false });
  } catch (error) {
    // The chosen camera is gone: open any other.
    if (deviceId && error.name === "OverconstrainedError") return openCamera();
    throw new LivenessError(CODES[error.name] ?? "camera_busy", error.message, { cause: error });
  }
}

/** The cameras; the browser tells their names once the person has allowed one. */
export async function listCameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return devices
    .filter((device) => device.kind === "videoinput" && device.deviceId)
    .map((device, index) => ({ id: device.deviceId, label: device.label || `${index + 1}` }));
}

/** Close a camera. */
export function closeCamera(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** Labels of cameras that are programs; the service knows some of them by their hashes, too. */
const VIRTUAL = /\b(obs|manycam|xsplit|splitcam|youcam|snap camera|avatarify|v4l2loopback|virtual|dummy video)\b/i;
/** Pictures that one report tells of at most. */
const TOLD = 60;

/** Notes what the platform says of the camera behind a playing video, for the service to check that it is plausible. */
export class Witness {
  #video;
  #track;
  #label = "";
  #captures = [];
  #latest = 0;
  #stopped = false;

  constructor(video, track) {
    this.#video = video;
    this.#track = track ?? null;
    const label = new TextEncoder().encode((this.#track?.label ?? "").trim().toLowerCase());
    // Only the label's hash leaves the browser.
    if (label.length) {
      globalThis.crypto?.subtle
        ?.digest("SHA-256", label)
        .then((hash) => {
          this.#label = [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
        })
        .catch(() => {});
    }
    this.#watch();
  }

  /** What there is to say since the last report, as JSON. */
  report() {
    const { width, height, frameRate } = this.#track?.getSettings?.() ?? {};
    const most = this.#track?.getCapabilities?.() ?? {};
    const limit = (range) => (Number.isFinite(range?.max) ? { max: range.max } : undefined);
    const captures = this.#captures;
    this.#captures = [];
    return JSON.stringify({
      label: this.#label,
      virtual: VIRTUAL.test(this.#track?.label ?? ""),
      settings: { width, height, frameRate },
      capabilities: { width: limit(most.width), height: limit(most.height), frameRate: limit(most.frameRate) },
      captures,
    });
  }

  stop() {
    this.#stopped = true;
  }

  #watch() {
    this.#video.requestVideoFrameCallback?.((now, { captureTime, presentationTime, presentedFrames }) => {
      if (this.#stopped) return;
      const at = captureTime ?? presentationTime ?? now;
      // A picture that is shown again is no new one.
      if (at > this.#latest) this.#captures.push([at, presentedFrames]);
      this.#latest = Math.max(this.#latest, at);
      if (this.#captures.length > TOLD) this.#captures.shift();
      this.#watch();
    });
  }
}

/** Takes pictures from a playing video: not mirrored, and each picture only once. */
export class Shutter {
  #video;
  #canvas = document.createElement("canvas");
  #context = this.#canvas.getContext("2d", { alpha: false });
  #taken = -1;

  constructor(video) {
    this.#video = video;
  }

  /** Take the next picture, a JPEG blob; null if there is no new one within NEXT_PICTURE. */
  async take() {
    await this.#fresh();
    const { videoWidth: width, videoHeight: height } = this.#video;
    if (!width || !height || this.#video.currentTime === this.#taken) return null;
    this.#taken = this.#video.currentTime;
    const factor = Math.min(1, LONGEST / Math.max(width, height));
    this.#canvas.width = Math.round(width * factor);
    this.#canvas.height = Math.round(height * factor);
    this.#context.drawImage(this.#video, 0, 0, this.#canvas.width, this.#canvas.height);
    return new Promise((resolve) => this.#canvas.toBlob(resolve, "image/jpeg", QUALITY));
  }

  /** Wait for a new picture: the same one twice tells the service nothing, and looks like a recording. */
  async #fresh() {
    const until = performance.now() + NEXT_PICTURE;
    while (this.#video.currentTime === this.#taken && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
