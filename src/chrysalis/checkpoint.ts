/** Checkpoints on disk: `checkpoints/step-00000123/`, complete and verified or not there at all. */

import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.ts";
import { asUserError, atomicWrite, canonicalJson, readJson, sha256OfFile, syncFolder } from "../formats/files.ts";
import { openSafetensors, writeSafetensors } from "../formats/safetensors.ts";
import type { WeightTensor } from "../models/body.ts";
import type { Parameter } from "../models/step.ts";
import type { Optimiser } from "./optimisers/optimiser.ts";

const PARAMETERS = "parameters.safetensors";
const OPTIMISER = "optimiser.safetensors";

const evaluationSchema = z.strictObject({
  step: z.int().nonnegative(),
  heldOut: z.number(),
  retention: z.number().exactOptional(),
  parentText: z.number().exactOptional(),
  kl: z.number().exactOptional(),
});

/** All that training needs to go on as if it had never stopped, apart from the tensors. */
const trainStateSchema = z.strictObject({
  /** Completed optimiser steps. */
  step: z.int().nonnegative(),
  tokens: z.int().nonnegative(),
  /** Seconds of the run, and those of its optimiser steps alone. */
  seconds: z.number().nonnegative(),
  stepSeconds: z.number().nonnegative(),
  guard: z.strictObject({
    initial: z.number().nullable(),
    recent: z.array(z.number()).readonly(),
    streak: z.int().nonnegative(),
  }),
  evaluations: z.array(evaluationSchema).readonly(),
});

export type TrainState = z.infer<typeof trainStateSchema>;

const fileSchema = z.strictObject({
  schema: z.literal(1),
  state: trainStateSchema,
  optimiserSteps: z.int().nonnegative(),
  /** SHA-256 by file name. */
  files: z.strictObject({ [PARAMETERS]: z.string(), [OPTIMISER]: z.string() }),
});

export interface Checkpoint {
  readonly path: string;
  readonly state: TrainState;
  readonly optimiserSteps: number;
}

interface Contents {
  readonly state: TrainState;
  readonly parameters: readonly Parameter[];
  readonly optimiser: Optimiser;
}

/** The folder's name of the checkpoint after `step` steps. */
export function checkpointName(step: number): string {
  return `step-${String(step).padStart(8, "0")}`;
}

/**
 * Saves a checkpoint under `folder`: written beside, flushed, then renamed, so that a name of the form
 * `step-00000123` never stands for half a checkpoint. Tensors are f32, bit for bit.
 */
export async function saveCheckpoint(folder: string, contents: Contents): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, checkpointName(contents.state.step));
  const temporary = join(folder, `unfinished-${process.pid}`);
  await rm(temporary, { recursive: true, force: true });
  try {
    await writeContents(temporary, contents);
    await rm(path, { recursive: true, force: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw asUserError(error, temporary);
  }
  await syncFolder(folder);
  return path;
}

async function writeContents(path: string, { state, parameters, optimiser }: Contents): Promise<void> {
  await mkdir(path);
  await writeSafetensors(join(path, PARAMETERS), parameters.map(toF32));
  await writeSafetensors(join(path, OPTIMISER), optimiser.state().map(toF32));
  const files = {
    [PARAMETERS]: await sha256OfFile(join(path, PARAMETERS)),
    [OPTIMISER]: await sha256OfFile(join(path, OPTIMISER)),
  };
  await atomicWrite(
    join(path, "state.json"),
    canonicalJson({ schema: 1, state, optimiserSteps: optimiser.steps, files }),
  );
}

function toF32({ name, shape, data }: { name: string; shape: readonly number[]; data: Float32Array }) {
  return { name, shape, data, dtype: "F32" as const };
}

/** Reads and verifies one checkpoint; throws UserError("damaged" or "not-found") with what is wrong. */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const parsed = fileSchema.safeParse(await readJson(join(path, "state.json")));
  if (!parsed.success) {
    throw new UserError("damaged", `${path}/state.json is not a checkpoint: ${z.prettifyError(parsed.error)}`);
  }
  const { state, optimiserSteps, files } = parsed.data;
  for (const [name, expected] of Object.entries(files)) {
    const found = await sha256OfFile(join(path, name));
    if (found !== expected) {
      throw new UserError("damaged", `${join(path, name)} has SHA-256 ${found}, its checkpoint says ${expected}`);
    }
  }
  return { path, state, optimiserSteps };
}

/** Copies a checkpoint's weights into `parameters`; throws UserError("mismatch") when they are not the same tensors. */
export async function restoreParameters(path: string, parameters: readonly Parameter[]): Promise<void> {
  await readInto(join(path, PARAMETERS), parameters);
}

/** A checkpoint's trained tensors, in f32 and in the order they were saved in. */
export async function readParameters(path: string): Promise<WeightTensor[]> {
  const file = await openSafetensors(join(path, PARAMETERS));
  try {
    const tensors: WeightTensor[] = [];
    for (const { name, shape } of file.tensors.values()) tensors.push({ name, shape, data: await file.readF32(name) });
    return tensors;
  } finally {
    await file.close();
  }
}

/** Copies a checkpoint's optimiser state into `optimiser`. */
export async function restoreOptimiser(checkpoint: Checkpoint, optimiser: Optimiser): Promise<void> {
  await readInto(join(checkpoint.path, OPTIMISER), optimiser.state());
  optimiser.resumeAt(checkpoint.optimiserSteps);
}

async function readInto(
  path: string,
  tensors: readonly { name: string; shape: readonly number[]; data: Float32Array }[],
): Promise<void> {
  const file = await openSafetensors(path);
  try {
    for (const { name, shape, data } of tensors) {
      const found = file.tensors.get(name)?.shape.join();
      if (found !== shape.join() || file.tensors.size !== tensors.length) {
        throw new UserError("mismatch", `${path} does not hold this model: "${name}" is [${found ?? "missing"}]`, {
          hint: "resume with the model that the run was started with",
        });
      }
      data.set(await file.readF32(name));
    }
  } finally {
    await file.close();
  }
}

/**
 * The newest complete and undamaged checkpoint under `folder`. Damaged ones newer than it are set aside as
 * `step-00000123.damaged` and reported through `onDamaged`.
 */
export async function latestCheckpoint(
  folder: string,
  onDamaged: (message: string) => void,
): Promise<Checkpoint | undefined> {
  for (const step of (await checkpointSteps(folder)).toReversed()) {
    const path = join(folder, checkpointName(step));
    try {
      return await readCheckpoint(path);
    } catch (error) {
      if (!(error instanceof UserError) || !["damaged", "not-found"].includes(error.code)) throw error;
      await rm(`${path}.damaged`, { recursive: true, force: true });
      await rename(path, `${path}.damaged`);
      onDamaged(`checkpoint ${checkpointName(step)} is damaged and was set aside: ${error.message}`);
    }
  }
  return undefined;
}

/** Removes all but the newest two checkpoints and those of the steps to `keep`, and what an interrupted save left. */
export async function pruneCheckpoints(folder: string, keep: ReadonlySet<number>): Promise<void> {
  const steps = await checkpointSteps(folder);
  for (const step of steps.slice(0, -2)) {
    if (!keep.has(step)) await rm(join(folder, checkpointName(step)), { recursive: true });
  }
  for (const name of await readdir(folder)) {
    if (name.startsWith("unfinished-")) await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function checkpointSteps(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch(() => []);
  const steps = names.flatMap((name) => (/^step-\d{8}$/.test(name) ? [Number(name.slice(5))] : []));
  return steps.sort((a, b) => a - b);
}
