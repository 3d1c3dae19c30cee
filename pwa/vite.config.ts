// Builds the app with hashed file names, and last of all the worker, which is told the name and the hash of every file
// that the app needs with no signal.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** A file the installed app keeps: its address and, as `integrity` wants it, its SHA-256. */
type Kept = { path: string; integrity: string };

const NEVER_KEPT = /(^|\/)(service-worker.*\.js|.*\.map|screenshots\/.*)$/;

function everyFile(): Kept[] {
  return readdirSync(here('dist'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(here('dist').length))
    .filter((path) => !NEVER_KEPT.test(path))
    .sort()
    .map((path) => ({ path: path === '/index.html' ? '/' : path, integrity: integrityOf(here(`dist${path}`)) }));
}

const integrityOf = (file: string) => `sha256-${createHash('sha256').update(readFileSync(file)).digest('base64')}`;

/** The worker's name for one build: any changed file is another build. */
const buildOf = (files: Kept[]) => createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 12);

function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    apply: 'build',
    async closeBundle() {
      const files = everyFile();
      await buildWorker('worker.ts', 'service-worker.js', { build: buildOf(files), files });
      await buildWorker('off.ts', 'service-worker-off.js', { build: 'off', files: [] });
    },
  };
}

/** No import brings a style sheet of its own, or is told ahead: what the builder puts round each would never be used. */
const nothingAhead = (): Plugin => ({
  name: 'nothing-ahead',
  enforce: 'pre',
  apply: 'build',
  load: (id) => (id === '\0vite/preload-helper.js' ? 'export const __vitePreload = (load) => load();' : undefined),
});

async function buildWorker(source: string, target: string, shell: { build: string; files: Kept[] }): Promise<void> {
  if (!existsSync(here(`service-worker/${source}`))) return;
  await build({
    configFile: false,
    root: here('.'),
    publicDir: false,
    logLevel: 'warn',
    define: { SHELL: JSON.stringify(shell), BUILD: JSON.stringify(shell.build) },
    build: {
      outDir: here('dist'),
      emptyOutDir: false,
      target: 'es2022',
      modulePreload: false,
      rollupOptions: { input: here(`service-worker/${source}`), output: { format: 'iife', entryFileNames: target } },
    },
  });
}

/** What the app says of itself in every letter: which sources it was built from. */
function sourcesHash(): string {
  const hash = createHash('sha256');
  const sources = readdirSync(here('src'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const file of sources.map((entry) => `${entry.parentPath}/${entry.name}`).sort()) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 12);
}

/** The tests stand beside the server's, outside this folder, and find their packages here. */
const packages = ['vitest', 'fast-check', 'fake-indexeddb', 'idb', 'preact', '@hpke/core'];

export default defineConfig({
  root: here('.'),
  define: { BUILD: JSON.stringify(sourcesHash()) },
  plugins: [serviceWorker(), nothingAhead()],
  build: {
    target: ['es2022', 'safari16.4', 'chrome107', 'firefox115'],
    cssMinify: 'lightningcss',
    cssTarget: ['chrome100', 'firefox110', 'safari15.4'],
    // What is not needed at the door is one piece: it packs better than several. What is only needed on call, on a visit or a sweep, or for the morning’s calls comes when asked for.
    rolldownOptions: { output: { advancedChunks: { includeDependenciesRecursively: false, groups: [{ name: 'inside', test: /src\/(exchange\/|form\/|inside|as-me|push|local\/(view|overlay|people|names|call|taken-along)|look\/(person|people)|screens\/(?!sign-in|locked\.|only-by-pin|welcome|world|install|call\.|call-card|calls|morning|duty|oncall|sweep|visit|watching|where|closing))/ }] } } },
    modulePreload: false, // what comes later comes in one piece, and needs no telling ahead
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8000', '/console': 'http://127.0.0.1:8000' } },
  test: {
    dir: here('../tests/pwa'),
    environment: 'node',
    alias: packages.map((name) => ({ find: new RegExp(`^${name}(/.*)?$`), replacement: here(`node_modules/${name}$1`) })),
    server: { deps: { inline: [/fake-indexeddb/] } },
    testTimeout: 60_000,
    setupFiles: here('../tests/pwa/chance.ts'),
  },
});
