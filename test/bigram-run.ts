/** A training run of the bigram model as a process of its own, to be killed: `bigram-run.ts DIR`. */

import { train } from "../src/chrysalis/train.ts";
import { createMuon, newtonSchulz } from "../src/chrysalis/optimisers/muon.ts";
import { bigramStep, bigramStream } from "./bigram.ts";

const dir = process.argv[2];
if (dir === undefined) throw new Error("usage: bigram-run.ts DIR");
const wait = () => new Promise<void>((resolve) => void setTimeout(resolve, 2));
const step = bigramStep();
const muon = createMuon(step.parameters, { orthogonalise: newtonSchulz });
await train({
  step: { ...step, accumulate: (batch) => wait().then(() => step.accumulate(batch)) },
  optimiser: muon,
  stream: bigramStream,
  microBatches: 2,
  schedule: { learningRate: 0.02, warmup: 10, decay: 0.3 },
  clip: 0.5,
  budget: { steps: 240 },
  dir,
  resume: true,
  manifest: { seed: 7 },
  checkpointEvery: { steps: 7 },
  evaluation: {
    times: 5,
    async evaluate() {
      const nll = await step.evaluate(bigramStream.batch(1000, 0));
      return { heldOut: nll.reduce((sum, value) => sum + value, 0) };
    },
  },
});
