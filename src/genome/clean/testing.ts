/** Made-up secrets with the shape of real ones, for tests. Each is put together at run time, so that no scanner finds it here. */
import { createHash } from "node:crypto";

export interface SecretSample {
  /** The rule of secretlint that knows it, without its prefix. */
  readonly rule: string;
  /** How it stands in a file, on one or more lines. */
  readonly text: string;
  /** The parts that nothing may remain of. */
  readonly secrets: readonly string[];
}

const alphabets = {
  alphanumeric: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
  letters: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
  capitals: "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
  hex: "0123456789abcdef",
  digits: "0123456789",
};

/** Joins what must not stand in one piece in this repository. */
export function glue(...parts: readonly string[]): string {
  return parts.join("");
}

/** Characters that look random and are the same every time. */
export function characters(length: number, seed: string, alphabet: keyof typeof alphabets = "alphanumeric"): string {
  const members = alphabets[alphabet];
  let made = "";
  for (let block = 0; made.length < length; block++) {
    for (const byte of createHash("sha256").update(`${seed}/${block}`).digest())
      made += members[byte % members.length]!;
  }
  return made.slice(0, length);
}

/** A private key in PEM armour with lines of 64 characters. */
export function privateKey(label: string, lines = 12, headers = ""): { readonly text: string; readonly body: string } {
  const text = `MII${characters(64 * lines - 13, label)
    .replaceAll("Q", "/")
    .replaceAll("Z", "+")}`;
  const body = text.replace(/.{64}/g, "$&\n");
  const dashes = "-".repeat(5);
  return {
    text: `${dashes}BEGIN ${label}${dashes}\n${headers}${body}\n${dashes}END ${label}${dashes}`,
    body,
  };
}

/** At least one secret for every rule that can report, in the form that rule knows. */
export function secretSamples(): readonly SecretSample[] {
  const one = (rule: string, before: string, secret: string, after = ""): SecretSample => ({
    rule,
    text: before + secret + after,
    secrets: [secret],
  });
  const account = characters(12, "account", "digits");
  const pem = privateKey(["RSA", "PRIVATE KEY"].join(" "));
  const keyFile = privateKey(["PRIVATE", "KEY"].join(" "));
  const keyId = characters(40, "key id", "hex");
  const url = (scheme: string, password: string, host: string) => `${scheme}://deploy:${password}@${host}`;
  const onePassword = Buffer.from(JSON.stringify({ secretKey: characters(90, "1password"), version: "ab" })).toString(
    "base64",
  );
  const password = characters(16, "password");
  return [
    one("aws", "id: ", `${glue("AK", "IA")}${characters(16, "aws id", "capitals")}`),
    one("aws", `aws_secret_access_key = "`, characters(40, "aws key"), `"`),
    one("aws", `"SecretAccessKey": "`, characters(40, "aws json key"), `",`),
    one("aws", "AWS_SECRET_ACCESS_KEY=", `${characters(39, "aws slash")}/`),
    one("aws", "aws_account_id: ", account),
    one("aws", `"AccountId" : "`, `${account.slice(0, 4)}-${account.slice(4, 8)}-${account.slice(8)}`, `"`),
    {
      rule: "gcp",
      text: JSON.stringify(
        { type: "service_account", private_key_id: keyId, private_key: `${keyFile.text}\n`, client_id: "1" },
        undefined,
        2,
      ),
      secrets: [keyId, ...keyFile.body.split("\n")],
    },
    { rule: "privatekey", text: pem.text, secrets: pem.body.split("\n") },
    one("npm", "token ", `${glue("np", "m_")}${characters(36, "npm")}`),
    one("npm", `//registry.example.org/:${glue("_auth", "Token")}=`, characters(36, "npmrc")),
    one(
      "npm",
      "git+https://",
      characters(40, "xoauth", "hex"),
      `:x-oauth-${glue("", "basic")}@github.com/owner/name.git`,
    ),
    one("basicauth", "", url("https", password, "api.service.io/v1"), ""),
    one("slack", "bot ", `${glue("xox", "b")}-${characters(12, "slack", "digits")}-${characters(24, "slack")}`),
    one(
      "slack",
      "",
      `https://hooks.${glue("sla", "ck")}.com/services/T${characters(8, "t")}/B${characters(8, "b")}/${characters(24, "hook")}`,
    ),
    one(
      "openai",
      "",
      `${glue("s", "k-")}proj-${characters(74, "openai")}T3${glue("Blbk", "FJ")}${characters(74, "openai end")}`,
    ),
    one(
      "openai",
      "",
      `${glue("s", "k-")}${characters(20, "openai old")}T3${glue("Blbk", "FJ")}${characters(20, "openai old end")}`,
    ),
    one("anthropic", "key=", `sk-${glue("a", "nt-")}api03-${characters(93, "anthropic")}AA`),
    one("groq", "", `${glue("gs", "k_")}${characters(52, "groq")}`),
    one("huggingface", "", `${glue("h", "f_")}${characters(34, "hf", "letters")}`),
    one("linear", "", `${glue("lin", "_api_")}${characters(40, "linear")}`),
    one("notion", "", `${glue("nt", "n_")}${characters(11, "notion", "digits")}${characters(35, "notion")}`),
    one("sendgrid", "", `${glue("S", "G.")}${characters(22, "sendgrid")}.${characters(43, "sendgrid end")}`),
    one("shopify", "", `${glue("shp", "at_")}${characters(32, "shopify")}`),
    one("stripe", "", `${glue("sk_", "live_")}${characters(99, "stripe")}`),
    one("github", "", `${glue("gh", "p_")}${characters(36, "github")}`),
    one("github", "", `${glue("github", "_pat_")}${characters(82, "github pat")}`),
    one(
      "github",
      "",
      `${glue("gh", "s_")}123456_eyJ${characters(57, "h")}.${characters(300, "p")}.${characters(86, "s")}`,
    ),
    one("gitlab", "", `${glue("glp", "at-")}${characters(20, "gitlab")}`),
    one("grafana", "", `${glue("gl", "c_")}${characters(120, "grafana")}==`),
    one("grafana", "", `${glue("gl", "sa_")}${characters(32, "grafana sa")}_${characters(8, "grafana", "hex")}`),
    one("1password", "", `${glue("op", "s_")}${onePassword}`),
    one("database-connection-string", "uri ", url("mongodb+srv", password, "cluster0.abc.mongodb.net/app?w=majority")),
    one("database-connection-string", "", url("jdbc:mysql", `p!${password}%40"x`, "db.internal:3306/app")),
    one("database-connection-string", "", url("postgresql", password, "db.internal/app")),
    one("hashicorp-vault", "", `${glue("hv", "s.")}${characters(95, "vault")}`),
    one("hashicorp-vault", "", `${glue("hv", "b.")}${characters(150, "vault batch")}`),
    one("vercel", "", `${glue("vc", "p_")}${characters(56, "vercel")}`),
    one("databricks", "", `${glue("da", "pi")}${characters(32, "databricks", "hex")}-2`),
    one("docker", "", `${glue("dckr", "_pat_")}${characters(27, "docker")}`),
    one("figma", "", `${glue("fig", "d_")}${characters(43, "figma")}`),
    one("cloudflare", "", `${glue("cf", "ut_")}${characters(40, "cloudflare")}${characters(8, "cloudflare", "hex")}`),
    one("tailscale", "", `${glue("ts", "key-")}auth-${characters(12, "tailscale")}-${characters(32, "tailscale end")}`),
  ];
}
