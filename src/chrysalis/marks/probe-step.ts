/** A step of one sequence over the weights of a training, for gradients that the training never sees. */

import type { Body } from "../../models/body.ts";
import { compileStep } from "../../models/step.ts";
import type { Step, StepOptions } from "../../models/step.ts";

export interface ProbeStep {
  /** At the weights as they are now; the gradients are for writing over. */
  current(): Promise<Step>;
  release(): Promise<void>;
}

/**
 * Compiled when it is first asked for. Where the training's own step reads one sequence it serves: its gradients are of no
 * use between two optimiser steps.
 */
export function createProbeStep(
  body: Pick<Body, "config" | "weights">,
  training: Step,
  options: Omit<StepOptions, "B">,
): ProbeStep {
  let own: Step | undefined;
  return {
    async current() {
      if (training.B === 1) return training;
      own ??= await compileStep(body, { ...options, B: 1 });
      // Full training changes the body's weights, which both steps read; an adapter's are the training's own.
      for (const [i, { data }] of training.parameters.entries()) {
        const copy = own.parameters[i]!.data;
        if (copy !== data) copy.set(data);
      }
      return own;
    },
    release: async () => own?.release(),
  };
}
