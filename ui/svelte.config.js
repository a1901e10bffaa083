import { vitePreprocess } from "@sveltejs/vite-plugin-svelte";

export default {
    preprocess: vitePreprocess(),
    compilerOptions: {
        // Nodes are made one by one, never parsed from text: nothing needs innerHTML, so the
        // policy of HTTP 3.5 can forbid it altogether.
        fragments: "tree",
        runes: true,
    },
};
