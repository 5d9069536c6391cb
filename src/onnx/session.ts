/** Executes programs on ONNX Runtime; the only file that imports it. */

import { availableParallelism } from "node:os";
// First, since the runtime reads its environment when it is loaded.
// oxlint-disable-next-line import/no-unassigned-import -- imported for its effect
import "./no-telemetry.ts";
import ort from "onnxruntime-node";
import { invariant } from "../errors.ts";
import type { DType, Type } from "../tensor/graph.ts";
import { sizeOf } from "../tensor/graph.ts";
import type { Program } from "../tensor/program.ts";
import { emitOnnx } from "./emit.ts";

export type TensorData = Float32Array | Int32Array | BigInt64Array;

/** Named arrays that a run reads or writes; their lengths are those of the program's shapes. */
export type Arrays = Readonly<Record<string, TensorData>>;

export interface SessionOptions {
  /** Threads of a run. Default: the machine's available parallelism. */
  readonly threads?: number;
  /** Name in profiles. Default "program". */
  readonly name?: string;
}

export interface Session {
  readonly program: Program;
  /** Computes the outputs and writes them into the given arrays, one for each output. */
  run(feeds: Arrays, into: Arrays): Promise<void>;
  release(): Promise<void>;
}

const elementName = { f32: "float32", i32: "int32", i64: "int64" } as const satisfies Record<DType, string>;

function tensor(data: TensorData, type: Type, name: string): ort.Tensor {
  const element = elementName[type.dtype];
  invariant(
    data.length === sizeOf(type.shape),
    `${name} has ${data.length} elements instead of [${type.shape.join(", ")}]`,
  );
  return new ort.Tensor(element, data, type.shape);
}

/** Compiles a program. Shapes are static, so the runtime plans its memory once. */
export async function createSession(program: Program, options: SessionOptions = {}): Promise<Session> {
  const threads = options.threads ?? availableParallelism();
  const session = await ort.InferenceSession.create(emitOnnx(program, options.name ?? "program"), {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    executionMode: "sequential",
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    enableCpuMemArena: true,
    enableMemPattern: true,
    logSeverityLevel: 3,
    // Each session has its own pool of threads: one that still spins after its run would take the next one's cores.
    extra: { session: { force_spinning_stop: "1" } },
  });
  const inputs = new Map(program.inputs.map((value) => [value.name!, value]));
  return {
    program,
    run: async (feeds, into) => {
      const fed: Record<string, ort.Tensor> = {};
      for (const [name, type] of inputs) {
        const data = feeds[name];
        invariant(data, `input ${name} is not fed`);
        fed[name] = tensor(data, type, name);
      }
      const fetched: Record<string, ort.Tensor> = {};
      for (const [name, type] of program.outputs) {
        const data = into[name];
        invariant(data, `output ${name} has no array`);
        fetched[name] = tensor(data, type, name);
      }
      await session.run(fed, fetched);
    },
    release: () => session.release(),
  };
}

/** What executes programs: its version, and the backends that its build knows; sessions use "cpu". */
export function runtimeInfo(): { readonly version: string; readonly backends: readonly string[] } {
  const backends = ort.listSupportedBackends().map(({ name }) => name);
  return { version: ort.env.versions.node ?? ort.env.versions.common, backends };
}

/** A zeroed array for a value. */
export function allocate(type: Type): TensorData {
  const size = sizeOf(type.shape);
  return type.dtype === "f32"
    ? new Float32Array(size)
    : type.dtype === "i32"
      ? new Int32Array(size)
      : new BigInt64Array(size);
}
