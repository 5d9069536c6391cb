/** How a parent is asked for a question about a passage, and how what it writes is read; whether it is any good is not decided here. */
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import { createContents } from "../data/contents.ts";
import type { Pair } from "./judge-pair.ts";

/** Passages with questions and answers as they are wanted, written for this prompt. */
export const examples: readonly (Pair & { readonly passage: string })[] = [
  {
    passage:
      "The mill at Ardley was built of oak in 1794. It ground wheat for four villages until a flood broke its wheel, and it was never repaired.",
    question: "Why did the mill at Ardley stop grinding wheat?",
    answer: "A flood broke its wheel, and it was never repaired.",
  },
  {
    passage:
      "`retry(task, options)` runs a task again when it fails. `options.times` is the number of attempts, 3 by default, and `options.delay` the wait between two of them in milliseconds.",
    question: "How many attempts does `retry` make by default?",
    answer: "By default it makes 3 attempts.",
  },
];

const INSTRUCTION =
  "Write one question that this passage answers, and the answer in one sentence. Use only facts of the passage. " +
  "The question must be clear to somebody who has not read the passage.";

/** From a passage to the ids to go on from with a question. */
type QuestionPrompt = (passage: string) => number[];

/** The prompts of a model: turns of its chat template where it has one, else a text of examples to go on with. */
export function createQuestionPrompt(tokenizer: Tokenizer): QuestionPrompt {
  return tokenizer.chatTemplate === undefined ? plainPrompt(tokenizer) : chatPrompt(tokenizer);
}

function plainPrompt(tokenizer: Tokenizer): QuestionPrompt {
  const shown = examples.map(
    ({ passage, question, answer }) => `Passage: ${passage}\nQuestion: ${question}\nAnswer: ${answer}\n\n`,
  );

  return (passage) => [
    tokenizer.bos ?? tokenizer.separator,
    ...tokenizer.encodeContent(`${shown.join("")}Passage: ${passage}\nQuestion:`),
  ];
}

function chatPrompt(tokenizer: Tokenizer): QuestionPrompt {
  const contents = createContents(tokenizer);
  const asked = (passage: string): string => `${INSTRUCTION}\n\nPassage: ${passage}`;
  const turns = examples.flatMap(({ passage, question, answer }) => [
    { role: "user", content: asked(passage) },
    { role: "assistant", content: `Question: ${question}\nAnswer: ${answer}` },
  ]);
  return (passage) => {
    const messages = [...turns, { role: "user", content: contents.escape(asked(passage)) }];
    return contents.encode(`${tokenizer.renderChat(messages, { addGenerationPrompt: true })}Question:`);
  };
}

const PAIR = /^\s*([^\n]+?)\s*\n\s*Answer:[ \t]*([^\n]*\S)[ \t]*\n/i;

/** Reads what was written after `Question:`; undefined where it is no question with an answer, each a line of its own. */
export function readPair(text: string): Pair | undefined {
  const [, question, answer] = PAIR.exec(text) ?? [];
  return question === undefined || answer === undefined ? undefined : { question, answer };
}
