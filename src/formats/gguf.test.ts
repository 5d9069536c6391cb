import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import * as fc from "fast-check";
import { UserError } from "../errors.ts";
import { openGguf } from "./gguf.ts";
import { buildGguf, f32Tensor, string, u32 } from "../../test/support/build-gguf.ts";
import type { GgufTestFile, GgufTestValue } from "../../test/support/build-gguf.ts";
import { failsWith } from "../../test/support/user-error.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gguf-"));
});
after(() => rm(folder, { recursive: true }));

async function put(bytes: Uint8Array): Promise<string> {
  const path = join(folder, "x.gguf");
  await writeFile(path, bytes);
  return path;
}

const SMALL = {
  metadata: { "general.architecture": string("llama"), "llama.block_count": u32(1) },
  tensors: [
    f32Tensor("a", [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)),
    {
      name: "b",
      shape: [1, 32],
      type: 8,
      data: Uint8Array.of(0, 0x3c, ...Array.from({ length: 32 }, (_, i) => i - 16)),
    },
  ],
} as const satisfies GgufTestFile;

for (const version of [2, 3]) {
  test(`version ${version}: every kind of metadata, tensors with the outermost dimension first`, async () => {
    const values: Record<string, [GgufTestValue, unknown]> = {
      u8: [{ type: 0, value: 255 }, 255],
      i8: [{ type: 1, value: -1 }, -1],
      u16: [{ type: 2, value: 65535 }, 65535],
      i16: [{ type: 3, value: -2 }, -2],
      u32: [{ type: 4, value: 2 ** 32 - 1 }, 2 ** 32 - 1],
      i32: [{ type: 5, value: -3 }, -3],
      f32: [{ type: 6, value: 1.5 }, 1.5],
      bool: [{ type: 7, value: 1 }, true],
      string: [string("ä\n"), "ä\n"],
      u64: [{ type: 10, value: 2n ** 53n }, 2n ** 53n],
      small: [{ type: 10, value: 7n }, 7],
      i64: [{ type: 11, value: -4n }, -4],
      f64: [{ type: 12, value: 0.1 }, 0.1],
      strings: [{ type: 9, elementType: 8, value: [string("a"), string("")] }, ["a", ""]],
      nested: [
        { type: 9, elementType: 9, value: [{ type: 9, elementType: 5, value: [{ type: 5, value: 1 }] }] },
        [[1]],
      ],
      none: [{ type: 9, elementType: 4, value: [] }, []],
    };
    const metadata = Object.fromEntries(Object.entries(values).map(([key, [value]]) => [key, value]));
    const file = await openGguf(await put(buildGguf({ version, metadata, tensors: SMALL.tensors })));
    for (const [key, [, expected]] of Object.entries(values)) assert.deepEqual(file.metadata.get(key), expected, key);
    assert.deepEqual(file.tensors.get("a")?.shape, [2, 3]);
    assert.equal(file.tensors.get("b")?.type, "Q8_0");
    assert.deepEqual([...(await file.readF32("a"))], [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(
      [...(await file.readF32("b"))],
      Array.from({ length: 32 }, (_, i) => i - 16),
    );
    await file.close();
  });
}

test("a tensor of several chunks, and an alignment of its own", async () => {
  const values = Float32Array.from({ length: (1 << 20) + 64 }, (_, i) => i);
  const bytes = buildGguf({
    alignment: 64,
    metadata: { "general.alignment": u32(64) },
    tensors: [f32Tensor("first", [1], Float32Array.of(9)), f32Tensor("long", [values.length], values)],
  });
  const file = await openGguf(await put(bytes));
  assert.deepEqual(await file.readF32("long"), values);
  assert.deepEqual([...(await file.readF32("first"))], [9]);
  await file.close();
});

test("a header beyond the first read is read on", async () => {
  const text = "x".repeat(5 << 20);
  const file = await openGguf(await put(buildGguf({ ...SMALL, metadata: { text: string(text), last: u32(7) } })));
  assert.equal(file.metadata.get("text"), text);
  assert.equal(file.metadata.get("last"), 7);
  assert.deepEqual([...(await file.readF32("a"))], [1, 2, 3, 4, 5, 6]);
  await file.close();
});

/** Arrays of one array each. */
function nested(depth: number): GgufTestValue {
  return { type: 9, elementType: depth === 1 ? 4 : 9, value: depth === 1 ? [] : [nested(depth - 1)] };
}

test("every wrong field of a header is named", async () => {
  const [a, b] = SMALL.tensors;
  const cases: [GgufTestFile, "damaged" | "unsupported", RegExp][] = [
    [{ ...SMALL, version: 1 }, "unsupported", /GGUF version 1/],
    [{ ...SMALL, version: 0x03000000 }, "unsupported", /big-endian/],
    [{ ...SMALL, tensorCount: 2n ** 62n }, "damaged", /4611686018427387904 tensors/],
    [{ ...SMALL, keyCount: 2n ** 40n }, "damaged", /1099511627776 metadata keys/],
    [{ ...SMALL, tensorCount: 3n }, "damaged", /truncated|bytes in a tensor's name|dimensions/],
    [{ ...SMALL, metadata: { x: { type: 13 as 4, value: 0 } } }, "damaged", /metadata "x" has the unknown type 13/],
    [{ ...SMALL, metadata: { x: nested(6) } }, "damaged", /metadata "x" nests arrays too deeply/],
    [{ ...SMALL, metadata: { "general.alignment": u32(0) } }, "damaged", /general\.alignment 0/],
    [{ ...SMALL, metadata: { "general.alignment": string("32") } }, "damaged", /general\.alignment 32/],
    [{ ...SMALL, tensors: [a, { ...b, type: 16 }] }, "unsupported", /tensor "b" has the type IQ2_XXS/],
    [{ ...SMALL, tensors: [a, { ...b, type: 4 }] }, "unsupported", /tensor "b" has the type 4/],
    [{ ...SMALL, tensors: [a, { ...b, shape: [32, 1] }] }, "damaged", /rows of 1, Q8_0 needs a multiple of 32/],
    [{ ...SMALL, tensors: [a, { ...b, shape: [1, 1, 1, 1, 32] }] }, "damaged", /"b" has 5 dimensions/],
    [
      { ...SMALL, tensors: [{ ...a, shape: [2 ** 40, 2 ** 40] }] },
      "damaged",
      /impossible shape \[1099511627776, 1099511627776\]/,
    ],
    [{ ...SMALL, tensors: [{ ...a, shape: [2, 4] }] }, "damaged", /truncated: tensor "a" ends at byte/],
    [{ ...SMALL, tensors: [a, { ...b, offset: 0 }] }, "damaged", /overlaps/],
    [{ ...SMALL, tensors: [a, { ...b, offset: 33 }] }, "damaged", /"b" starts at 33, not a multiple of 32/],
    [{ ...SMALL, tensors: [a, { ...b, name: "a" }] }, "damaged", /two tensors are named "a"/],
  ];
  for (const [file, code, message] of cases) {
    await assert.rejects(openGguf(await put(buildGguf(file))), failsWith(code, message));
  }
  await assert.rejects(
    openGguf(await put(Buffer.from("GGML, and then some more bytes"))),
    failsWith("damaged", /not a GGUF file/),
  );
  await assert.rejects(openGguf(await put(new Uint8Array(0))), failsWith("damaged", /not a GGUF file/));
  await assert.rejects(openGguf(join(folder, "absent.gguf")), failsWith("not-found", /absent/));
});

test("a file cut anywhere is refused at opening", async () => {
  const good = buildGguf(SMALL);
  for (let length = 0; length < good.length; length += 1) {
    await assert.rejects(
      openGguf(await put(good.subarray(0, length))),
      failsWith("damaged", /truncated|not a GGUF file/),
    );
  }
});

test("random damage is refused or read, never a crash", async () => {
  const good = buildGguf({
    ...SMALL,
    metadata: { ...SMALL.metadata, tokens: { type: 9, elementType: 8, value: [string("a"), string("bc")] } },
  });
  const edit = fc.record({ at: fc.nat(good.length - 1), to: fc.nat(255) });
  const damaged = fc.oneof(
    fc.uint8Array({ maxLength: 100 }).map((tail) => Buffer.concat([good.subarray(0, 24), tail])),
    fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => {
      const bytes = Uint8Array.from(good);
      for (const { at, to } of edits) bytes[at] = to;
      return bytes;
    }),
  );
  await fc.assert(
    fc.asyncProperty(damaged, async (bytes) => {
      try {
        const file = await openGguf(await put(bytes));
        try {
          for (const { name, shape } of file.tensors.values()) {
            assert.equal(
              (await file.readF32(name)).length,
              shape.reduce((x, y) => x * y, 1),
            );
          }
        } finally {
          await file.close();
        }
      } catch (error) {
        assert.ok(error instanceof UserError, String(error));
      }
    }),
    { numRuns: 1000, seed: 2 },
  );
});
