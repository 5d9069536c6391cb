/** What training tells the world: typed events, and their log in events.jsonl. Only events and checkpoints hold times. */

import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { asUserError, atomicWrite } from "../formats/files.ts";
import type { MarkChange } from "./marks/marks-log.ts";

/** `step` is the number of completed optimiser steps; `seconds` are counted from the start, pauses left out. */
export type TrainEvent =
  | {
      readonly type: "plan";
      readonly step: number;
      /** Trainable values. */
      readonly parameters: number;
      readonly optimiser: string;
      readonly total: number | null;
      readonly minutes: number | null;
    }
  | { readonly type: "resumed"; readonly step: number; readonly seconds: number }
  /** A length decided from measured speed: the run ends after `total` steps, its last `decay` with a falling rate. */
  | { readonly type: "schedule"; readonly step: number; readonly total: number; readonly decay: number }
  /** Stage `stage` (from 0) is trained from here on. */
  | { readonly type: "stage"; readonly step: number; readonly stage: number }
  | {
      readonly type: "step";
      readonly step: number;
      /** Null in a run bounded by minutes whose length is not decided yet. */
      readonly total: number | null;
      /** Mean nats per trained token of this step. */
      readonly loss: number;
      readonly learningRate: number;
      /** Before clipping. */
      readonly gradientNorm: number;
      /** Since the start. */
      readonly tokens: number;
      readonly tokensPerSecond: number;
      /** Expected seconds to the end; null while the length is not decided. */
      readonly eta: number | null;
      readonly seconds: number;
    }
  | ({
      readonly type: "evaluation";
      /** The best so far inside the budget. */
      readonly best: boolean;
      /** Where it is over the forgetting budget; empty without one. */
      readonly over: readonly Overrun[];
      readonly seconds: number;
    } & EvaluationAt)
  /** Marks of groups, as they are from this step on. */
  | { readonly type: "marks"; readonly step: number; readonly changes: readonly MarkChange[] }
  | { readonly type: "sample"; readonly step: number; readonly text: string }
  | { readonly type: "checkpoint"; readonly step: number; readonly name: string; readonly seconds: number }
  | { readonly type: "warning"; readonly step: number; readonly message: string }
  | { readonly type: "interrupted" | "failed"; readonly step: number; readonly message: string }
  | {
      readonly type: "done";
      readonly step: number;
      readonly tokens: number;
      readonly tokensPerSecond: number;
      readonly seconds: number;
    };

/** Lower is better. */
export interface Evaluation {
  /** Bits per byte. */
  readonly heldOut: number;
  readonly retention?: number;
  /** Mean nats per token of text that the parent sampled. */
  readonly parentText?: number;
}

export interface EvaluationAt extends Evaluation {
  readonly step: number;
  /** Estimate of KL(parent || child) in nats per token; noise may take a small one below 0. */
  readonly kl?: number;
}

/** A measure that is over its budget: a relative rise of bits per byte, or nats per token. */
export interface Overrun {
  readonly measure: "retention" | "kl";
  readonly value: number;
  readonly limit: number;
}

export interface EventLog {
  /** Appends one line; what is written survives the end of this process, however it comes. */
  write(event: TrainEvent): void;
  /** Makes all lines survive a power cut. */
  sync(): void;
  close(): void;
}

/**
 * Opens the log at `path` for appending. What it holds of steps after `keepUpTo` is dropped first, with any torn last
 * line and the end of a finished run: a resumed run writes those again, so each step stands in the log once.
 */
export async function openEventLog(path: string, keepUpTo: number): Promise<EventLog> {
  const old = await readFile(path, "utf8").catch(() => "");
  const kept = old.split("\n").filter((line) => isKept(line, keepUpTo));
  await atomicWrite(path, kept.map((line) => `${line}\n`).join(""));
  const file = openSync(path, "a");
  return {
    write(event) {
      try {
        writeSync(file, `${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`);
      } catch (error) {
        throw asUserError(error, path);
      }
    },
    sync: () => fsyncSync(file),
    close: () => closeSync(file),
  };
}

function isKept(line: string, keepUpTo: number): boolean {
  try {
    const event = JSON.parse(line) as Partial<TrainEvent>;
    return typeof event.step === "number" && event.step <= keepUpTo && event.type !== "done";
  } catch {
    return false;
  }
}
