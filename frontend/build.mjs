// Builds the editor into static/editor. `--compare` only says whether the committed bundle is what a build gives;
// `--tests` bundles the unit tests for node's own runner.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "static", "editor");
// A linked node_modules counts as an ordinary one, so that every checkout builds the same bundle.
const common = { absWorkingDir: here, bundle: true, preserveSymlinks: true, logLevel: "warning", charset: "utf8" };

if (process.argv.includes("--tests")) {
  rmSync(join(here, "build", "tests"), { recursive: true, force: true });
  const entryPoints = readdirSync(join(here, "tests")).filter((name) => name.endsWith(".test.ts"));
  await build({
    ...common,
    entryPoints: entryPoints.map((name) => join("tests", name)),
    outdir: join("build", "tests"),
    platform: "node",
    format: "esm",
    outExtension: { ".js": ".js" },
  });
} else {
  const made = await bundle();
  if (process.argv.includes("--compare")) compare(made);
  else write(made);
}

/** The files of the bundle: name → text. */
async function bundle() {
  const result = await build({
    ...common,
    entryPoints: { editor: "src/main.tsx" },
    outdir: out,
    write: false,
    metafile: true,
    minify: true,
    format: "esm",
    target: ["chrome123", "firefox120", "safari17.5"],
    define: { "process.env.NODE_ENV": '"production"' },
    jsx: "automatic",
    legalComments: "none",
  });
  const files = new Map(result.outputFiles.map((file) => [file.path.slice(out.length + 1), file.text]));
  files.set("licenses.txt", licenses(Object.keys(result.metafile.inputs)));
  return files;
}

/** The licence of each package that the bundle holds code of. */
function licenses(inputs) {
  const packages = new Set();
  for (const input of inputs) {
    const found = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (found) packages.add(found[1]);
  }
  const texts = [...packages].sort().map((name) => {
    const folder = join(here, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? readFileSync(join(folder, file), "utf8").trim() : "";
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  return `The editor's bundle holds code of these packages.\n\n${texts.join(`\n${"-".repeat(72)}\n\n`)}`;
}

function write(files) {
  mkdirSync(out, { recursive: true });
  for (const [name, text] of files) {
    writeFileSync(join(out, name), text);
    console.log(`static/editor/${name}  ${Math.round(text.length / 1024)} KB`);
  }
}

function compare(files) {
  const wrong = [...files].filter(
    ([name, text]) => !existsSync(join(out, name)) || readFileSync(join(out, name), "utf8") !== text,
  );
  for (const [name] of wrong)
    console.error(`static/editor/${name} is not what a build gives: run \`make frontend\` and commit it.`);
  process.exitCode = wrong.length ? 1 : 0;
}
