/** Messages to token ids by the model's chat template, with the answers marked as what is trained. */

import { UserError } from "../../errors.ts";
import type { ChatMessage, Tokenizer } from "../../tokenizer/tokenizer.ts";
import { createContents } from "./contents.ts";
import type { Contents, Span } from "./contents.ts";
import type { DialogueMessage } from "./forms.ts";

export interface RenderedRecord {
  readonly ids: readonly number[];
  /** Of each id, whether predicting it is trained. */
  readonly trained: readonly boolean[];
  /** UTF-8 bytes of the text of the ids that are trained; special tokens, such as one that ends a turn, have none. */
  readonly bytes: number;
  /**
   * Which answers are trained: "all", or "last" where the template writes earlier turns otherwise than it wrote them while
   * they were the last, so that an earlier answer would be trained after a beginning that no conversation has.
   */
  readonly answers: "all" | "last";
}

/**
 * A function from messages to token ids, with the answers (assistant messages, each with the token that ends its turn)
 * marked as trained. What follows the last answer trains nothing and is left out; without an answer there are no ids.
 *
 * The ids are those of the template's rendering, but special tokens that a content spells are plain text. An answer's span
 * is what its message adds to the rendering of the messages before it with the generation prompt, as generation meets it,
 * up to the token that ends the turn; each span is encoded on its own, as it is while generating.
 *
 * @returns its function throws UserError "invalid" where the template refuses the messages
 * @throws UserError "unsupported" without a chat template
 */
export function createDialogueRenderer(tokenizer: Tokenizer): (messages: readonly DialogueMessage[]) => RenderedRecord {
  if (tokenizer.chatTemplate === undefined) {
    throw new UserError("unsupported", "the model's tokenizer has no chat template, which dialogues need", {
      hint: "add chat_template.jinja to the model's folder, take a recipe with a chatTemplate (such as dialogue), choose a chat model, or give the data as text",
    });
  }
  const contents = createContents(tokenizer);
  const stop = new Set(tokenizer.stop);
  return (messages) => {
    const last = messages.findLastIndex(({ role }) => role === "assistant");
    const escaped = messages
      .slice(0, last + 1)
      .map(({ role, content }) => ({ role, content: contents.escape(content) }));
    if (escaped.length === 0) return { ids: [], trained: [], bytes: 0, answers: "all" };
    const rendered = tokenizer.renderChat(escaped, { addGenerationPrompt: false });
    const rendering = { text: rendered, stops: contents.find(stop, rendered) };
    const all = everyAnswer(tokenizer, escaped, rendering);
    const spans = all ?? [lastAnswer(tokenizer, escaped, rendering)];
    return { ...encodeSpans(contents, rendered, spans), answers: all === undefined ? "last" : "all" };
  };
}

/** A dialogue as the template writes it, and where the tokens stand that end a turn. */
interface Rendering {
  readonly text: string;
  readonly stops: readonly Span[];
}

/** Undefined where the rendering of a beginning of the dialogue is not the beginning of its rendering. */
function everyAnswer(
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  { text, stops }: Rendering,
): Span[] | undefined {
  const spans: Span[] = [];
  for (const [k, { role, content }] of messages.entries()) {
    if (role !== "assistant") continue;
    const before = tryRender(tokenizer, messages.slice(0, k), true);
    const through = k === messages.length - 1 ? text : tryRender(tokenizer, messages.slice(0, k + 1), false);
    if (before === undefined || through === undefined) return undefined;
    if (!through.startsWith(before) || !text.startsWith(through)) return undefined;
    const from = before.length;
    if (from < (spans.at(-1)?.end ?? 0)) return undefined;
    const stop = stops.find(({ start, end }) => start >= from && end <= through.length);
    const end = stop?.end ?? through.length;
    const at = beginOf(content, text, stop?.start ?? end);
    // White space between the prompt and the content is for the model to write; a header, where the template knows no
    // generation prompt, is not, nor what else it puts before an answer.
    const isHeader = at > from && text.slice(from, at).trim() !== "";
    spans.push({ start: isHeader ? at : from, end });
  }
  return spans;
}

function lastAnswer(tokenizer: Tokenizer, messages: readonly ChatMessage[], { text, stops }: Rendering): Span {
  const stop = stops.at(-1);
  const isStopped = stop !== undefined && text.slice(stop.end).trim() === "";
  const end = isStopped ? stop.end : text.length;
  const at = beginOf(messages.at(-1)!.content, text, isStopped ? stop.start : end);
  if (at >= 0) return { start: at, end };
  // The template has changed the content: what the generation prompt and the rendering share comes before the answer.
  const before = tryRender(tokenizer, messages.slice(0, -1), true) ?? "";
  const turn = (isStopped ? stops.at(-2) : stop)?.end ?? 0;
  return { start: Math.min(Math.max(commonLength(before, text), turn), end), end };
}

/** Where a content begins that ends before a place, as far as can be told; -1 where the rendering does not hold it. */
function beginOf(content: string, rendered: string, end: number): number {
  const inner = content.trim();
  return end < inner.length ? -1 : rendered.lastIndexOf(inner, end - inner.length);
}

/** Undefined where the template refuses: some want a user's message first, or an answer after each. */
function tryRender(tokenizer: Tokenizer, messages: readonly ChatMessage[], prompt: boolean): string | undefined {
  try {
    return tokenizer.renderChat(messages, { addGenerationPrompt: prompt });
  } catch (error) {
    if (error instanceof UserError && error.code === "invalid") return undefined;
    throw error;
  }
}

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

function encodeSpans(
  contents: Contents,
  rendered: string,
  spans: readonly Span[],
): Pick<RenderedRecord, "ids" | "trained" | "bytes"> {
  const ids: number[] = [];
  const trained: boolean[] = [];
  let bytes = 0;
  const add = (piece: string, isTrained: boolean): void => {
    for (const id of contents.encode(piece)) {
      ids.push(id);
      trained.push(isTrained);
    }
  };
  let position = 0;
  for (const { start, end } of spans) {
    add(rendered.slice(position, start), false);
    add(rendered.slice(start, end), true);
    bytes += Buffer.byteLength(contents.plain(rendered.slice(start, end)));
    position = end;
  }
  add(rendered.slice(position), false);
  return { ids, trained, bytes };
}
