/** The forms in which records of training data are written, and the shapes they all come to; where from is not known here. */

/** Most messages of a dialogue: rendering looks at the dialogue once more for every answer in it. */
const MAX_MESSAGES = 1000;

export type Role = "system" | "user" | "assistant" | "tool";

export interface DialogueMessage {
  readonly role: Role;
  readonly content: string;
}

/** What a record is to training: a document; a document of which only the completion is trained; a dialogue. */
export type DataRecord =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "completion"; readonly prompt: string; readonly completion: string }
  | { readonly kind: "dialogue"; readonly messages: readonly DialogueMessage[] };

/** Why a record does not have the form that was expected of it. */
export interface Misfit {
  readonly kind: "misfit";
  readonly problem: string;
}

type Fields = Readonly<Record<string, unknown>>;

interface FormDefinition {
  /** Its fields, for people. */
  readonly fields: string;
  /** Whether a record has the form, by the fields that make it one. */
  matches(fields: Fields): boolean;
  read(fields: Fields): DataRecord | Misfit;
}

/** In the order in which they are looked for: what says more comes before what says less. */
const definitions = {
  messages: {
    fields: "`messages` or `conversations` with role and content",
    matches: (fields) => firstOf(fields)?.["role"] !== undefined,
    read: (fields) => readDialogue(fields, "role", "content"),
  },
  sharegpt: {
    fields: "`conversations` with from and value",
    matches: (fields) => firstOf(fields)?.["from"] !== undefined,
    read: (fields) => readDialogue(fields, "from", "value"),
  },
  alpaca: {
    fields: "`instruction`, `output` and perhaps `input`",
    matches: (fields) => isText(fields["instruction"]) && isText(fields["output"]),
    read: readAlpaca,
  },
  "prompt-completion": {
    fields: "`prompt` and `completion`",
    matches: (fields) => isText(fields["prompt"]) && isText(fields["completion"]),
    // Joined as they are, as OpenAI's and TRL's formats of this name are: the white space between is the data's own.
    read: (fields) => readPair(fields, "prompt", "completion", ""),
  },
  "question-answer": {
    fields: "`question` and `answer`",
    matches: (fields) => isText(fields["question"]) && isText(fields["answer"]),
    read: (fields) => readPair(fields, "question", "answer", "\n"),
  },
  text: {
    fields: "`text`",
    matches: (fields) => isText(fields["text"]),
    read: (fields) =>
      isText(fields["text"]) ? { kind: "text", text: fields["text"] } : misfit(describeField(fields, "text")),
  },
} as const satisfies Record<string, FormDefinition>;

export type Form = keyof typeof definitions;

export const forms = Object.keys(definitions) as readonly Form[];

/** Every field that some form reads. */
export const formFields: readonly string[] =
  "messages conversations system instruction input output prompt completion question answer text".split(" ");

/** The forms in words: "text (`text`), ...". */
export const formsInWords = forms.map((form) => `${form} (${definitions[form].fields})`).join(", ");

/** The first form, in the order of `forms`, that a record has; undefined where it has none. */
export function detectForm(value: unknown): Form | undefined {
  return isFields(value) ? forms.find((form) => definitions[form].matches(value)) : undefined;
}

export interface ReadOptions {
  /** Whether prompts and questions become messages of a user, completions and answers those of an assistant. Default false. */
  readonly asDialogue?: boolean;
}

/**
 * A record of a form as one of the shapes; fields that the form does not know are passed over.
 *
 * - Roles are mapped (human, gpt, bot, model, function ...); one that is not known is a misfit. A field `system` beside
 *   the messages opens a dialogue that has no system message.
 * - Alpaca becomes one exchange without a system message. An input is joined to its instruction under the heading of
 *   Alpaca's own prompt (Taori et al. 2023, github.com/tatsu-lab/stanford_alpaca).
 * - Prompt and completion are joined as they are, question and answer by a line break.
 */
export function readRecord(form: Form, value: unknown, options: ReadOptions = {}): DataRecord | Misfit {
  if (!isFields(value)) return misfit(`it is ${typeName(value)}, not an object with fields`);
  const record = definitions[form].read(value);
  if (record.kind !== "completion" || !options.asDialogue) return record;
  return exchange(form === "question-answer" ? record.prompt.slice(0, -1) : record.prompt, record.completion);
}

/** Whether training would find something to predict in a record. */
export function isTrainable(record: DataRecord): boolean {
  switch (record.kind) {
    case "text":
      return record.text !== "";
    case "completion":
      return record.completion !== "";
    case "dialogue":
      return record.messages.some(({ role, content }) => role === "assistant" && content !== "");
  }
}

