import assert from "node:assert/strict";
import { test } from "node:test";
import { lintSource } from "@secretlint/core";
import { rules } from "@secretlint/secretlint-rule-preset-recommend";
import fc from "fast-check";
import { clean, holdsSecret } from "./clean.ts";
import { certain, otherRules, ruleName, triggers } from "./secret-rules.ts";
import { createRules } from "./secrets.ts";
import { characters, glue, secretSamples } from "./testing.ts";

const samples = secretSamples();
const linesWith =
  (prefix: string, end = "") =>
  (text: string) =>
    text
      .split("\n")
      .map((line) => prefix + line + end)
      .join("\n");

/** What a secret can be surrounded with or written as. */
const forms: Readonly<Record<string, (text: string) => string>> = {
  "alone, at both ends of the text": (text) => text,
  "CRLF lines": (text) => `first\r\n${text.replaceAll("\n", "\r\n")}\r\nlast`,
  "a byte order mark and characters above U+FFFF": (text) => `\ufeff😀𝒜 ${text} 😀`,
  "comments that switch secretlint off": (text) =>
    `/* secretlint-disable */\n// secretlint-disable-next-line\n${text} // secretlint-disable-line`,
  "a JSON string": (text) => JSON.stringify({ first: `line\n${text}\nline`, second: `\t${text}` }),
  "a JSON string in a JSON string": (text) => JSON.stringify(JSON.stringify([`line\n${text}\n`])),
  "JSON three times": (text) => JSON.stringify(JSON.stringify(JSON.stringify([`line\n${text}\n`]))),
  "a notebook": (text) =>
    JSON.stringify({ cells: [{ source: text.split("\n").map((line) => `${line}\n`) }] }, undefined, 1),
  "lines added in a diff": linesWith("+"),
  "lines removed in a diff": linesWith("-"),
  "a line of minified code": (text) => `var a="b";x=${JSON.stringify(text)};y=[${JSON.stringify(text)}]`,
  "newlines spelled out": (text) => text.replaceAll("\n", "\\n"),
  "twice in a line": (text) => `${text} ${text}`,
  "twice with a comma": (text) => `${text},${text}`,
  "terminal colours": (text) => `\u001b[32m${text}\u001b[0m`,
  "behind a URL escape": (text) => `?q=%22x%3D${text}`,
  "a concatenation of strings": linesWith('"', '\\n" +'),
  "a comment": linesWith("// "),
  "JSON with escaped slashes": (text) => JSON.stringify({ first: text }).replaceAll("/", "\\/"),
  "JSON with escaped slashes in JSON": (text) => JSON.stringify(JSON.stringify({ first: text }).replaceAll("/", "\\/")),
  "an attribute of HTML": (text) => `<a data-x="${JSON.stringify([text]).replaceAll('"', "&quot;")}">`,
  "words in another script": (text) => `密钥${text}密钥 é${text}é`,
  HTML: (text) => `<td>${text}</td>`,
};

function leftovers(text: string, secrets: readonly string[]): string[] {
  return secrets.flatMap((secret) =>
    Array.from({ length: Math.max(0, secret.length - 7) }, (_, i) => secret.slice(i, i + 8)).filter((piece) =>
      text.includes(piece),
    ),
  );
}

/** What secretlint itself reports, as its command would on files of the names that its rules look for. */
async function secretlint(content: string): Promise<string[]> {
  const names = ["package.json", ".npmrc", "key.json"];
  const results = await Promise.all(
    names.map((filePath) =>
      lintSource({
        source: { content, filePath, ext: filePath.slice(filePath.lastIndexOf(".")), contentType: "text" },
        options: {
          noPhysicFilePath: true,
          config: {
            rules: rules
              .filter(({ meta }) => ruleName(meta.id) !== otherRules.switch)
              .map((rule) => ({ id: rule.meta.id, rule, options: { enableIDScanRule: true } })),
          },
        },
      }),
    ),
  );
  return results.flatMap(({ messages }) => messages.map(({ ruleId }) => ruleName(ruleId)));
}

