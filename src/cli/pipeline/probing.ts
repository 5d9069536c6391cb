/** The probe of a run: samples what is expressed, lets the parent read it and train some steps, and keeps the figures. */

import type { ProbeRecord, Settings } from "../../blueprint/plan.ts";
import { probeSize } from "../../blueprint/probe-size.ts";
import { BYTES_PER_TOKEN } from "../../blueprint/workload.ts";
import { NOISE } from "../../blueprint/readiness.ts";
import { probe } from "../../chrysalis/probe.ts";
import { packCorpus } from "../../epigenome/pack.ts";
import { byHash } from "../../epigenome/select.ts";
import { createStream } from "../../epigenome/stream.ts";
import type { Document } from "../../eval/bits-per-byte.ts";
import { byteEntropy, deflatedBits } from "../../eval/byte-entropy.ts";
import type { Gene, Genome } from "../../genome/manifest.ts";
import type { Body } from "../../models/body.ts";
import { rateOf } from "../../models/module-marks.ts";
import { compileStep } from "../../models/step.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import type { StageCorpus } from "./stage-corpora.ts";
import { createOptimiser, loraOf } from "./training.ts";

/** Enough for the compressor to find what repeats. */
const NOISE_SAMPLE_BYTES = 64 * 1024;

export interface ProbingOptions {
  /** Full training changes its weights: it is of no use afterwards. */
  readonly body: Pick<Body, "config" | "weights">;
  readonly tokenizer: Tokenizer;
  readonly settings: Settings;
  readonly genome: Pick<Genome, "text">;
  /** What is trained on. */
  readonly genes: readonly Gene[];
  readonly stages: readonly StageCorpus[];
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** Probes a body on what it is to be trained on. */
export async function probeBody(options: ProbingOptions): Promise<ProbeRecord> {
  const { body, tokenizer, settings, genome, genes, stages, signal } = options;
  const byRepository = [...Map.groupBy(genes, ({ repository }) => repository)].sort(
    ([, a], [, b]) => bytesOf(b) - bytesOf(a),
  );
  const size = probeSize(body.config, settings, byRepository.length);
  const documents: Document[] = [];
  for (const [repository, own] of byRepository.slice(0, size.repositories)) {
    documents.push(
      ...(await sample(genome, own, size.tokensOfRepository * BYTES_PER_TOKEN, settings.seed, repository)),
    );
  }
  const all = await sample(genome, genes, NOISE_SAMPLE_BYTES, settings.seed, "");
  const bytes = Buffer.from(all.map(({ text }) => text).join(""));
  const [entropy, deflated] = [byteEntropy(bytes), deflatedBits(bytes)];
  const { B, T } = size;
  const lora = loraOf(settings, body.config);
  const step = await compileStep(body, {
    B,
    T,
    train: lora === undefined ? "full" : { lora },
    rateOf: rateOf(settings.modules),
    threads: settings.threads,
  });
  const { optimiser, release } = createOptimiser(settings, step.parameters);
  try {
    const { perGroup, tokensPerSecond, ...found } = await probe({
      step,
      optimiser,
      stream: createStream(packCorpus(stages[0]!.corpus, T), { B, microBatches: 1, seed: settings.seed }),
      tokenizer,
      documents,
      steps: size.steps,
      doubt: { from: NOISE.part * entropy, steps: NOISE.steps },
      learningRate: settings.learningRate,
      clip: settings.clip,
      onProgress: options.onProgress,
      signal,
    });
    return {
      origin: "measured",
      ...found,
      perRepository: perGroup.map(({ group, bytes: of, bitsPerByte }) => ({
        repository: group,
        bytes: of,
        bitsPerByte,
      })),
      byteEntropy: entropy,
      deflatedBits: deflated,
      sampleBytes: bytes.length,
      bytesPerToken:
        stages.reduce((sum, of) => sum + of.bytes, 0) /
        Math.max(
          1,
          stages.reduce((sum, { corpus }) => sum + corpus.ids.length - 1, 0),
        ),
      sequences: B,
      sequence: T,
      flopsPerSecond: tokensPerSecond * size.flopsPerToken,
      tokensPerSecond: (tokensPerSecond * size.flopsPerToken) / size.flopsPerPlannedToken,
    };
  } finally {
    await release();
    await step.release();
  }
}

/** The beginnings of files in a seeded order, so many bytes together. */
async function sample(
  genome: Pick<Genome, "text">,
  genes: readonly Gene[],
  maxBytes: number,
  seed: number,
  group: string,
): Promise<Document[]> {
  const documents: Document[] = [];
  let left = maxBytes;
  for (const gene of byHash(genes, seed, "probe")) {
    if (left < 1) break;
    const text = (await genome.text(gene)).slice(0, Math.ceil(left));
    // Never between the halves of a surrogate pair.
    const whole = (text.charCodeAt(text.length - 1) & 0xfc00) === 0xd800 ? text.slice(0, -1) : text;
    documents.push({ id: `${gene.repository}/${gene.path}`, text: whole, group });
    left -= Buffer.byteLength(whole);
  }
  return documents;
}

function bytesOf(genes: readonly Gene[]): number {
  return genes.reduce((sum, { textBytes }) => sum + textBytes, 0);
}
