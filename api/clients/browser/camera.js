/** The camera: asked for, chosen, and its pictures taken as JPEG. */

import { LivenessError } from "./errors.js";

/** The longer side of what is sent, in pixels. More only costs time on its way. */
export const LONGEST = 640;
const QUALITY = 0.85;
/** Milliseconds that a new picture is waited for. A camera in the dark gives as few as five a second. */
const NEXT_PICTURE = 400;

const CODES = {
  NotAllowedError: "camera_denied",
  SecurityError: "camera_denied",
  NotFoundError: "camera_missing",
  OverconstrainedError: "camera_missing",
  NotReadableError: "camera_busy",
  AbortError: "camera_busy",
};

/**
 * Ask for a camera: the one with this id, else the one that faces the person.
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
    // The camera that was chosen is gone: any other will do.
    if (deviceId && error.name === "OverconstrainedError") return openCamera();
    throw new LivenessError(CODES[error.name] ?? "camera_busy", error.message, { cause: error });
  }
}

/** The cameras there are; their names are known once one of them was allowed. */
export async function listCameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return devices
    .filter((device) => device.kind === "videoinput" && device.deviceId)
    .map((device, index) => ({ id: device.deviceId, label: device.label || `${index + 1}` }));
}

/** Let go of a camera. */
export function closeCamera(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** Takes pictures of a playing video: as the camera gives them, unmirrored, each only once. */
export class Shutter {
  #video;
  #canvas = document.createElement("canvas");
  #context = this.#canvas.getContext("2d", { alpha: false });
  #taken = -1;

  constructor(video) {
    this.#video = video;
  }

  /** The next picture, a JPEG; null where there is none just now. */
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

  /** The same picture twice would tell the service nothing, and look like a recording. */
  async #fresh() {
    const until = performance.now() + NEXT_PICTURE;
    while (this.#video.currentTime === this.#taken && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
