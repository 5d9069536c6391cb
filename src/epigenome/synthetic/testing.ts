/** For tests of what a parent writes: a generator that says what it is told to, and a log in memory. */
import type { WorkLog } from "../../formats/work-log.ts";
import type { GenerationRequest, Generator } from "../../inference/generate.ts";

/** Writes for each request the ids that `says` gives, one request after the other, as long as it may. */
export function scripted(says: (request: GenerationRequest) => readonly number[]): Pick<Generator, "generateMany"> {
  return {
    async *generateMany(requests, { signal }) {
      for (const request of requests) {
        await Promise.resolve();
        signal?.throwIfAborted();
        const made: number[] = [];
        const said = says(request);
        let isCut = false;
        for (const id of said) {
          made.push(id);
          request.onToken?.(id);
          isCut = made.length === request.maxTokens || request.isComplete?.(made) === true;
          if (isCut) break;
        }
        yield { request, made, isStopped: !isCut };
      }
    },
  };
}

/** A log that keeps what it is given; `seconds` counts the pieces. */
export function logInMemory<T>(done: Map<number, T> = new Map()): WorkLog<T> {
  return {
    done,
    seconds: () => done.size,
    add: (piece, item) => Promise.resolve(void done.set(piece, item)),
    close: () => Promise.resolve(),
  };
}