test("every rule of the preset but the switch has a trigger and a sample that it reports itself", async () => {
  const names = rules.map(({ meta }) => ruleName(meta.id)).toSorted();
  const known = [...triggers, ...certain].map(({ rule }) => rule);
  const covered = [...new Set([...known, ...Object.values(otherRules)])].toSorted();
  assert.deepEqual(covered, names);
  for (const name of names.filter((rule) => rule !== otherRules.switch)) {
    const own = samples.filter(({ rule }) => rule === name);
    const reported = await Promise.all(own.map(({ text }) => secretlint(text)));
    assert.ok(
      reported.some((found) => found.includes(name)),
      `no sample is one of ${name}`,
    );
  }
});

for (const [form, write] of Object.entries(forms)) {
  test(`no 8 characters of any secret remain: ${form}`, () => {
    for (const { rule, text, secrets } of samples) {
      const written = write(text);
      assert.notEqual(leftovers(written, secrets).length, 0, `${rule} is not in its form`);
      const cleaned = clean(written);
      assert.deepEqual(leftovers(cleaned.text, secrets), [], `${rule}: ${cleaned.text}`);
      assert.ok(holdsSecret(written) && !holdsSecret(cleaned.text), rule);
    }
  });
}

test("what surrounds a secret stays, character by character", () => {
  for (const { rule, text, secrets } of samples.filter(({ secrets: [secret], text: whole }) => secret === whole)) {
    const around = (middle: string) => `\ufeff😀 é {"a": "\\n${middle}\\n"} 😀\r\n+${middle}\r\n-${middle}`;
    const { text: masked } = clean(around(secrets[0]!));
    assert.equal(masked, around("[masked:secret]"), `${rule}: ${text.slice(0, 8)}`);
  }
});

test("what only a rule's own pattern knows is masked", () => {
  for (const [before, secret, after] of [
    [
      "https://",
      `${characters(20, "dotted")}.${characters(20, "end")}`,
      `:x-oauth-${glue("", "basic")}@github.com/owner/name`,
    ],
    [
      "https://",
      `${characters(34, "quoted")}'${characters(7, "end")}`,
      `:x-oauth-${glue("", "basic")}@github.com/owner/name`,
    ],
    [`${glue("_auth", "Token")}="`, `${characters(20, "npmrc")}, ${characters(20, "npmrc end")}`, `"`],
    ["", `${glue("xox", "p")}-abc-${characters(24, "slack")}`, ""],
    ["", `${glue("S", "G.")}${characters(20, "sendgrid")}.${characters(45, "sendgrid end")}`, ""],
    ["", `${glue("gh", "s_")}1_${characters(60, "h")}.${characters(300, "p")}.${characters(86, "s")}`, ""],
    ["", `${glue("AK", "IA")}${characters(16, "aws id", "capitals")}`, "%22"],
  ] as const) {
    for (const escape of ["", "\\n", "\\\\n", "\\u000A", "%3D", "\u001b[31m", "\\u001b[31m", "\\x1b[1;31m", "\\/"]) {
      const { text } = clean(`${escape}${before}${secret}${after} `);
      assert.deepEqual(leftovers(text, [secret]), [], `${escape} ${secret.slice(0, 8)}`);
      // Of a colour the mask may take the end.
      if (!escape.includes("[")) assert.ok(text.startsWith(escape), text);
    }
  }
});

test("a URL before one with a token stays", () => {
  const npm = samples.find(({ text }) => text.startsWith("git+https"))!;
  assert.equal(clean(`http://a.org/ and ${npm.text}`).text, "http://a.org/ and git+[masked:secret]");
});

test("personal data is no secret", () => {
  assert.ok(!holdsSecret("people/jane.doe@mail.org/+49 30 901820"));
});

