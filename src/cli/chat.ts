/** `chrysalis chat`: talks with a model in the terminal, or answers a prompt and ends. */

import { createInterface } from "node:readline";
import { createInterface as createQuestions } from "node:readline/promises";
import { styleText } from "node:util";
import { UserError } from "../errors.ts";
import { createGenerator } from "../inference/generate.ts";
import type { Body } from "../models/body.ts";
import { countParameters } from "../models/weights.ts";
import { createConversation } from "./conversation.ts";
import type { Answer, Conversation } from "./conversation.ts";
import { usageError } from "./flags.ts";
import { formatCount, harmless } from "./format.ts";
import { openModel } from "./model.ts";
import { defineVerb } from "./verb.ts";
import type { Context } from "./verb.ts";

/** What a turn came to; the text alone is what people see. */
interface Turn {
  readonly prompt: string;
  readonly text: string;
  readonly tokens: number;
  readonly promptTokens: number;
  readonly ended: Answer["ended"];
  readonly tokensPerSecond: number;
}

const DEFAULT_TEMPERATURE = 0.7;
const DEFAULT_TOP_P = 0.95;

export const chat = defineVerb({
  name: "chat",
  summary: "Talk with a model, or have it continue a text",
  usage: "MODEL [--prompt TEXT] [FLAGS]",
  positionals: [{ name: "MODEL", help: "Imago or other Hugging Face folder with its tokenizer, or .gguf file" }],
  flags: {
    prompt: { kind: "text", value: "TEXT", help: "Answer this one prompt, and end" },
    system: { kind: "text", value: "TEXT", help: "System message; needs a model with a chat template" },
    plain: { kind: "switch", help: "Continue text as it is, also where the model has a chat template" },
    maxTokens: { kind: "number", value: "N", integer: true, min: 1, default: 256, help: "Most tokens of an answer" },
    temperature: {
      kind: "number",
      value: "X",
      min: 0,
      max: 100,
      help: `0 always takes the likeliest token, 1 samples as the model says (default: that of the model's generation_config.json, else ${DEFAULT_TEMPERATURE})`,
    },
    topP: {
      kind: "number",
      value: "X",
      above: 0,
      max: 1,
      help: `Sample from the likeliest tokens that together have this probability (default: that of the model's generation_config.json, else ${DEFAULT_TOP_P})`,
    },
    seed: {
      kind: "number",
      value: "N",
      integer: true,
      min: 0,
      max: 2 ** 32 - 1,
      default: 0,
      help: "The same seed gives the same answers",
    },
  },
  examples: [
    { command: "chrysalis chat nest/imago", does: "Ctrl-C stops an answer, /exit or Ctrl-D leaves" },
    { command: 'chrysalis chat models/larva --prompt "The old lighthouse" --max-tokens 40', does: "one continuation" },
    { command: "chrysalis chat model.gguf --temperature 0 --json < turns.txt", does: "each line a turn" },
  ],
  async run({ flags, positionals }, context) {
    const { json, stdin, progress, signal } = context;
    const path = positionals[0]!;
    if (json && flags.prompt === undefined && stdin.isTTY) {
      throw usageError("--json is given without a prompt", "give --prompt TEXT, or turns as lines on standard input");
    }
    progress.update({ stage: "loading", details: [path] });
    const { body, tokenizer } = await openModel(path);
    progress.close();
    signal.throwIfAborted();
    const mode = tokenizer.chatTemplate === undefined || flags.plain ? "continue" : "chat";
    if (mode === "continue" && flags.system !== undefined) {
      const why = flags.plain ? "--plain continues text" : `${path} has no chat template`;
      throw usageError(`--system is given, but ${why}`, "leave --system out");
    }
    const { maxTokens, seed, system } = flags;
    const temperature = flags.temperature ?? recommended(body, "temperature", 100) ?? DEFAULT_TEMPERATURE;
    const topP = flags.topP ?? recommended(body, "top_p", 1) ?? DEFAULT_TOP_P;
    const generator = createGenerator(body);
    const positions = body.config.maxPositions;
    const settings = { positions, mode, system, maxTokens, temperature, topP, seed } as const;
    const conversation = createConversation({ generator, tokenizer, ...settings });
    try {
      if (flags.prompt !== undefined) {
        const turn = await answer(flags.prompt, conversation, context);
        return { model: path, mode, turns: [turn] };
      }
      if (!stdin.isTTY) return { model: path, mode, turns: await answerLines(conversation, context) };
      const size = `${formatCount(countParameters(body.config))} parameters, ${formatCount(positions)} positions`;
      const how = mode === "chat" ? "Ask it something." : whyPlain(flags.plain);
      context.stderr.write(
        `${path}: ${size}. ${how}\n/new begins anew, /exit or Ctrl-D leaves, Ctrl-C stops an answer.\n`,
      );
      await talk(conversation, mode, context);
      return { model: path, mode, turns: [] };
    } finally {
      await generator.release();
    }
  },
  // Text was shown while it was made.
  human: () => undefined,
});

