/** The parent's losses of a run's training text, token by token, as a file of the nest. */

import { UserError } from "../../errors.ts";
import { openSafetensors, writeSafetensors } from "../../formats/safetensors.ts";

const tensorOf = (stage: number): string => `stage.${stage}`;

/** Writes the losses of each stage, whole or not at all. */
export async function writeParentLosses(path: string, plan: string, losses: readonly Float32Array[]): Promise<void> {
  await writeSafetensors(
    path,
    losses.map((data, stage) => ({ name: tensorOf(stage), dtype: "F32", shape: [data.length], data })),
    { metadata: { plan } },
  );
}

/**
 * Reads them again.
 *
 * @param sizes ids of each stage
 * @throws UserError "damaged" where they are not of this plan
 */
export async function readParentLosses(path: string, plan: string, sizes: readonly number[]): Promise<Float32Array[]> {
  const file = await openSafetensors(path);
  try {
    const isOfPlan =
      file.metadata.get("plan") === plan &&
      sizes.every((size, stage) => file.tensors.get(tensorOf(stage))?.shape[0] === size);
    if (!isOfPlan) {
      throw new UserError("damaged", `${path} is not what was measured for this plan`, {
        hint: "remove it, and it is measured again",
      });
    }
    const losses: Float32Array[] = [];
    for (const stage of sizes.keys()) losses.push(await file.readF32(tensorOf(stage)));
    return losses;
  } finally {
    await file.close();
  }
}
