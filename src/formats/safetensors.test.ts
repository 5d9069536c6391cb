import assert from "node:assert/strict";
import { mkdtemp, open, readFile, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import * as fc from "fast-check";
import { UserError } from "../errors.ts";
import { openSafetensors, writeSafetensors } from "./safetensors.ts";
import { failsWith } from "../../test/support/user-error.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "safetensors-"));
});
after(() => rm(folder, { recursive: true }));

/** A file of this header and data, whatever they say. */
async function put(header: unknown, dataBytes: number, change: { length?: bigint } = {}): Promise<string> {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = Buffer.alloc(8 + json.length + dataBytes);
  bytes.writeBigUInt64LE(change.length ?? BigInt(json.length));
  json.copy(bytes, 8);
  const path = join(folder, "bad.safetensors");
  await writeFile(path, bytes);
  return path;
}

const tensor = (shape: unknown, from: number, to: number, dtype: unknown = "F32") => ({
  dtype,
  shape,
  data_offsets: [from, to],
});

test("what is written reads back: values rounded to the type, names, shapes, metadata, order", async () => {
  const path = join(folder, "a.safetensors");
  const long = Float32Array.from({ length: (1 << 20) + 5 }, (_, i) => i % 251);
  await writeSafetensors(
    path,
    [
      { name: "half", dtype: "F16", shape: [3], data: Float32Array.of(1, 0.1, -65504) },
      { name: "brain", dtype: "BF16", shape: [1, 1], data: () => Float32Array.of(0.1) },
      { name: "full", dtype: "F32", shape: [2, 2], data: async () => Float32Array.of(1, 2, 3, NaN) },
      { name: "long", dtype: "BF16", shape: [long.length], data: long },
      { name: "empty", dtype: "F32", shape: [0, 4], data: new Float32Array(0) },
    ],
    { metadata: { format: "pt" } },
  );
  const file = await openSafetensors(path);
  assert.deepEqual([...file.tensors.keys()].toSorted(), ["brain", "empty", "full", "half", "long"]);
  assert.deepEqual(file.metadata, new Map([["format", "pt"]]));
  assert.deepEqual(file.tensors.get("full")?.shape, [2, 2]);
  assert.deepEqual([...(await file.readF32("half"))], [1, 0.0999755859375, -65504]);
  assert.deepEqual([...(await file.readF32("brain"))], [0.10009765625]);
  assert.deepEqual([...(await file.readF32("full"))], [1, 2, 3, NaN]);
  assert.deepEqual(await file.readF32("long"), long);
  assert.equal((await file.readF32("empty")).length, 0);
  assert.deepEqual([...(await file.readBytes("brain"))], [0xcd, 0x3d]);
  await assert.rejects(async () => file.readF32("absent"), failsWith("mismatch", /no tensor "absent"/));
  await file.close();
});

test("the bytes are those of the format: 8-byte header length, JSON padded to 8, data from there", async () => {
  const path = join(folder, "b.safetensors");
  await writeSafetensors(path, [{ name: "x", dtype: "F32", shape: [1], data: Float32Array.of(1) }]);
  const json = '{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  ';
  assert.deepEqual(
    await readFile(path),
    Buffer.concat([
      Buffer.from([json.length, 0, 0, 0, 0, 0, 0, 0]),
      Buffer.from(json),
      Buffer.from([0, 0, 0x80, 0x3f]),
    ]),
  );
});

test("F32 stand before 16-bit tensors, so that every one of them is aligned", async () => {
  const path = join(folder, "d.safetensors");
  await writeSafetensors(path, [
    { name: "odd", dtype: "BF16", shape: [1], data: Float32Array.of(1) },
    { name: "full", dtype: "F32", shape: [1], data: Float32Array.of(2) },
    { name: "last", dtype: "F16", shape: [1], data: Float32Array.of(3) },
  ]);
  const file = await openSafetensors(path);
  assert.deepEqual([...file.tensors.keys()], ["full", "odd", "last"]);
  await file.close();
});

test("a failure while writing leaves no file", async () => {
  const failing = writeSafetensors(join(folder, "c.safetensors"), [
    {
      name: "x",
      dtype: "F32",
      shape: [1],
      data: () => {
        throw new Error("stop");
      },
    },
  ]);
  await assert.rejects(failing, /stop/);
  assert.equal(
    (await readdir(folder)).some((name) => name.startsWith("c.")),
    false,
  );
});

test("F64 is rounded to f32; integers have bytes but no f32", async () => {
  const bytes = Buffer.alloc(16);
  bytes.writeDoubleLE(0.1);
  const path = await put({ d: tensor([1], 0, 8, "F64"), i: tensor([1], 8, 16, "I64") }, 16);
  const whole = await readFile(path);
  bytes.copy(whole, whole.length - 16);
  await writeFile(path, whole);
  const file = await openSafetensors(path);
  assert.deepEqual([...(await file.readF32("d"))], [Math.fround(0.1)]);
  await assert.rejects(file.readF32("i"), failsWith("unsupported", /tensor "i" holds I64/));
  assert.equal((await file.readBytes("i")).length, 8);
  await file.close();
});

