import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

const MANAGER = "http://127.0.0.1:8080";

export default defineConfig({
    plugins: [svelte()],
    build: {
        target: "es2022",
        assetsInlineLimit: 0, // the content security policy knows no data: addresses
        cssCodeSplit: false,
        modulePreload: { polyfill: false },
        reportCompressedSize: false,
    },
    server: {
        // `npm run dev` beside a manager on its usual port.
        // It takes changes from its own page only.
        proxy: { "/api": { target: MANAGER, changeOrigin: true, headers: { Origin: MANAGER } } },
    },
});
