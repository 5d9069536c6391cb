/** A model's path, checked before what can read models is loaded. */

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.ts";

/** Finds the paths that are near a model, but none: before anything is opened. */
export function checkModelPath(path: string): void {
  if (!existsSync(path)) {
    throw new UserError("not-found", `${path} is neither a folder nor a GGUF file here`, {
      hint: "give the path of a Hugging Face model folder (config.json and safetensors) or of a .gguf file",
    });
  }
  if (!statSync(path).isDirectory() || existsSync(join(path, "config.json"))) return;
  const inside = ["imago", "model"].find((name) => existsSync(join(path, name, "config.json")));
  if (inside === undefined) return;
  throw new UserError("not-found", `${path} has no config.json`, { hint: `the model is ${join(path, inside)}` });
}
