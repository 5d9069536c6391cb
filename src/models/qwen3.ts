/** Qwen3 (arXiv 2505.09388; `Qwen3ForCausalLM`): Llama's block with an RMS norm on each head's queries and keys. */

import { add } from "../tensor/elementwise.ts";
import type { Architecture } from "./architecture.ts";
import { swiglu } from "./layers.ts";

export const qwen3: Architecture = {
  block: (x, context) => {
    const { heads, keyValueHeads, headSize, attentionBias: bias } = context.config;
    const h = context.rmsNorm(x, "input_layernorm");
    const queries = context.rmsNorm(context.linear(h, "self_attn.q_proj", { bias }), "self_attn.q_norm", headSize);
    const keys = context.rmsNorm(context.linear(h, "self_attn.k_proj", { bias }), "self_attn.k_norm", headSize);
    const v = context.linear(h, "self_attn.v_proj", { bias });
    const q = context.rope(queries, heads);
    const k = context.rope(keys, keyValueHeads);
    return swiglu(add(x, context.linear(context.attend(q, k, v), "self_attn.o_proj", { bias })), context);
  },
};
