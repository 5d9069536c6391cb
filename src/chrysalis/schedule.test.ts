import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { learningRateAt } from "./schedule.ts";

test("rises linearly, stays, and falls as 1 - sqrt of the progress", () => {
  const rates = Array.from({ length: 10 }, (_, step) =>
    learningRateAt(step, { peak: 8, warmup: 4, total: 10, decay: 3 }),
  );
  const falling = [1, 2, 3].map((into) => 8 * (1 - Math.sqrt(into / 4)));
  assert.deepEqual(rates, [2, 4, 6, 8, 8, 8, 8, ...falling]);
});

test("while the length is undecided there is no decay", () => {
  assert.equal(learningRateAt(1e9, { peak: 3, warmup: 10, total: Infinity, decay: 0 }), 3);
});

test("is positive, at most the peak, and never rises after the warm-up", () => {
  const sizes = fc.record({
    warmup: fc.nat(50),
    total: fc.integer({ min: 1, max: 200 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(sizes, ({ warmup, total, share }) => {
      const schedule = { peak: 1, warmup, total, decay: Math.round(share * total) };
      let last = Infinity;
      for (let step = 0; step < total; step++) {
        const rate = learningRateAt(step, schedule);
        assert.ok(rate > 0 && rate <= 1);
        if (step >= warmup) assert.ok(rate <= last);
        last = rate;
      }
    }),
  );
});