/** What the makers of the model recommend, where it is a number that can be used. */
function recommended(body: Body, key: "temperature" | "top_p", most: number): number | undefined {
  const value = body.generationConfig?.[key];
  return typeof value === "number" && value > 0 && value <= most ? value : undefined;
}

function whyPlain(wanted: boolean): string {
  const why = wanted ? "" : "It has no chat template: ";
  const how = `${wanted ? "I" : "i"}t continues each line you type; an empty line lets it go on.`;
  return why + how;
}

/** One turn, streamed to standard output unless the result is wanted as JSON; Ctrl-C ends it early. */
async function answer(prompt: string, conversation: Conversation, context: Context): Promise<Turn> {
  const { stdout, json, signal } = context;
  const said = await conversation.say(prompt, {
    signal,
    onText: (text) => void (json || stdout.write(stdout.isTTY ? harmless(text) : text)),
  });
  if (!json) stdout.write("\n");
  signal.throwIfAborted();
  const { text, tokens, promptTokens, ended, seconds } = said;
  return { prompt, text, tokens, promptTokens, ended, tokensPerSecond: tokens / Math.max(seconds, 1e-9) };
}

/** Standard input is no terminal: each line that is not empty is a turn. */
async function answerLines(conversation: Conversation, context: Context): Promise<Turn[]> {
  const turns: Turn[] = [];
  for await (const line of createInterface({ input: context.stdin, crlfDelay: Infinity })) {
    if (line.trim() === "/exit") break;
    if (line.trim() === "/new") conversation.reset();
    else if (line.trim() !== "") turns.push(await answer(line, conversation, context));
  }
  return turns;
}

/** Asks and answers in a terminal until the user leaves. */
async function talk(conversation: Conversation, mode: "chat" | "continue", context: Context): Promise<void> {
  const { stdout, stderr } = context;
  const dim = (text: string): string => styleText("dim", text, { stream: process.stderr });
  const history: string[] = [];
  for (;;) {
    const line = await ask(history, context);
    if (line === undefined || line.trim() === "/exit") return;
    if (line.trim() === "/new") {
      conversation.reset();
      stderr.write(dim("What was said is forgotten.\n"));
      continue;
    }
    if (line.startsWith("/") && /^\/[a-z]+\s*$/.test(line)) {
      stderr.write(dim("The commands are /new and /exit.\n"));
      continue;
    }
    if (line.trim() === "" && mode === "chat") continue;
    const stop = new AbortController();
    let leave = false;
    const release = context.onInterrupt(() => {
      leave = stop.signal.aborted;
      stop.abort();
      if (leave) process.exit(0);
    });
    try {
      const onText = (text: string): void => void stdout.write(harmless(text));
      const { tokens, seconds, ended, dropped } = await conversation.say(line, { onText, signal: stop.signal });
      stdout.write("\n");
      const rate = seconds > 0 ? `, ${(tokens / seconds).toFixed(0)} tok/s` : "";
      const why = ended === "interrupted" ? ", stopped" : ended === "length" ? ", cut by its length" : "";
      const lost = dropped === 0 ? "" : `; the oldest ${dropped} ${mode === "chat" ? "messages" : "tokens"} left out`;
      stderr.write(dim(`(${tokens} tokens${rate}${why}${lost})\n\n`));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      stderr.write(`${error.message}${error.hint === undefined ? "" : `: ${error.hint}`}\n`);
    } finally {
      release();
    }
  }
}

/** A line from the terminal; undefined for Ctrl-D or Ctrl-C. Closed after each line: so Ctrl-C is a signal while text is made. */
async function ask(history: string[], { stdin, stdout, stderr, signal }: Context): Promise<string | undefined> {
  const output = stdout.isTTY ? stdout : stderr;
  const questions = createQuestions({ input: stdin, output, terminal: true, history: [...history], historySize: 200 });
  const ended = new Promise<undefined>((resolve) => {
    questions.once("close", () => resolve(undefined));
    questions.once("SIGINT", () => questions.close());
  });
  try {
    const prompt = styleText(["bold", "cyan"], "> ", { stream: process.stderr });
    const line = await Promise.race([questions.question(prompt, { signal }), ended]);
    if (line === undefined) output.write("\n");
    else if (line.trim() !== "") history.unshift(line);
    return line;
  } finally {
    questions.close();
  }
}
