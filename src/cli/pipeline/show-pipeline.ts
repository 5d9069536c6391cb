/** Turns the events of a run into progress. */

import { formatBytes, formatCount, formatFigure } from "../format.ts";
import type { PipelineEvent, Work } from "./events.ts";
import type { Progress } from "../progress.ts";
import { searchRows } from "../search-rows.ts";
import { showGenome, showTraining } from "./show-stages.ts";

const UNITS: Partial<Record<Work, string>> = {
  fetching: " files",
  encoding: " files",
  probing: " steps",
  searching: " trials",
  measuring: " tokens",
  blending: " points",
  replay: " tokens",
  questions: " passages",
};

/** Shows a run, or the planning of one. */
export function showPipeline(progress: Progress): (event: PipelineEvent) => void {
  const genome = showGenome(progress);
  const training = showTraining(progress);
  return (event) => {
    switch (event.type) {
      case "genome":
        genome(event.event);
        return;
      case "training":
        training(event.event);
        return;
      case "work": {
        const { work, done, total } = event;
        if (done === undefined || total === undefined || total === 0) {
          progress.update({ stage: work });
          return;
        }
        const unit = UNITS[work] ?? "";
        progress.update({
          stage: work,
          done,
          total,
          details: [`${formatCount(done)} of ${formatCount(total)}${unit}`],
        });
        return;
      }
      case "planned": {
        const { inputs, settings, predicted } = event.plan;
        const { trainedFiles, trainedBytes, heldOutFiles, heldOutBytes } = inputs.genome;
        progress.finish();
        if (event.plan.search !== null) for (const row of searchRows(event.plan.search)) progress.note(row);
        progress.note(
          `plan: ${inputs.blueprint.name} (${settings.method.value}), ${formatCount(trainedFiles)} files of ` +
            `${formatBytes(trainedBytes)} to train on, ${formatCount(heldOutFiles)} of ${formatBytes(heldOutBytes)} held out, ` +
            `about ${formatBytes(predicted.memoryBytes)} of memory`,
        );
        return;
      }
      case "measured": {
        const { bitsPerByte, retentionBitsPerByte } = event.figures;
        progress.finish([
          event.when,
          `held-out ${formatFigure(bitsPerByte)}`,
          `retention ${formatFigure(retentionBitsPerByte)} bits per byte`,
        ]);
      }
    }
  };
}
