/** `chrysalis blend`: a run's result turned between its parent and itself, with what each point learned and kept. */

import { join, resolve } from "node:path";
import { readPlan, settingsOf } from "../blueprint/plan.ts";
import { UserError } from "../errors.ts";
import { atomicWrite, canonicalJson } from "../formats/files.ts";
import { packageVersion } from "../formats/package-root.ts";
import { blendWeights } from "../imago/blend.ts";
import type { Blend, BlendRule } from "../imago/blend.ts";
import { exportType, MERGE_DTYPES } from "../imago/export.ts";
import { compare, scoreTexts, total } from "../imago/measure.ts";
import { loadBody } from "../models/load.ts";
import { writeModelFolder } from "../models/save.ts";
import { usageError } from "./flags.ts";
import { formatFigure } from "./format.ts";
import { measureOptions } from "./pipeline/imago-stage.ts";
import { refuseChanged } from "./pipeline/inputs.ts";
import { openModel } from "./model.ts";
import { readHeldOut, readRetention } from "./pipeline/nest-files.ts";
import { reopenNest } from "./pipeline/nest.ts";
import { showMeasuring } from "./pipeline/show-stages.ts";
import { defineVerb } from "./verb.ts";

const DEFAULT_CURVE = "0,0.25,0.5,0.75,1";

/** A point between parent and child. */
interface Point {
  readonly alpha: number;
  readonly heldOut: number;
  readonly retention: number;
  /** Against the parent, in bits per byte, with standard errors over documents. */
  readonly learned: { readonly difference: number; readonly standardError: number | null };
  readonly kept: { readonly difference: number; readonly standardError: number | null };
}

