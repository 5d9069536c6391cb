/** A conversation with a model: turns in, generated text out; not how it is shown. */

import type { Generator } from "../inference/generate.ts";
import type { ChatMessage, Tokenizer } from "../tokenizer/tokenizer.ts";

export interface ConversationOptions {
  readonly generator: Pick<Generator, "generate">;
  readonly tokenizer: Tokenizer;
  /** Positions of the model. */
  readonly positions: number;
  /** Chat turns by the model's template, or text that is simply continued. */
  readonly mode: "chat" | "continue";
  readonly system: string | undefined;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topP: number;
  readonly seed: number;
}

export interface Answer {
  readonly text: string;
  /** Of the answer. */
  readonly tokens: number;
  /** Of what was read, the oldest turns left out where the model's positions end. */
  readonly promptTokens: number;
  /** Messages, or tokens of a continued text, that were left out. */
  readonly dropped: number;
  /** end: by a stop token; length: by `maxTokens` or the model's positions; interrupted: by the signal. */
  readonly ended: "end" | "length" | "interrupted";
  readonly seconds: number;
}

export interface Conversation {
  /** Answers a turn; with "" a continued text goes on where it ended. */
  say(
    text: string,
    options: { readonly onText: (text: string) => void; readonly signal: AbortSignal },
  ): Promise<Answer>;
  /** Forgets everything said. */
  reset(): void;
}

export function createConversation(options: ConversationOptions): Conversation {
  const { generator, tokenizer, positions, mode, system, maxTokens, temperature, topP, seed } = options;
  // Room for the answer: what it needs, but not more than half of the positions.
  const room = positions - Math.min(maxTokens, Math.floor(positions / 2));
  const first: ChatMessage[] = system === undefined ? [] : [{ role: "system", content: system }];
  let messages: ChatMessage[] = [];
  let written: number[] = [];
  let turns = 0;

  const chatPrompt = (): { ids: number[]; dropped: number } => {
    for (let dropped = 0; ; dropped += 2) {
      const kept = messages.slice(dropped);
      const ids = tokenizer.encode(tokenizer.renderChat([...first, ...kept], { addGenerationPrompt: true }));
      if (ids.length <= room || kept.length <= 2) return { ids, dropped };
    }
  };
  const continuedPrompt = (): { ids: number[]; dropped: number } => {
    const beginning = tokenizer.bos ?? tokenizer.separator;
    const kept = written.slice(-(room - 1));
    return { ids: [beginning, ...kept], dropped: written.length - kept.length };
  };

  return {
    say: async (text, { onText, signal }) => {
      const before = { messages, written };
      if (mode === "chat") messages = [...messages, { role: "user", content: text }];
      else written = text === "" ? written : tokenizer.encode(text);
      try {
        const { ids, dropped } = mode === "chat" ? chatPrompt() : continuedPrompt();
        const stream = tokenizer.stream();
        const began = performance.now();
        let answer = "";
        const show = (piece: string): void => {
          answer += piece;
          if (piece !== "") onText(piece);
        };
        const made = await generator.generate(ids, {
          maxTokens,
          temperature,
          topP,
          seed: (seed + turns++) >>> 0,
          stop: tokenizer.stop,
          onToken: (id) => show(stream.push(id)),
          signal,
        });
        show(stream.end());
        const seconds = (performance.now() - began) / 1000;
        messages = [...messages, { role: "assistant", content: answer }];
        written = [...written, ...made];
        const full = made.length >= maxTokens || ids.length + made.length > positions;
        const ended = full ? "length" : signal.aborted ? "interrupted" : "end";
        return { text: answer, tokens: made.length, promptTokens: ids.length, dropped, ended, seconds };
      } catch (error) {
        ({ messages, written } = before);
        throw error;
      }
    },
    reset: () => {
      messages = [];
      written = [];
    },
  };
}
