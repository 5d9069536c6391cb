/** All verbs, in the order of the help. */

import { chat } from "./chat.ts";
import { evaluate } from "./eval.ts";
import { hatch } from "./hatch.ts";
import { plan } from "./plan.ts";
import { run } from "./run.ts";
import { score } from "./score.ts";
import type { Verb } from "./verb.ts";

export const verbs: readonly Verb[] = [run, plan, evaluate, score, chat, hatch];