/** What a value that has no form holds instead, for a message about it. */
export function describeUnknown(value: unknown): string {
  if (!isFields(value)) return `a record that is ${typeName(value)}`;
  const names = Object.keys(value).join(", ");
  if (names === "") return "a record without fields";
  return `a record of no known form, with the fields ${names.length > 200 ? `${names.slice(0, 200)}...` : names}`;
}

/** By lower-case name; those of ShareGPT, OpenAI, Llama 3 and Gemma, and what exports of chats write. */
const roles: ReadonlyMap<string, Role> = new Map([
  ...["system", "developer"].map((name) => [name, "system"] as const),
  ...["user", "human", "prompter", "question"].map((name) => [name, "user"] as const),
  ...["assistant", "gpt", "chatgpt", "bot", "chatbot", "model", "ai", "bard", "bing", "claude", "function_call"].map(
    (name) => [name, "assistant"] as const,
  ),
  ...["tool", "function", "function_response", "observation", "ipython"].map((name) => [name, "tool"] as const),
]);

function readDialogue(fields: Fields, roleName: string, contentName: string): DataRecord | Misfit {
  const list = listOf(fields);
  if (list === undefined) return misfit("it has no list `messages` or `conversations`");
  if (list.length === 0) return misfit("its list of messages is empty");
  const messages: DialogueMessage[] = [];
  for (const [i, item] of list.entries()) {
    const number = `message ${i + 1}`;
    if (!isFields(item)) return misfit(`${number} is ${typeName(item)}, not an object`);
    const name = item[roleName];
    if (!isText(name)) return misfit(`${number}: ${describeField(item, roleName)}`);
    const role = roles.get(name.trim().toLowerCase());
    if (role === undefined) return misfit(`${number} has the unknown role "${name.slice(0, 50)}"`);
    const calls = item["tool_calls"];
    if (Array.isArray(calls) && calls.length > 0) return misfit(`${number} has \`tool_calls\`, which are not read`);
    const content = contentOf(item[contentName]);
    if (content === undefined) return misfit(`${number}: ${describeField(item, contentName)}`);
    messages.push({ role, content });
  }
  const { system } = fields;
  if (isText(system) && system !== "" && messages[0]!.role !== "system") {
    messages.unshift({ role: "system", content: system });
  }
  if (messages.length > MAX_MESSAGES) return misfit(`it has ${messages.length} messages, more than ${MAX_MESSAGES}`);
  return { kind: "dialogue", messages };
}

/** A text, or a list of parts that are all text, as OpenAI's API writes them. */
function contentOf(value: unknown): string | undefined {
  if (isText(value)) return value;
  if (!Array.isArray(value)) return undefined;
  const parts = value.map((part: unknown) =>
    isFields(part) && part["type"] === "text" && isText(part["text"]) ? part["text"] : undefined,
  );
  return parts.every((part) => part !== undefined) ? parts.join("") : undefined;
}

function readAlpaca(fields: Fields): DataRecord | Misfit {
  const { instruction, input, output } = fields;
  if (!isText(instruction)) return misfit(describeField(fields, "instruction"));
  if (!isText(output)) return misfit(describeField(fields, "output"));
  if (input !== undefined && input !== null && !isText(input)) return misfit(describeField(fields, "input"));
  return exchange(input ? `${instruction}\n\n### Input:\n${input}` : instruction, output);
}

function readPair(fields: Fields, asked: string, answered: string, between: string): DataRecord | Misfit {
  const [prompt, completion] = [fields[asked], fields[answered]];
  if (!isText(prompt)) return misfit(describeField(fields, asked));
  if (!isText(completion)) return misfit(describeField(fields, answered));
  return { kind: "completion", prompt: prompt + between, completion };
}

function exchange(user: string, assistant: string): DataRecord {
  const messages = [
    { role: "user", content: user },
    { role: "assistant", content: assistant },
  ] as const;
  return { kind: "dialogue", messages };
}

/** The messages; in a cell of a table they are written as JSON. */
function listOf(fields: Fields): readonly unknown[] | undefined {
  for (const list of [fields["messages"], fields["conversations"]]) {
    if (Array.isArray(list)) return list;
    if (!isText(list) || !/^\s*\[/.test(list)) continue;
    try {
      return JSON.parse(list) as unknown[];
    } catch {
      // Not JSON, so not a list: whoever asked says so.
    }
  }
  return undefined;
}

function firstOf(fields: Fields): Fields | undefined {
  const first = listOf(fields)?.[0];
  return isFields(first) ? first : undefined;
}

function describeField(fields: Fields, name: string): string {
  const value = fields[name];
  return value === undefined ? `it has no \`${name}\`` : `\`${name}\` is ${typeName(value)}, not a text`;
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : typeof value === "string" ? "a text" : `a ${typeof value}`;
}

function misfit(problem: string): Misfit {
  return { kind: "misfit", problem };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
