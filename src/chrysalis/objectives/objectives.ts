/** The objectives there are, by the names that blueprints use. */
import type { ObjectiveName } from "../../blueprint/stages-schema.ts";
import { clm } from "./clm.ts";
import type { Objective } from "./objective.ts";
import { sft } from "./sft.ts";

export const objectives: Readonly<Record<ObjectiveName, Objective>> = { clm, sft };
