/** Everything but the element itself, which `element.js` defines when it is imported. */

export { listCameras, openCamera } from "./camera.js";
export { LivenessCheck } from "./check.js";
export { LivenessError } from "./errors.js";
export { Service } from "./service.js";
