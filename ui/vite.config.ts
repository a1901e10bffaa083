import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

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
        proxy: { "/api": "http://127.0.0.1:8080" },
    },
});
