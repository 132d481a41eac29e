/** The library below the element; importing `element.js` defines the element. */

export { listCameras, openCamera } from "./camera.js";
export { LivenessCheck } from "./check.js";
export { LivenessError } from "./errors.js";
export { Service } from "./service.js";
