// A camera that shows a cartoon instead of a person; ACT is what it does (pictures.py).
const { turn = 0, nod = 0, shut = 0, smile = 0, open = 0 } = ACT;
const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
const c = canvas.getContext("2d");
const shape = (colour, draw) => { c.fillStyle = colour; c.beginPath(); draw(); c.fill(); };
const line = (width, draw) => {
  Object.assign(c, { lineWidth: width, lineCap: "round", strokeStyle: "#3b2a20" });
  c.beginPath();
  draw();
  c.stroke();
};
function draw() {
  c.fillStyle = "#dbe5ec"; c.fillRect(0, 0, 640, 480);
  const x = 320 + 10 * turn, dx = 38 * turn, dy = 34 * nod;
  shape("#5f7f9b", () => c.ellipse(320, 500, 190, 130, 0, 0, 7));
  shape("#d9b48f", () => c.rect(285, 320, 70, 90));
  shape("#4a3528", () => c.ellipse(x - dx / 5, 218 - Math.min(0, dy) / 3, 104, 128, 0, 0, 7));
  shape("#ecccaa", () => c.ellipse(x, 240 + dy / 6, 92, 120, 0, 0, 7));
  c.save();
  c.beginPath();
  c.ellipse(x, 240 + dy / 6, 93, 121, 0, 0, 7);
  c.clip();
  shape("#4a3528", () => c.rect(0, 0, 640, 166 + dy));
  c.restore();
  for (const side of [-1, 1]) {
    const at = x + dx + side * 36 * (1 - 0.12 * Math.abs(turn)), eye = 218 + dy;
    line(5, () => { c.moveTo(at - 16, eye - 24); c.quadraticCurveTo(at, eye - 31, at + 16, eye - 24); });
    if (shut) line(5, () => { c.moveTo(at - 16, eye); c.quadraticCurveTo(at, eye + 9, at + 16, eye); });
    else {
      shape("#fff", () => c.ellipse(at, eye, 16, 10, 0, 0, 7));
      shape("#3b2a20", () => c.ellipse(at + 4 * turn, eye + 3 * nod, 7, 7, 0, 0, 7));
    }
  }
  const nose = x + dx * 1.25;
  line(5, () => {
    c.moveTo(nose, 232 + dy);
    c.lineTo(nose + 9 * (turn || 1), 264 + dy);
    c.lineTo(nose - 5 * (turn || 1), 267 + dy);
  });
  const mouth = x + dx, low = 300 + dy * 0.9;
  if (open) shape("#7c2f2f", () => c.ellipse(mouth, low + 6, 24, 28, 0, 0, 7));
  else {
    const half = 26 + 16 * smile, corner = low - 8 * smile;
    line(6, () => { c.moveTo(mouth - half, corner); c.quadraticCurveTo(mouth, low + 4 + 30 * smile, mouth + half, corner); });
  }
}
draw();
setInterval(draw, 30);
const stream = canvas.captureStream(30);
navigator.mediaDevices.getUserMedia = async () => stream;
