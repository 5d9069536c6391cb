import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { packageRoot } from "../../formats/package-root.ts";
import { createGenerator } from "../../inference/generate.ts";
import { initialiseBody } from "../../models/initialise.ts";
import { loadTokenizer } from "../../tokenizer/tokenizer.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import { tinyLlama } from "../testing.ts";
import { writeOwnReplay } from "./own-replay.ts";
import type { OwnReplayOptions, OwnText } from "./own-replay.ts";
import { logInMemory, scripted } from "./testing.ts";

let tokenizer: Tokenizer;
before(async () => {
  tokenizer = await loadTokenizer(join(packageRoot(), "models", "larva"));
});

const { signal } = new AbortController();
const options = (more: Partial<OwnReplayOptions> & Pick<OwnReplayOptions, "generator">): OwnReplayOptions => ({
  tokens: 60,
  longest: 12,
  seed: 5,
  config: tinyLlama,
  tokenizer,
  log: logInMemory(),
  onProgress: () => {},
  signal,
  ...more,
});

test("the first texts that have the tokens; empty ones count but are left out, cut ones are marked", async () => {
  const word = tokenizer.encodeContent(" sea")[0]!;
  const lengths = [3, 0, 12, 20, 11, 7, 30];
  let asked = 0;
  const generator = scripted(({ seed, temperature, topP = 1, ids, stop }) => {
    assert.deepEqual([temperature, topP, ids, stop], [1, 1, [tokenizer.separator], [tokenizer.separator]]);
    assert.ok(seed! >= 0);
    return Array.from({ length: lengths[asked++]! }, () => word);
  });
  const texts = await writeOwnReplay(options({ generator, tokens: 41 }));
  // 4 + 1 + 12 + 12 + 12: four tokens are wanted after the fourth text, so a fifth is made, and no sixth.
  assert.deepEqual(
    texts.map(({ tokens, isWhole }) => [tokens, isWhole]),
    [
      [4, true],
      [12, false],
      [12, false],
      [12, true],
    ],
  );
  assert.equal(asked, 5);
});

test("broken off at any place and taken up again, the texts are the same; another seed gives others", async () => {
  const { weights, config } = initialiseBody(tinyLlama, 3);
  const generator = createGenerator({ config, weights }, { threads: 1 });
  const tokens = 800;
  const whole = await writeOwnReplay(options({ generator, tokens }));
  assert.equal(whole.length, 67);
  assert.ok(whole.every(({ text, tokens }) => text !== "" && tokens === 12));
  for (const after of [1, 40]) {
    const log = logInMemory<OwnText>();
    const stop = new AbortController();
    const onProgress = (): void => {
      if (log.done.size === after) stop.abort(new Error("killed"));
    };
    await assert.rejects(
      writeOwnReplay(options({ generator, tokens, log, onProgress, signal: stop.signal })),
      /killed/,
    );
    const before = new Map(log.done);
    assert.deepEqual(await writeOwnReplay(options({ generator, tokens, log })), whole);
    for (const [number, text] of before) assert.equal(log.done.get(number), text, "what was there is not made again");
  }
  assert.notDeepEqual(await writeOwnReplay(options({ generator, tokens, seed: 6 })), whole);
  await generator.release();
});

test("when the time is over, what is there will do", async () => {
  const generator = scripted(() => tokenizer.encodeContent("one two three"));
  const log = logInMemory<OwnText>();
  const texts = await writeOwnReplay(options({ generator, log, tokens: 1000, seconds: 3 }));
  assert.equal(texts.length, 3);
  const late = { ...log, seconds: () => 3 };
  const begun = scripted(() => tokenizer.encodeContent("one two three"));
  assert.equal((await writeOwnReplay(options({ generator: begun, log: late, tokens: 1000, seconds: 3 }))).length, 3);
  // The clock strikes while a text is under way: what there is of it stays, without an end.
  let ticks = 0;
  const slow = { ...logInMemory<OwnText>(), seconds: () => ticks++ };
  const cut = await writeOwnReplay(options({ generator: begun, log: slow, tokens: 1000, seconds: 3 }));
  assert.deepEqual(
    cut.map(({ tokens, isWhole }) => [tokens, isWhole]),
    [[3, false]],
  );
});
