/** Copies saved tensors into live ones, shared by all optimisers. */

import { UserError } from "../../errors.ts";
import type { StateTensor } from "./optimiser.ts";

/** Copies `saved` into `live` by name; throws UserError("damaged") when one is missing or of another length. */
export function restoreTensors(live: readonly StateTensor[], saved: ReadonlyMap<string, Float32Array>): void {
  for (const { name, data } of live) {
    const source = saved.get(name);
    if (source === undefined || source.length !== data.length) {
      const found = source === undefined ? "is missing" : `has ${source.length} values instead of ${data.length}`;
      throw new UserError("damaged", `optimiser state "${name}" ${found} in the checkpoint`, {
        hint: "remove this checkpoint; the one before it will be used",
      });
    }
    data.set(source);
  }
}
