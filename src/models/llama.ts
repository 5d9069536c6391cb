/** Llama (arXiv 2302.13971; `LlamaForCausalLM`): RMS norm before each half, rotary positions, grouped-query attention, SwiGLU. */

import { add } from "../tensor/elementwise.ts";
import type { Architecture } from "./architecture.ts";
import { swiglu } from "./layers.ts";

export const llama: Architecture = {
  block: (x, context) => {
    const { heads, keyValueHeads, attentionBias: bias } = context.config;
    const h = context.rmsNorm(x, "input_layernorm");
    const q = context.rope(context.linear(h, "self_attn.q_proj", { bias }), heads);
    const k = context.rope(context.linear(h, "self_attn.k_proj", { bias }), keyValueHeads);
    const v = context.linear(h, "self_attn.v_proj", { bias });
    return swiglu(add(x, context.linear(context.attend(q, k, v), "self_attn.o_proj", { bias })), context);
  },
};
