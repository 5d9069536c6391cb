import assert from "node:assert/strict";
import { test } from "node:test";
import { clean } from "./clean.ts";
import type { MaskKind } from "./span.ts";

/** Per kind: what is masked, given without its surroundings, and what stays as it is. */
const cases: Readonly<
  Partial<Record<MaskKind, { readonly masked: readonly string[]; readonly kept: readonly string[] }>>
> = {
  email: {
    masked: ["jane.doe@mail.org", "j+tag@sub.domain.co.uk", "josé@société.fr", "O_K-1@a-b.io", "x@machine.mobi"],
    kept: [
      "git@github.com:owner/name.git",
      "ssh://root@host.org/path",
      "https://user:password@host.org/",
      "https:\\/\\/user:password@host.org\\/",
      "someone@example.com",
      "someone@sub.example.org",
      "a@host.test",
      "a@host.invalid",
      "a@localhost",
      "noreply@mail.org",
      "1+me@users.noreply.github.com",
      "build-no-reply@mail.org",
      "left-pad@1.3.0",
      "left-pad@1.3.0-beta.rc",
      "@scope/name@2.0.0",
      "icon@2x.png",
      "x@self.weight",
      "a@b.to(device)",
      "@app.route",
      "getty@tty1.service",
      "actions/checkout@v4",
      "@user@social.org",
    ],
  },
  ip: {
    masked: ["93.184.216.34", "198.41.0.4", "2606:4700:4700::1111", "2a00:1450:4009:80b:0:0:0:200e"],
    kept: [
      "10.1.2.130",
      "127.40.50.60",
      "192.0.0.170",
      "192.88.99.100",
      "45.60.0.0",
      "198.18.130.140",
      "0.40.50.60",
      "abc93.184.216.34",
      "7.93.184.216.34",
      "lib-93.184.216.34",
      "169.254.10.40",
      "172.31.40.50",
      "192.168.100.200",
      "192.0.2.44",
      "198.51.100.44",
      "203.0.113.44",
      "100.64.40.40",
      "224.0.0.251",
      "255.255.255.255",
      "::1",
      "fe80::1",
      "fd00::1",
      "2001:db8::1",
      "1.2.3.4",
      "2.2.4.1",
      "v4.4.63.30",
      "version 3.28.71.19",
      "==4.8.0.74",
      "Chrome/91.0.44.72",
      "1.3.6.1.4.1.311",
      "300.184.216.34",
      "1.37.1.1-1a",
      "M2.83-2.12 3.51.98.32 2.03",
      "m7.017 0a.75.75 0 110 1.5.75.75 0 1",
      "Upgrade to 4.4.63.30 (from 4.4.63.26)",
      "OBJECT            :1.3.101.110",
      "5.0.0.93",
      "2002::",
      "2024:12:31 10:20:30",
    ],
  },
  card: {
    masked: ["4111111111111111", "4111 1111 1111 1111", "5555-5555-5555-4444", "3782 822463 10005", "6011111111111117"],
    kept: [
      "4111111111111112",
      "1234567890123456",
      "1234567812345670",
      "0.4111111111111111",
      "4111-1111 1111 1111",
      "x4111111111111111",
      "1700000000000000",
      "5414 5415 5416 5417 20BBF",
      "540F 5414 5415 5416 5417",
    ],
  },
  iban: {
    masked: ["DE89370400440532013000", "GB82 WEST 1234 5698 7654 32", "NO9386011117947"],
    kept: [
      "DE89370400440532013001",
      "DE5137040044053201300",
      "xDE89370400440532013000",
      "ZZ89370400440532013000",
      "GB82",
    ],
  },
  phone: {
    masked: ["+49 30 901820", "+1 415 555 2671", "+1 (415) 555-2671", "+442079460958", "+33 1 42 68 53 00"],
    kept: [
      "+1 415 555 0123",
      "+1234567890",
      "+1.2345678901",
      "+0 415 555 2671",
      "+28 415 555 2671",
      "+49 30 9018",
      "+1 100 200 300 400",
      "1+4155552671123",
      "+100",
      "2024-01-01T00:00:00+01:00",
      "+123456",
    ],
  },
};

for (const [kind, { masked, kept }] of Object.entries(cases)) {
  test(`${kind}: masked in text, quotes, JSON escapes and tables`, () => {
    for (const value of masked) {
      for (const write of [
        (x: string) => `see ${x} there`,
        (x: string) => ` ${x}`,
        (x: string) => `"${x}"`,
        (x: string) => `{"a": "line\\n${x}\\nline"}`,
        (x: string) => `😀,${x},é\r\n`,
        (x: string) => `(${x}).`,
      ]) {
        assert.deepEqual(clean(write(value)), { text: write(`[masked:${kind}]`), masked: { [kind]: 1 } }, value);
      }
    }
  });
  test(`${kind}: what only looks like it stays`, () => {
    for (const value of kept) {
      const text = `see ${value} there`;
      assert.deepEqual(clean(text), { text, masked: {} }, value);
    }
  });
}

test("signs in front of an address stay", () => {
  assert.equal(clean("**_jane@mail.org_**").text, "**_[masked:email]_**");
  assert.equal(clean("a\\njane@mail.org").text, "a\\n[masked:email]");
});

test("tables and logs of numbers stay", () => {
  const ids = Array.from({ length: 2000 }, (_, i) => String(4_111_111_111_111_111n + 97n * BigInt(i)));
  const floats = Array.from({ length: 2000 }, (_, i) => (Math.sin(i + 1) * 1000).toFixed(13));
  const signed = Array.from({ length: 500 }, (_, i) => `+${1_000_000_000 + 7919 * i}`);
  for (const text of [
    ids.join(","),
    ids.join("\t"),
    floats.join(","),
    floats.join(" "),
    signed.join("\n"),
    signed.map((number) => number.replace("+1", "+49")).join("\n"),
    signed.join("\r\n"),
  ]) {
    assert.deepEqual(clean(text).masked, {});
  }
});
