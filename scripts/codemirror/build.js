// Bundles CodeMirror 6 into one module of the studio's pages, with the licences of its parts.
import {build} from "esbuild";
import {existsSync, readFileSync, writeFileSync} from "node:fs";

const pages = new URL("../../lacelang/web/pages/", import.meta.url);
const result = await build({
  entryPoints: ["entry.js"],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  metafile: true,
  write: false,
});
const names = Object.keys(result.metafile.inputs)
  .map((path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1])
  .filter(Boolean);
const parts = [...new Set(names)].sort();
const about = parts.map((name) => {
  const folder = `node_modules/${name}/`;
  const {version, license} = JSON.parse(readFileSync(`${folder}package.json`, "utf8"));
  const file = ["LICENSE", "LICENSE.md", "LICENSE.txt"].find((each) => existsSync(folder + each));
  return {name, version, license, text: file ? readFileSync(folder + file, "utf8").trim() : ""};
});
const without = about.filter((part) => part.license !== "MIT" || !part.text);
if (without.length) throw new Error(`no MIT licence: ${without.map((part) => part.name)}`);
const listed = about.map((part) => `${part.name} ${part.version}`).join(", ");
const banner = `/*! CodeMirror 6, MIT licence, see codemirror.LICENSE.txt. Made by scripts/codemirror of: ${listed} */\n`;
writeFileSync(new URL("codemirror.js", pages), banner + result.outputFiles[0].text);
const texts = new Map();
for (const {name, text} of about) texts.set(text, [...(texts.get(text) ?? []), name]);
const licences = [...texts].map(([text, of]) => `${of.join(", ")}\n\n${text}\n`);
writeFileSync(new URL("codemirror.LICENSE.txt", pages), licences.join(`\n${"-".repeat(72)}\n\n`));
