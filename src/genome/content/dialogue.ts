/** Conversations as the text of a gene, there and back. Where they come from is not its business. */
import { UserError } from "../../errors.ts";
import { withoutFinalLineFeeds } from "./scan.ts";

export interface Message {
  readonly role: "user" | "assistant";
  /** Without line feeds at its end. */
  readonly content: string;
}

export type Conversation = readonly Message[];

const labels = { user: "User: ", assistant: "Assistant: " } as const satisfies Record<Message["role"], string>;

/**
 * Writes conversations as text: each message begins with `User: ` or `Assistant: `, one blank line comes between
 * messages, two between conversations. A line of a message that begins with such a label, escaped or not, gets one more
 * leading backslash. Line feeds at the end of a message are dropped.
 */
export function formatDialogue(conversations: readonly Conversation[]): string {
  const texts = conversations
    .filter((messages) => messages.length > 0)
    .map((messages) => messages.map(({ role, content }) => labels[role] + escapeMessage(content)).join("\n\n"));
  return texts.length === 0 ? "" : `${texts.join("\n\n\n")}\n`;
}

/**
 * Reads the conversations of a text that the transform `dialogue@1` made; the inverse of `formatDialogue`.
 *
 * @throws UserError "damaged" where the text does not begin with a message
 */
export function parseDialogue(text: string): Conversation[] {
  if (text === "") return [];
  if (!/^(?:User|Assistant): /.test(text)) {
    throw new UserError("damaged", `a dialogue begins with ${JSON.stringify(text.slice(0, 40))}, not with a message`, {
      hint: "Read only texts with the transform dialogue@1, and build the genome again where it was edited.",
    });
  }
  return text
    .replace(/\n$/, "")
    .split(/\n\n\n(?=(?:User|Assistant): )/)
    .map((conversation) => conversation.split(/\n\n(?=(?:User|Assistant): )/).map(parseMessage));
}

function parseMessage(text: string): Message {
  const role = text.startsWith(labels.user) ? "user" : "assistant";
  return { role, content: text.slice(labels[role].length).replace(/(^|\n)\\(?=\\*(?:User|Assistant): )/g, "$1") };
}

function escapeMessage(content: string): string {
  return withoutFinalLineFeeds(content).replace(/(^|\n)(?=\\*(?:User|Assistant): )/g, "$1\\");
}