test("every wrong field of a header is named", async () => {
  const good = { a: tensor([2], 0, 8), b: tensor([1, 1], 8, 12) };
  await (await openSafetensors(await put(good, 12))).close();
  const cases: [Parameters<typeof put>, "damaged" | "unsupported", RegExp][] = [
    [[good, 11], "damaged", /truncated: the tensors end at byte \d+, the file at \d+/],
    [[good, 13], "damaged", /1 bytes follow the last tensor/],
    [[good, 12, { length: 2n ** 63n }], "damaged", /header of 9223372036854775808 bytes/],
    [[good, 12, { length: 1_000_000n }], "damaged", /truncated: the header ends at byte 1000008/],
    [[good, 12, { length: 5n }], "damaged", /not valid JSON/],
    [["[]", 0], "damaged", /not a JSON object/],
    [["", 0], "damaged", /not valid JSON/],
    [[{ ...good, c: tensor([1], 4, 8) }, 12], "damaged", /tensor "c" starts at byte \d+ and overlaps/],
    [[{ a: tensor([2], 0, 8), b: tensor([1], 12, 16) }, 16], "damaged", /tensor "b" .* leaves a gap/],
    [[{ a: tensor([2], 4, 12) }, 12], "damaged", /tensor "a" .* leaves a gap/],
    [[{ a: tensor([3], 0, 8) }, 8], "damaged", /tensor "a" of shape \[3\] and dtype F32 cannot fill the bytes 0 to 8/],
    [[{ a: tensor([-2], 0, 8) }, 8], "damaged", /impossible shape \[-2\]/],
    [[{ a: tensor([0.5], 0, 2) }, 2], "damaged", /impossible shape/],
    [[{ a: tensor([2 ** 52, 2 ** 52], 0, 8) }, 8], "damaged", /cannot fill/],
    [[{ a: tensor([2 ** 31, 2 ** 31, 0], 0, 8) }, 8], "damaged", /cannot fill/],
    [[{ a: tensor(Array(40).fill(1), 0, 4) }, 4], "damaged", /impossible shape/],
    [[{ a: tensor("2", 0, 8) }, 8], "damaged", /impossible shape "?2/],
    [[{ a: tensor([2], 8, 0) }, 8], "damaged", /cannot fill/],
    [[{ a: tensor([2], -8, 0) }, 8], "damaged", /impossible data_offsets/],
    [[{ a: { dtype: "F32", shape: [2] } }, 8], "damaged", /impossible data_offsets/],
    [[{ a: tensor([2], 0, 8, 7) }, 8], "damaged", /tensor "a" has no dtype/],
    [[{ a: tensor([2], 0, 8, "toString") }, 8], "unsupported", /unknown dtype "toString"/],
    [[{ a: null }, 0], "damaged", /tensor "a" is not described/],
    [[{ __metadata__: { x: 1 } }, 0], "damaged", /__metadata__ "x" is not a string/],
    [[{ __metadata__: [] }, 0], "damaged", /__metadata__ is not an object/],
    [
      [
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0061":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        4,
      ],
      "damaged",
      /names "a" twice/,
    ],
  ];
  for (const [arguments_, code, message] of cases) {
    await assert.rejects(openSafetensors(await put(...arguments_)), failsWith(code, message));
  }
  await assert.rejects(openSafetensors(join(folder, "absent")), failsWith("not-found", /absent/));
});

test("tensors beyond 4 GiB are found; a file cut after opening is named", async () => {
  const first = 2 ** 32 + 8;
  const path = await put({ a: tensor([first], 0, first, "U8"), b: tensor([1], first, first + 4) }, 0);
  const start = (await stat(path)).size;
  // A hole: it takes no space on the disk.
  const handle = await open(path, "r+");
  await handle.truncate(start + first);
  await handle.write(new Uint8Array(Float32Array.of(2.5).buffer), 0, 4, start + first);
  await handle.close();
  const file = await openSafetensors(path);
  assert.deepEqual([...(await file.readF32("b"))], [2.5]);
  await truncate(path, start + first + 1);
  await assert.rejects(file.readF32("b"), failsWith("damaged", /ends at byte \d+, 3 bytes too early/));
  await file.close();
});

test("random damage is refused or read, never a crash", async () => {
  const path = join(folder, "fuzz.safetensors");
  await writeSafetensors(path, [
    { name: "a", dtype: "F32", shape: [2, 2], data: new Float32Array(4) },
    { name: "b", dtype: "F16", shape: [3], data: new Float32Array(3) },
  ]);
  const good = await readFile(path);
  const edit = fc.record({ at: fc.nat(good.length - 1), to: fc.nat(255) });
  const damaged = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.nat(good.length).map((length) => good.subarray(0, length)),
    fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => {
      const bytes = Buffer.from(good);
      for (const { at, to } of edits) bytes[at] = to;
      return bytes;
    }),
  );
  await fc.assert(
    fc.asyncProperty(damaged, async (bytes) => {
      await writeFile(path, bytes);
      try {
        const file = await openSafetensors(path);
        try {
          for (const { name, shape } of file.tensors.values()) {
            assert.equal(
              (await file.readF32(name)).length,
              shape.reduce((a, b) => a * b, 1),
            );
          }
        } finally {
          await file.close();
        }
      } catch (error) {
        assert.ok(error instanceof UserError, String(error));
      }
    }),
    { numRuns: 500, seed: 1 },
  );
});
