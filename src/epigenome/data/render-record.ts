/** Records of any shape to token ids, with what of them is trained: the last step before packing. */

import { UserError } from "../../errors.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import type { DataRecord } from "./forms.ts";
import { createDialogueRenderer } from "./render-dialogue.ts";
import type { RenderedRecord } from "./render-dialogue.ts";

/**
 * A function from records, and where they stand (file and line, for messages), to token ids. Of a text every token is
 * trained, of a prompt and its completion the completion's, of a dialogue the answers. No separator is put around a record,
 * and special tokens that it spells are plain text.
 *
 * @returns its function throws UserError "unsupported" for a dialogue where the tokenizer has no chat template, "invalid"
 *   where the template refuses the messages
 */
export function createRecordRenderer(tokenizer: Tokenizer): (record: DataRecord, place: string) => RenderedRecord {
  let dialogue: ReturnType<typeof createDialogueRenderer> | undefined;
  const allOf = (ids: readonly number[], isTrained: boolean): boolean[] => ids.map(() => isTrained);
  return (record, place) => {
    switch (record.kind) {
      case "text": {
        const ids = tokenizer.encodeContent(record.text);
        return { ids, trained: allOf(ids, true), bytes: Buffer.byteLength(record.text), answers: "all" };
      }
      case "completion": {
        const [prompt, completion] = [record.prompt, record.completion].map((text) => tokenizer.encodeContent(text));
        const trained = [...allOf(prompt!, false), ...allOf(completion!, true)];
        const bytes = Buffer.byteLength(record.completion);
        return { ids: [...prompt!, ...completion!], trained, bytes, answers: "all" };
      }
      case "dialogue":
        return inPlace(() => (dialogue ??= createDialogueRenderer(tokenizer))(record.messages), place);
    }
  };
}

/** A refusal, with the record that was refused. */
function inPlace(render: () => RenderedRecord, place: string): RenderedRecord {
  try {
    return render();
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    throw new UserError(cause.code, `${place}: ${cause.message}`, { hint: cause.hint ?? "check the roles", cause });
  }
}
