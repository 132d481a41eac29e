/** The camera: opening it, choosing one, and taking JPEG pictures. */

import { LivenessError } from "./errors.js";

/** Longer side of the pictures in pixels; larger ones only take longer to send. */
export const LONGEST = 640;
const QUALITY = 0.85;
/** Milliseconds that one call waits for a new picture. A camera in the dark gives as few as five a second. */
const NEXT_PICTURE = 400;
/** Milliseconds between two looks for a new picture, and between two looks at the pixels of one. */
const LOOK_EVERY = 10;
const COMPARE_EVERY = 30;
/** Milliseconds without a call of requestVideoFrameCallback after which the video's own time is looked at: browsers do not
 * call for a video that is not shown. */
const SILENT_AFTER = 500;
/** Milliseconds from picture to picture beyond which the service cannot follow a face. */
const SLOW = 450;
/** Milliseconds for which a camera may be as slow, and the late pictures that it takes: a camera may stop for a moment. */
const SLOW_FOR = 4000;
const LATE = 3;
/** Milliseconds after which a picture that stays the same is sent again, and how often: the service must go on answering. */
const STANDS_AFTER = 2000;
const STANDING_EVERY = 250;
/** Milliseconds for which the picture may stay the same: after it had moved, and if it never has. */
const FROZEN_AFTER = 5000;
const NEVER_MOVED_AFTER = 10_000;
/** Milliseconds between two looks at the clock from which on slowness is measured anew. */
const PAUSED_AFTER = 1000;
/** Levels, 0 to 255, by which a colour may come back changed: JPEG, colour profiles, and the noise of privacy modes that
 * leave a picture what it is. */
const COLOUR_OFF = 40;

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
  refuseFalsePixels();
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

/** Throws LivenessError if the browser does not give a page the pixels that it has drawn, as some privacy modes do. */
function refuseFalsePixels() {
  const colours = [[230, 30, 30], [30, 200, 40], [40, 60, 220], [240, 220, 60], [20, 20, 20], [235, 235, 235]];
  const side = 16;
  const { context } = makeCanvas(side * colours.length, side);
  colours.forEach((colour, i) => {
    context.fillStyle = `rgb(${colour.join()})`;
    context.fillRect(i * side, 0, side, side);
  });
  const seen = pixels(context);
  const expected = seen.map((_, i) => colours[Math.floor((i / 4) % (side * colours.length) / side)][i % 4] ?? 255);
  refuseIfFar(seen, expected);
}

function makeCanvas(width = 1, height = 1) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  if (!context) throw withheld("no canvas");
  return { canvas, context };
}

function pixels(context) {
  try {
    return context.getImageData(0, 0, context.canvas.width, context.canvas.height).data;
  } catch (error) {
    throw withheld(String(error));
  }
}

function refuseIfFar(seen, expected) {
  const off = seen.reduce((sum, value, i) => sum + Math.abs(value - expected[i]), 0) / seen.length;
  if (!(off <= COLOUR_OFF)) throw withheld(`colours are off by ${off.toFixed()} levels`);
}

const withheld = (why) => new LivenessError("pixels_withheld", `This browser withholds pixels from the page: ${why}.`);

/** A canvas as a JPEG blob; null if the browser gives none. */
function encode(canvas) {
  if (canvas.toBlob) return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  const bytes = atob(canvas.toDataURL("image/jpeg", QUALITY).split(",")[1] ?? "");
  return bytes ? new Blob([Uint8Array.from(bytes, (byte) => byte.charCodeAt(0))], { type: "image/jpeg" }) : null;
}

/** Throws LivenessError if a blob does not show what its canvas does. */
async function refuseFalsePicture(blob, canvas) {
  if (!blob?.size) throw withheld("a canvas gives no picture");
  if (!globalThis.createImageBitmap) return;
  const small = (source) => {
    const { context } = makeCanvas(16, 12);
    context.imageSmoothingEnabled = false; // else noise would be averaged away
    context.drawImage(source, 0, 0, 16, 12);
    return pixels(context);
  };
  let picture;
  try {
    picture = await createImageBitmap(blob);
  } catch (error) {
    throw withheld(String(error));
  }
  refuseIfFar(small(picture), small(canvas));
  picture.close?.();
}

/** A number that two pictures share only if all their pixels are the same. */
function fingerprint(context) {
  const words = new Uint32Array(pixels(context).buffer);
  let print = 0x811c9dc5;
  for (let i = 0; i < words.length; i += 1) print = Math.imul(print ^ words[i], 0x01000193);
  return print;
}

