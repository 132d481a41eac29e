import { defineConfig } from "vite";

// Your own server, which creates sessions: one of docs/recipes listens there.
const server = process.env.SERVER ?? "http://localhost:5000";

export default defineConfig({
  server: { proxy: { "/session": server } },
  build: { target: "es2022" },
});
