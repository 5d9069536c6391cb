/** Turns the events of the stages into progress. */

import type { HatchEvent } from "../../chrysalis/hatch.ts";
import type { TrainEvent } from "../../chrysalis/events.ts";
import type { GenomeEvent } from "../../genome/events.ts";
import { listMarkChanges } from "../../imago/marks-text.ts";
import { overrunText } from "../../imago/outcome.ts";
import { formatBytes, formatCount, formatDuration, formatFigure, formatMany } from "../format.ts";
import type { Progress } from "../progress.ts";

const TRAINING = "training";

/** Shows a training run. */
export function showTraining(progress: Progress): (event: TrainEvent) => void {
  let minutes: number | null = null;
  return (event) => {
    switch (event.type) {
      case "plan":
        minutes = event.minutes;
        progress.update({
          stage: TRAINING,
          details: [formatMany(event.parameters, "value"), `with ${event.optimiser}`],
        });
        return;
      case "resumed":
        progress.note(`going on after step ${event.step}`);
        return;
      case "step": {
        const { step, total, seconds, eta } = event;
        const byTime = minutes === null ? {} : { done: seconds, total: eta === null ? 60 * minutes : seconds + eta };
        progress.update({
          stage: TRAINING,
          ...(minutes === null && total !== null ? { done: step, total } : byTime),
          ...(eta === null ? {} : { eta }),
          details: [`loss ${formatFigure(event.loss)}`, `${formatCount(event.tokensPerSecond)} tok/s`, `step ${step}`],
        });
        return;
      }
      case "evaluation": {
        const retention = event.retention === undefined ? "" : `, retention ${formatFigure(event.retention)}`;
        const kl = event.kl === undefined ? "" : `, KL ${formatFigure(event.kl)}`;
        const best = event.best && event.step > 0 ? ", the best so far" : "";
        const over = event.over.length === 0 ? "" : `, over the budget: ${event.over.map(overrunText).join(", ")}`;
        progress.note(
          `step ${event.step}: held-out ${formatFigure(event.heldOut)} bits per byte${retention}${kl}${best}${over}`,
        );
        return;
      }
      case "marks":
        progress.note(`step ${event.step}: marks changed, ${listMarkChanges(event.changes)}`);
        return;
      case "sample":
        progress.note(`step ${event.step} writes: ${event.text}`);
        return;
      case "warning":
        progress.note(`warning: ${event.message}`);
        return;
      case "done":
        progress.finish([
          formatMany(event.step, "step"),
          formatMany(event.tokens, "token"),
          `${formatCount(event.tokensPerSecond)} tok/s`,
        ]);
        return;
      case "schedule":
      case "stage":
      case "checkpoint":
      case "interrupted":
      case "failed":
        return;
    }
  };
}

/** Shows a hatching; `vocabulary` is the wanted size. */
export function showHatching(progress: Progress, vocabulary: number): (event: HatchEvent) => void {
  const training = showTraining(progress);
  return (event) => {
    if (event.type === "tokenizer") {
      const merging = event.vocabulary > 0 ? { done: event.vocabulary, total: vocabulary } : {};
      progress.update({ stage: "tokenizer", ...merging, details: [formatMany(event.documents, "document")] });
    } else if (event.type === "encoding") {
      const details = [formatMany(event.tokens, "token"), formatMany(event.documents, "document")];
      progress.update({ stage: "encoding", details });
    } else if (event.type === "measuring") {
      progress.update({ stage: "measuring", done: event.done, total: event.total });
    } else training(event);
  };
}

/** Shows the building of a genome. */
export function showGenome(progress: Progress): (event: GenomeEvent) => void {
  return (event) => {
    switch (event.type) {
      case "hub":
        progress.note(`${event.hub} holds ${formatMany(event.links, "link")}`);
        return;
      case "repository-found":
        progress.update({ stage: "looking", done: event.done, total: event.total, details: [lastPart(event.url)] });
        return;
      case "repository-missing":
        progress.note(`skipped ${event.url}: ${event.reason}`);
        return;
      case "repository-retry":
        progress.note(`${event.url}: ${event.reason}; asking again in ${formatDuration(event.seconds)}`);
        return;
      case "repository-transfer":
        progress.update({ stage: "fetching", details: [lastPart(event.url), `${event.phase} ${event.percent} %`] });
        return;
      case "repository-ready":
        progress.update({
          stage: "fetching",
          done: event.done,
          total: event.total,
          details: [`${lastPart(event.url)} ${event.how}`],
        });
        return;
      case "repository-read":
        progress.update({
          stage: "reading",
          done: event.done,
          total: event.total,
          details: [event.name, formatMany(event.genes, "file"), formatBytes(event.bytes)],
        });
        return;
      case "comparing":
        progress.update({
          stage: "comparing",
          done: event.done,
          total: event.total,
          details: [formatMany(event.total, "text")],
        });
        return;
      case "history":
        progress.update({
          stage: "history",
          done: event.done,
          total: event.total,
          details: [event.repository, formatMany(event.rows, "change"), formatBytes(event.bytes)],
        });
        return;
      case "audited":
        return;
      case "genome-done":
        progress.finish([formatMany(event.genes, "file"), formatBytes(event.bytes)]);
        return;
    }
  };
}

/** For `onProgress(done, total)` of a measurement. */
export function showMeasuring(progress: Progress, stage: string): (done: number, total: number) => void {
  return (done, total) => progress.update({ stage, done, total, details: [formatMany(total, "token")] });
}

function lastPart(url: string): string {
  return url.replace(/\/+$/, "").split("/").at(-1) ?? url;
}
