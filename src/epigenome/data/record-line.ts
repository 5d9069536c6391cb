/** Records as lines of JSONL, one way of writing for each form, so that equal records are equal lines. */
import type { DataRecord, Form } from "./forms.ts";

/** Text without what must not be trained on, and how many pieces were masked, by kind. */
export type Mask = (text: string) => { readonly text: string; readonly masked: Readonly<Record<string, number>> };

/** A record of a form as one line of JSON, with the fields that are read of it: it reads as the same record again. */
export function recordLine(form: Form, record: DataRecord): string {
  switch (record.kind) {
    case "text":
      return JSON.stringify({ text: record.text });
    case "completion": {
      const { prompt, completion } = record;
      // The line break that joins the two is no part of the question.
      if (form === "question-answer") return JSON.stringify({ question: prompt.slice(0, -1), answer: completion });
      return JSON.stringify({ prompt, completion });
    }
    case "dialogue":
      return JSON.stringify({ messages: record.messages.map(({ role, content }) => ({ role, content })) });
  }
}

/** A record with every text in it masked; `count` hears of each kind how many pieces. */
export function maskRecord(record: DataRecord, mask: Mask, count: (kind: string, pieces: number) => void): DataRecord {
  const masked = (text: string): string => {
    const result = mask(text);
    for (const [kind, pieces] of Object.entries(result.masked)) count(kind, pieces);
    return result.text;
  };
  switch (record.kind) {
    case "text":
      return { kind: "text", text: masked(record.text) };
    case "completion":
      return { kind: "completion", prompt: masked(record.prompt), completion: masked(record.completion) };
    case "dialogue":
      return {
        kind: "dialogue",
        messages: record.messages.map(({ role, content }) => ({ role, content: masked(content) })),
      };
  }
}

/** All that somebody wrote in a record, line by line. */
export function contentsOfRecord(record: DataRecord): string {
  switch (record.kind) {
    case "text":
      return record.text;
    case "completion":
      return `${record.prompt}\n${record.completion}`;
    case "dialogue":
      return record.messages.map(({ content }) => content).join("\n");
  }
}