export const blend = defineVerb({
  name: "blend",
  summary: "Turn a run's result between its parent and itself, and measure the points between",
  usage: "NEST [--curve A,A,...] [--alpha A [--module GLOB=A ...] --out DIR]",
  positionals: [{ name: "NEST", help: "Folder of a finished run" }],
  flags: {
    alpha: {
      kind: "number",
      value: "A",
      min: 0,
      max: 1,
      help: "Write this point as a model: 0 is the parent, 1 the run's result",
    },
    module: {
      kind: "text",
      value: "GLOB=A",
      many: true,
      help: "Another alpha for weights whose names match, parts between dots: **.mlp.**=0.3",
    },
    curve: { kind: "text", value: "A,A,...", default: DEFAULT_CURVE, help: "Points to measure" },
    out: { kind: "text", value: "DIR", help: "Where the model of --alpha goes" },
    mergeDtype: {
      kind: "choice",
      choices: MERGE_DTYPES,
      default: "parent",
      help: "Type of the written weights; parent keeps the parent's",
    },
  },
  examples: [
    { command: "chrysalis blend nest", does: "what five points between parent and child have learned and kept" },
    { command: "chrysalis blend nest --alpha 0.6 --out nest-60", does: "one of them as a model folder" },
    {
      command: "chrysalis blend nest --alpha 1 --module '**.mlp.**=0.5' --out nest-mlp --json",
      does: "with half of what the MLPs learned",
    },
  ],
  async run({ flags, positionals }, { cwd, signal, progress }) {
    const curve = flags.curve.split(",").map(Number);
    if (!curve.every((alpha) => alpha >= 0 && alpha <= 1)) {
      throw usageError(`--curve is "${flags.curve}"`, "give numbers from 0 to 1 between commas");
    }
    if ((flags.alpha === undefined) !== (flags.out === undefined)) {
      throw usageError("--alpha and --out belong together", "give both to write a model, or neither to measure only");
    }
    const modules = (flags.module ?? []).map(ruleOf);
    if (modules.length > 0 && flags.alpha === undefined) {
      throw usageError("--module is given without --alpha", "give the alpha of all other weights, and --out");
    }
    const nest = await reopenNest(resolve(cwd, positionals[0]!));
    if (nest.result("imago") === undefined) {
      throw new UserError("not-found", `${nest.dir} holds no finished run`, {
        hint: "let it finish: run --resume --out",
      });
    }
    const plan = await readPlan(nest.path("plan.json"));
    const parent = await loadBody(nest.request.model);
    refuseChanged("the model", plan.inputs.model.sha256, parent.source.sha256);
    const { body: child, tokenizer } = await openModel(nest.path("imago"));
    const heldOut = await readHeldOut(nest);
    const retention = await readRetention(nest);
    const onMeasuring = showMeasuring(progress, "measuring");
    const options = measureOptions({ settings: settingsOf(plan), heldOut, retention, onMeasuring, signal });
    const scored = async (of: Blend) => {
      signal.throwIfAborted();
      const weights = blendWeights(parent, child, of);
      return { weights, scores: await scoreTexts({ config: child.config, weights }, tokenizer, options) };
    };
    const { scores: start } = await scored({ alpha: 0, modules: [] });
    const pointOf = (alpha: number, scores: typeof start): Point => {
      const [learned, kept] = [compare(start.heldOut, scores.heldOut), compare(start.retention, scores.retention)];
      return { alpha, heldOut: total(scores.heldOut), retention: total(scores.retention), learned, kept };
    };
    const points: Point[] = [];
    for (const alpha of curve) {
      const { scores } = alpha === 0 ? { scores: start } : await scored({ alpha, modules: [] });
      points.push(pointOf(alpha, scores));
    }
    if (flags.alpha === undefined) return { nest: nest.dir, curve: points, out: null, point: null };
    const chosen: Blend = { alpha: flags.alpha, modules };
    const { weights, scores } = await scored(chosen);
    const point = pointOf(flags.alpha, scores);
    const out = resolve(cwd, flags.out!);
    await writeModelFolder(out, {
      configJson: child.configJson,
      weights: weights.values(),
      dtype: exportType(flags.mergeDtype, parent.dtype),
      tokenizerFiles: tokenizer.files,
      generationConfig: child.generationConfig,
    });
    const record = {
      schema: 1,
      tool: { name: "symbiotic-chrysalis", version: packageVersion() },
      parent: parent.source.sha256,
      child: child.source.sha256,
      ...chosen,
      measured: point,
    };
    await atomicWrite(join(out, "blend.json"), canonicalJson(record));
    return { nest: nest.dir, curve: points, out, point };
  },
  human({ nest, curve, out, point }) {
    const row = ({ alpha, heldOut, retention, learned, kept }: Point): string =>
      [
        alpha.toFixed(2).padStart(5),
        formatFigure(heldOut).padStart(9),
        change(learned).padStart(19),
        formatFigure(retention).padStart(9),
        change(kept).padStart(19),
      ].join("  ");
    return [
      `${nest}: bits per byte between the parent (alpha 0) and the run's result (1)`,
      "",
      `${"alpha".padStart(5)}  ${"held-out".padStart(9)}  ${"learned".padStart(19)}  ${"retention".padStart(9)}  ${"kept".padStart(19)}`,
      ...curve.map(row),
      ...(point === null ? [] : ["", row(point), `written to ${out}`]),
    ].join("\n");
  },
});

function change({ difference, standardError }: Point["learned"]): string {
  return `${difference > 0 ? "+" : ""}${difference.toFixed(4)} +- ${standardError?.toFixed(4) ?? "?"}`;
}

function ruleOf(text: string): BlendRule {
  const at = text.lastIndexOf("=");
  const alpha = Number(text.slice(at + 1));
  if (at < 1 || text.slice(at + 1).trim() === "" || !(alpha >= 0 && alpha <= 1)) {
    throw usageError(`--module is "${text}"`, "write GLOB=A with A from 0 to 1, such as **.mlp.**=0.3");
  }
  return { match: text.slice(0, at), alpha };
}
