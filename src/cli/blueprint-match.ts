/** `chrysalis blueprint match`: which recipe a model gets, why, and what it would read: by estimates, or by a probe of seconds. */

import { resolve } from "node:path";
import { genomeFacts } from "../blueprint/genome-facts.ts";
import { probeMachine } from "../blueprint/machine.ts";
import type { Match, Ranked } from "../blueprint/match.ts";
import type { ProbeRecord } from "../blueprint/plan.ts";
import { openGenome } from "../genome/manifest.ts";
import { readConfigOf } from "../models/load.ts";
import { selectionFor } from "./diet.ts";
import { usageError } from "./flags.ts";
import { formatBytes, formatCount, formatDuration } from "./format.ts";
import { rankRecipes, replayOf } from "./pipeline/inputs.ts";
import { dietFor, fertilityOn, tokenizerBeside } from "./match-diet.ts";
import type { MatchDiet } from "./match-diet.ts";
import { probeMatch } from "./match-probe.ts";
import { checkModelPath } from "./model-path.ts";
import { probeRows } from "./probe-rows.ts";
import { modelOf } from "./request.ts";
import { showPipeline } from "./pipeline/show-pipeline.ts";
import { defineVerb } from "./verb.ts";

export const blueprintMatch = defineVerb({
  name: "blueprint match",
  summary: "Rank the recipes for a model and a genome, with reasons",
  usage: "[--model MODEL] [--genome DIR] [--minutes M] [--probe]",
  positionals: [],
  flags: {
    model: {
      kind: "text",
      value: "MODEL",
      help: "Hugging Face folder, of which config.json is enough, or .gguf file (default: the larva that comes with this program)",
    },
    genome: { kind: "text", value: "DIR", help: "Genome folder (default: the genome counts as not known)" },
    minutes: { kind: "number", value: "M", above: 0, help: "Length of the training (default: the recipe's, else 3)" },
    probe: {
      kind: "switch",
      help: "Load the model, let it read a sample of the genome and train some steps, and rank by the measured rate",
    },
  },
  examples: [
    {
      command: "chrysalis blueprint match --model path/to/SmolLM2-135M --genome genome",
      does: "the ranking with reasons",
    },
    {
      command: "chrysalis blueprint match --model config-folder --json",
      does: "of a config.json alone, for a program",
    },
  ],
  async run({ flags }, { cwd, signal, progress }) {
    if (flags.probe && flags.genome === undefined) {
      throw usageError("--probe is given without --genome", "name the genome that the model is to read");
    }
    const model = modelOf(flags.model, cwd);
    checkModelPath(model);
    const body = await readConfigOf(model);
    const genomeDir = flags.genome === undefined ? undefined : resolve(cwd, flags.genome);
    if (genomeDir !== undefined) progress.update({ stage: "reading", details: [genomeDir] });
    const genome = genomeDir === undefined ? undefined : await openGenome(genomeDir);
    try {
      const facts = genome && genomeFacts(genome.genes);
      const machine = await probeMachine(cwd);
      const { minutes } = flags;
      const replay = replayOf(body.kind, model);
      const given = minutes === undefined ? {} : { minutes };
      const of = { config: body.config, given, machine, replay };
      const rankedBy = { genome: facts, machine, minutes, replay };
      const estimated = await rankRecipes(body, rankedBy);
      let match = estimated;
      let probe: ProbeRecord | null = null;
      if (flags.probe && genome !== undefined) {
        const { recipe } = estimated.chosen;
        const onEvent = showPipeline(progress);
        const selection = selectionFor(recipe.blueprint, of).options;
        probe = await probeMatch({ model, genome, recipe, selection, ...of, onEvent, signal });
        match = await rankRecipes(body, { ...rankedBy, probe });
      }
      const fertility = genome && (await fertilityOn(genome, await tokenizerBeside(model, body.kind), signal));
      progress.close();
      const dietOf = ({ recipe: { blueprint }, applicable }: Ranked): MatchDiet | null => {
        if (genome === undefined || !applicable) return null;
        return dietFor(genome, selectionFor(blueprint, of), fertility);
      };
      const ranking = match.ranking.map((ranked) => ({
        recipe: ranked.recipe.blueprint.name,
        score: ranked.score.total,
        parts: partsOf(ranked.score),
        applicable: ranked.applicable,
        fits: ranked.fits,
        failed: ranked.failed,
        reasons: ranked.reasons,
        predicted: ranked.predicted,
        diet: dietOf(ranked),
      }));
      return {
        chosen: match.chosen.recipe.blueprint.name,
        probed: probe !== null,
        probe,
        model: { path: model, architecture: body.config.modelType, parameters: match.chosen.predicted.parameters },
        genome: facts ?? null,
        diet: ranking[0]!.diet,
        ranking,
      };
    } finally {
      await genome?.close();
    }
  },
  human: ({ chosen, model, genome, probe, ranking }) => {
    const known =
      genome === null ? "the genome is not known (--genome)" : `${formatBytes(genome.bytes)} of distinct text`;
    return [
      `${model.architecture} body of ${formatCount(model.parameters)} parameters; ${known}; ${probe === null ? "by estimates, nothing was measured" : "at the measured rate"}`,
      ...(probe === null ? [] : ["", ...probeRows(probe)]),
      "",
      ...ranking.flatMap(({ recipe, score, applicable, fits, failed, reasons, predicted, diet }) => [
        `${recipe === chosen ? "* " : "  "}${recipe}  ${score.toFixed(2)}${applicable ? (fits ? "" : ", does not fit this machine") : ", does not apply"}`,
        ...(applicable ? reasons : failed).map((reason) => `    ${reason}`),
        ...(applicable
          ? [
              `    predicted: ${formatCount(predicted.tokensPerSecond)} tokens/s, ${formatBytes(predicted.memoryBytes)} of memory, ` +
                `${formatDuration(60 * predicted.minutes)} for ${formatCount(predicted.tokens)} tokens`,
            ]
          : []),
        ...(diet === null ? [] : [`    diet: ${dietInWords(diet)}`]),
      ]),
      "",
      ranking[0]!.fits
        ? `${chosen} is what run would take${probe === null ? "" : ", unless its estimates differ from what was measured here"}.`
        : `${chosen} is the nearest; run would refuse it on this machine.`,
    ].join("\n");
  },
});

function dietInWords({ bytes, tokens, tokensByKind, capacity, limitedBy }: MatchDiet): string {
  const kinds = Object.entries(tokensByKind).map(([kind, of]) => `${kind} ${Math.round((100 * of) / tokens)} %`);
  const limit = capacity === null ? limitedBy : `at most ${formatBytes(capacity)}: ${limitedBy}`;
  return `${formatBytes(bytes)}, about ${formatCount(tokens)} tokens a pass (${kinds.join(", ")}); ${limit}`;
}

/** The score's parts, their values from 0 to 1. */
function partsOf({ method, tokens, memory, purpose }: Match["chosen"]["score"]) {
  const of = { method, tokens, memory, purpose };
  return Object.fromEntries(Object.entries(of).map(([name, { value, weight }]) => [name, { value, weight }]));
}
