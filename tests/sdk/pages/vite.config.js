import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [vue()],
  esbuild: { jsx: "automatic", jsxDev: false },
  define: { "process.env.NODE_ENV": '"development"' }, // React mounts twice
  build: { minify: false, rollupOptions: { input: ["vue.html", "react.html"] } },
});
