/** The architectures, by the `model_type` of config.json. */

import type { Architecture } from "./architecture.ts";
import type { ModelConfig } from "./config.ts";
import { llama } from "./llama.ts";
import { qwen3 } from "./qwen3.ts";

export const architectures = { llama, qwen3 } as const satisfies Record<ModelConfig["modelType"], Architecture>;