/** Takes pictures from a playing video: not mirrored, and each picture only once. */
export class Shutter {
  #video;
  #canvas;
  #context;
  /** How often the browser has called for a new picture of the video, and when it did last. */
  #calls = 0;
  #calledAt = -SILENT_AFTER;
  /** The calls, and the video's own time, at the latest look. */
  #seen = [-1, -1];
  #print = null;
  #trusted = false;
  /** How many pictures have differed from the one before. */
  #moved = -1;
  #now = -Infinity;
  #comparedAt = 0;
  #newAt = 0;
  #sentAt = 0;
  /** When the camera was last fast enough, and the pictures that have come since. */
  #fastAt = 0;
  #late = 0;

  constructor(video) {
    this.#video = video;
    const { canvas, context } = makeCanvas();
    this.#canvas = canvas;
    this.#context = context;
    this.#listen();
  }

  /**
   * Take the next picture, a JPEG blob; null if there is no new one within NEXT_PICTURE. Throws LivenessError when the camera
   * has stood still or been too slow for too long, or the browser withholds its pixels.
   */
  async take() {
    const asked = this.#tick();
    for (let now = asked; now < asked + NEXT_PICTURE; now = this.#tick()) {
      if (this.#mayBeNew(now) && this.#look(now, asked)) return this.#encoded();
      if (this.#stands > STANDS_AFTER && now - this.#sentAt >= STANDING_EVERY && this.#print !== null) {
        this.#refuseFrozen();
        this.#sentAt = now;
        return this.#encoded();
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    }
    this.#refuseFrozen();
    return null;
  }

  /** The LivenessError that tells why the service cannot have seen enough; null if the camera is not to blame. */
  get fault() {
    if (this.#stands > STANDS_AFTER) return frozen();
    return this.#late >= LATE ? tooSlow() : null;
  }

  #listen() {
    this.#video.requestVideoFrameCallback?.(() => {
      this.#calls += 1;
      this.#calledAt = performance.now();
      this.#listen();
    });
  }

  /** Whether the video may show another picture than at the latest look. */
  #mayBeNew(now) {
    const { videoWidth, videoHeight, currentTime } = this.#video;
    if (!videoWidth || !videoHeight || now - this.#comparedAt < COMPARE_EVERY) return false;
    const [calls, time] = this.#seen;
    const isCalled = now - this.#calledAt < SILENT_AFTER;
    if (isCalled ? this.#calls === calls : currentTime === time) return false;
    this.#seen = [this.#calls, currentTime];
    this.#comparedAt = now;
    return true;
  }

  /** Draw the video; whether it is another picture than the one before: the same one twice tells the service nothing. */
  #look(now, asked) {
    const { videoWidth: width, videoHeight: height } = this.#video;
    const factor = Math.min(1, LONGEST / Math.max(width, height));
    this.#canvas.width = Math.round(width * factor);
    this.#canvas.height = Math.round(height * factor);
    this.#context.drawImage(this.#video, 0, 0, this.#canvas.width, this.#canvas.height);
    const print = fingerprint(this.#context);
    if (print === this.#print) return false;
    // A picture that was there when it was asked for has not been waited for, however long ago the last one was.
    const isFast = now - asked < COMPARE_EVERY || now - this.#newAt <= SLOW;
    if (isFast) this.#fastAt = now;
    this.#late = isFast ? 0 : this.#late + 1;
    if (this.#late >= LATE && now - this.#fastAt > SLOW_FOR) throw tooSlow();
    this.#print = print;
    this.#moved += 1;
    this.#newAt = this.#sentAt = now;
    return true;
  }

  async #encoded() {
    const blob = await encode(this.#canvas);
    if (!this.#trusted) await refuseFalsePicture(blob, this.#canvas);
    this.#trusted = true;
    return blob;
  }

  /** The time. After a pause, of the check or of the whole machine, nothing is known of the camera. */
  #tick() {
    const now = performance.now();
    if (now - this.#now > PAUSED_AFTER) {
      this.#newAt = this.#fastAt = now;
      this.#late = 0;
    }
    this.#now = now;
    return now;
  }

  /** Milliseconds for which the picture has been the same. */
  get #stands() {
    return this.#now - this.#newAt;
  }

  #refuseFrozen() {
    if (this.#stands > (this.#moved > 0 ? FROZEN_AFTER : NEVER_MOVED_AFTER)) throw frozen();
  }
}

const frozen = () => new LivenessError("camera_frozen", "The camera gives the same picture all the time.");
const tooSlow = () => new LivenessError("camera_slow", "The camera gives too few pictures a second.");
