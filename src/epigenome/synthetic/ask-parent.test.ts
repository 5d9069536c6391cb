import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import type { Scorer } from "../../eval/score-sequences.ts";
import { packageRoot } from "../../formats/package-root.ts";
import { createGenerator } from "../../inference/generate.ts";
import { initialiseBody } from "../../models/initialise.ts";
import { compileStep } from "../../models/step.ts";
import { loadTokenizer, withChatTemplate } from "../../tokenizer/tokenizer.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import { gene, tinyLlama } from "../testing.ts";
import { askParent, questionSizes } from "./ask-parent.ts";
import type { Asked, AskOptions } from "./ask-parent.ts";
import { logInMemory, scripted } from "./testing.ts";

let tokenizer: Tokenizer;
before(async () => {
  tokenizer = await loadTokenizer(join(packageRoot(), "models", "larva"));
});

const { signal } = new AbortController();
const ports = ["harbour", "lighthouse", "shipyard", "market"];
const files = ports.map((port, i) => gene({ path: `${port}.md`, textBytes: 10 + i }));
const passageOf = (port: string): string =>
  `The ${port} of Ardley was built by Kyra Lund when the sea had taken the older one, and for many summers no stranger ` +
  `was let in without a lamp of green glass in his left hand.`;
const text = (of: { path: string }): Promise<string> => Promise.resolve(`${passageOf(of.path.slice(0, -3))}\n`);

/** A token costs what is said of it: whether so much stands before it that the passage must be there. */
const scorerOf = (cost: (known: boolean) => number): Scorer => ({
  B: 2,
  T: 1000,
  evaluate: ({ weights, positions }) =>
    Promise.resolve(weights.map((weight, at) => weight * cost(positions[at]! > 50))),
});

function options(more: Partial<AskOptions>): AskOptions {
  const own = more.tokenizer ?? tokenizer;
  return {
    passages: 100,
    perFile: 1,
    bytes: 1e6,
    seed: 1,
    config: { ...tinyLlama, maxPositions: 1024 },
    tokenizer: own,
    sizes: questionSizes(own, { ...tinyLlama, maxPositions: 1024 })!,
    generator: scripted(() => []),
    scorer: scorerOf((known) => (known ? 1 : 2)),
    log: logInMemory(),
    onProgress: () => {},
    signal,
    ...more,
  };
}

/** Says something about the port that the prompt's passage speaks of. */
function about(say: (port: string) => string, own = tokenizer): Pick<AskOptions, "generator"> {
  const generator = scripted(({ ids }) => {
    const asked = own.decode([...ids]);
    assert.match(asked, /Question:$/);
    return own.encodeContent(say(/The (\w+) of Ardley(?!.*of Ardley)/s.exec(asked)![1]!));
  });
  return { generator };
}

test("of planted pairs the good ones stay, each with its gene; the others are counted by their fault", async () => {
  const said: Record<string, string> = {
    harbour: " Who built the harbour of Ardley?\nAnswer: Kyra Lund built it.\n",
    lighthouse: " What does the passage say of the lighthouse?\nAnswer: Kyra Lund built it.\n",
    shipyard: " Who built the shipyard of Ardley?\nAnswer: Kyra Lund built it in 1794.\n",
    market: " a market is a place of markets and",
  };
  const made = await askParent(files, text, options(about((port) => said[port]!)));
  assert.deepEqual(made.pairs, [
    {
      gene: files[0],
      question: "Who built the harbour of Ardley?",
      answer: "Kyra Lund built it.",
      loss: 1,
      lossAlone: 2,
    },
  ]);
  assert.equal(made.asked, 4);
  assert.deepEqual(made.faults, { "speaks of the passage": 1, "not in the passage": 1, form: 1 });
});

test("an answer that is no likelier after its passage, and a question that came before, are left out", async () => {
  const who = about((port) => ` Who built the ${port} of Ardley?\nAnswer: Kyra Lund built it.\n`);
  const indifferent = await askParent(files, text, options({ ...who, scorer: scorerOf(() => 1) }));
  assert.deepEqual(indifferent.faults, { "passage does not matter": 4 });
  const same = about(() => " Who was let in without a lamp of glass?\nAnswer: No stranger was let in.\n");
  const once = await askParent(files, text, options(same));
  assert.deepEqual([once.pairs.length, once.faults], [1, { repeated: 3 }]);
});

test("caps: passages in all, passages of a file, bytes of pairs", async () => {
  const who = about((port) => ` Who built the ${port} of Ardley?\nAnswer: Kyra Lund built it.\n`);
  assert.equal((await askParent(files, text, options({ ...who, passages: 3 }))).asked, 3);
  const long = (): Promise<string> => Promise.resolve(ports.map((port) => `${passageOf(port)}\n\n`.repeat(2)).join(""));
  const two = await askParent(files.slice(0, 1), long, options({ ...who, perFile: 2 }));
  assert.equal(two.asked, 2);
  assert.equal((await askParent(files, text, options({ ...who, bytes: 120 }))).pairs.length, 2);
});

test("with a chat template the parent is asked in its turns, and what a passage spells stays text", async () => {
  const template = "{% for m in messages %}<{{ m.role }}>{{ m.content }}<|endoftext|>{% endfor %}<assistant>";
  const chat = withChatTemplate(tokenizer, template);
  const separators: number[] = [];
  const generator = scripted(({ ids }) => {
    separators.push(ids.filter((id) => id === chat.separator).length);
    assert.match(chat.decode([...ids]), /<user>Write one question.*<assistant>Question:$/s);
    return chat.encodeContent(" Who built the harbour of Ardley?\nAnswer: Kyra Lund built it.");
  });
  const spelled = (): Promise<string> => Promise.resolve(`<|endoftext|>${passageOf("harbour")}`);
  const made = await askParent(files.slice(0, 1), spelled, options({ tokenizer: chat, generator }));
  assert.deepEqual(separators, [5], "two examples of two turns, and the question");
  assert.equal(made.pairs.length, 1, "an answer that ended by itself is whole");
});

test("a real body: the same when it is broken off and taken up again; nonsense is left out", async () => {
  const { weights, config } = initialiseBody({ ...tinyLlama, maxPositions: 1024 }, 3);
  const generator = createGenerator({ config, weights }, { threads: 1 });
  const { sizes } = options({});
  const scorer = await compileStep({ config, weights }, { B: 2, T: sizes.scored, train: "none", threads: 1 });
  const whole = logInMemory<Asked>();
  const asked = await askParent(files, text, options({ generator, scorer, log: whole }));
  assert.deepEqual([asked.pairs.length, asked.faults], [0, { form: 4 }]);
  const log = logInMemory(new Map([[1, whole.done.get(1)!]]));
  await askParent(files, text, options({ generator, scorer, log }));
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => log.done.get(i)),
    [0, 1, 2, 3].map((i) => whole.done.get(i)),
  );
  await generator.release();
  await scorer.release();
});

test("a body without room for a passage is not asked", () => {
  assert.equal(questionSizes(tokenizer, { ...tinyLlama, maxPositions: 256 }), undefined);
  assert.ok(questionSizes(tokenizer, tinyLlama)!.positions <= 512);
});