test("letters, digits and underscores beside a token do not hide it", () => {
  // The others keep the boundary that their rule asks for: names, codes and hosts go on in the same characters.
  const bounded = new Set(["aws", "huggingface", "basicauth", "database-connection-string", "npm"]);
  for (const { rule, text, secrets } of samples) {
    if (secrets[0] !== text || (bounded.has(rule) && !text.startsWith("npm"))) continue;
    for (const written of [`x${text}`, `7${text}`, `X${text}x`, `_${text}_`, `${text}7`, `token${text}end`]) {
      assert.deepEqual(leftovers(clean(written).text, secrets), [], `${rule}: ${written.slice(0, 12)}`);
    }
  }
  const id = glue("AK", "IA") + characters(16, "aws id", "capitals");
  const hub = samples.find(({ rule }) => rule === "huggingface")!.text;
  const bot = samples.find(({ rule }) => rule === "slack")!.secrets[0]!;
  for (const written of [`_${id}_`, `key${id}end`, `x${hub}7`, `_${bot}_`])
    assert.ok(holdsSecret(written), written.slice(0, 12));
  // A protein, a class, a variable of npm.
  const kept = [`M${id}`, `${id}Q`, `${hub}x`, `npm_config_${"long_name_".repeat(4)}`].join(" ");
  assert.deepEqual(clean(kept), { text: kept, masked: {} });
});

test("a key of AWS is found by its name, however name and value are written", () => {
  const key = characters(40, "aws key");
  for (const [before, after] of [
    ["secretAccessKey%3D", "&x"],
    ["&quot;secretAccessKey&quot;:&quot;", "&quot;"],
    ['\\"SecretAccessKey\\" : \\"', '\\"'],
    ["AWS_SECRET_ACCESS_KEY\\u003d\\u0022", "\\u0022"],
    ["aws_secret_access_key =            ", ""],
    ["SECRET_ACCESS_KEY=", "xyz"],
  ] as const) {
    assert.deepEqual(leftovers(clean(before + key + after).text, [key]), [], before);
  }
  const account = `accountId: ${characters(12, "account", "digits")}`;
  assert.equal(clean(`${account}x`).text, "accountId: [masked:secret]");
  assert.equal(clean(`${account}4`).text, `${account}4`);
});

test("the mask takes the whole token where a rule reports a part of it", () => {
  const token = samples.find(({ rule }) => rule === "huggingface")!.text;
  assert.equal(clean(`x=${token}123-abc/def. Next`).text, "x=[masked:secret]. Next");
  const url = samples.find(({ rule }) => rule === "basicauth")!.text;
  assert.equal(clean(`${url}/a?b=c. Next`).text, "[masked:secret]. Next");
  assert.equal(clean(`x=9_${token}; y`).text, "x=[masked:secret]; y");
});

test("a placeholder before a real connection string does not hide it", () => {
  const uri = samples.find(({ text }) => text.startsWith("postgresql"))!;
  const cleaned = clean(`{"a":"postgres://user:password@localhost/x?y","b":"${uri.text}","c":1}`);
  assert.equal(cleaned.text, `{"a":"postgres://user:password@localhost/x?y","b":"[masked:secret]","c":1}`);
});

test("examples that a rule itself lets pass stay", () => {
  const id = `${glue("AK", "IA")}IOSFODNN7EXAMPLE`;
  const text = `${id} ${glue("_auth", "Token")}=\${NPM_TOKEN} https://user:\${PASSWORD}@host.org/ mysql://root:root@localhost/`;
  assert.deepEqual(clean(text), { text, masked: {} });
});

test("a service account's key file that hides its key in escapes is masked whole", () => {
  const { text } = samples.find(({ rule }) => rule === "gcp")!;
  const hidden = text.replaceAll("-----", String.raw`\u002d`.repeat(5));
  assert.deepEqual(clean(hidden), {
    text: "[masked:private-key]",
    masked: { "private-key": 1, "secret/gcp": 1 },
  });
});

test("secretlint finds nothing in what is left of any mixture of secrets", async () => {
  const part = fc.oneof(
    fc.constantFrom(...samples.map(({ text }) => text)),
    fc.constantFrom(
      "\\n",
      "\n",
      "\r\n",
      '"',
      '\\"',
      ",",
      " ",
      "-",
      "+",
      "=",
      ":",
      "_",
      "@",
      "😀",
      "é",
      "http://",
      "mysql://",
      "a",
      "7",
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 8 }), async (parts) => {
      const { text } = clean(parts.join(""));
      assert.deepEqual(await secretlint(text), []);
      assert.deepEqual(clean(text), { text, masked: {} });
    }),
    { numRuns: 80, seed: 4 },
  );
});

test("every rule answers at once", () => {
  assert.ok(!createRules().has(otherRules.switch));
  for (const [name, run] of createRules()) assert.deepEqual(run("", ""), [], name);
});
