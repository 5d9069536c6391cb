/**
 * Where each secretlint rule can find something: per rule the anchors and patterns that every match holds. A trigger is the
 * rule's own pattern without its boundaries, upper bounds and exemptions, so it lets through whatever the rule reports;
 * what is a secret the rule decides, on a window around the trigger.
 */
import type { Anchor } from "./anchors.ts";

const prefix = "@secretlint/secretlint-rule-";

export interface Trigger {
  /** The rule's id without secretlint's prefix; the label is `secret/RULE`. */
  readonly rule: string;
  readonly anchors: readonly Anchor[];
  /** Sticky, tried at the anchor. */
  readonly pattern: RegExp;
  /** How far a match can reach before the anchor and after the end of `pattern`, in UTF-16 units. */
  readonly before: number;
  readonly after: number;
  /**
   * `token`: the mask grows to the ends of the token. `url`: from the scheme to the end of the URL. `value`: to the end of
   * the token or quoted value. Windows of the last two end where the next begins, since one match of these rules can
   * swallow another.
   */
  readonly shape: "token" | "url" | "value";
  /** The name of the file that the rule wants to be in. */
  readonly file?: string;
}

/** The id of a preset's rule as it stands in labels. */
export function ruleName(id: string): string {
  return id.replace(prefix, "");
}

/** The rules of the preset that no trigger leads to: one is a switch for the text's author, one reads whole documents. */
export const otherRules = { switch: "filter-comments", document: "gcp" } as const;

const token = (rule: string, anchors: readonly Anchor[], pattern: RegExp, before: number, after: number): Trigger => ({
  rule,
  anchors,
  pattern,
  before,
  after,
  shape: "token",
});
const scheme = ["://"];

export const triggers: readonly Trigger[] = [
  token(
    "aws",
    ["A3T", "AKI", "AGP", "AID", "ARO", "AIP", "ANP", "ANV", "ASI"],
    /(?:A3T[A-Z0-9]|AKIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|ASIA)[A-Z0-9]{16}/y,
    1,
    1,
  ),
  token(
    "aws",
    ["ecr", "ECR"],
    /(?:ECRET|ecret)_?(?:ACCESS|[Aa]ccess)_?(?:KEY|[Kk]ey)[\\"'\snrt]*(?::|=>|=)[\\"'\snrt]*/y,
    6,
    43,
  ),
  token(
    "aws",
    ["cco", "CCO"],
    /(?:CCOUNT|ccount)_?(?:ID|[Ii]d)?[\\"'\snrt]*(?::|=>|=)[\\"'\snrt]*\d{4}-?\d{4}-?\d{4}/y,
    6,
    2,
  ),
  token("privatekey", ["-BE"], /-BEGIN ?(?:[A-Z]{2,7} )?PRIVATE KEY/y, 4, 10_100),
  token("npm", ["pm_"], /pm_[A-Za-z0-9_]{36}/y, 3, 1),
  { ...token("npm", ["_au"], /_authToken=[^$]/y, 0, 1000), shape: "value", file: ".npmrc" },
  { ...token("npm", ["x-o"], /x-oauth-basic@github.com\//y, 264, 0), shape: "url", file: "package.json" },
  { ...token("basicauth", scheme, /:\/\/[-a-zA-Z0-9_]{1,256}:[-a-zA-Z0-9_]{1,256}@/y, 5, 264), shape: "url" },
  token("slack", ["xox", "xap"], /(?:xox[bpaor]|xapp)-[a-zA-Z0-9]/y, 1, 1000),
  {
    ...token("slack", [["Kk", "Ss", "."]], /ks\.slack\.com\/services\/T[a-zA-Z0-9]/iy, 11, 124),
    shape: "url",
  },
  token("openai", ["T3B"], /T3BlbkFJ[A-Za-z0-9_-]{20}/y, 86, 56),
  token("anthropic", ["-ap"], /-api0\d-[A-Za-z0-9_-]{90}/y, 8, 42),
  token("groq", ["gsk"], /gsk_[a-zA-Z0-9]{52}/y, 2, 1),
  token("huggingface", ["hf_"], /hf_[a-zA-Z]{34}/y, 2, 1),
  token("linear", ["lin"], /lin_api_[a-zA-Z0-9_]{32}/y, 2, 97),
  token("notion", ["ntn"], /ntn_[0-9]{11}[A-Za-z0-9]{35}/y, 2, 1),
  // The rule wants 69 characters in all, so a shorter window than its bounds suffices, where it cannot backtrack far.
  token("sendgrid", ["SG."], /SG\.(?=.{66})\w{1,63}\.\w/y, 2, 65),
  token("shopify", ["shp"], /shp(?:pa|ca|at|ss)_[a-zA-Z0-9]{32}/y, 2, 33),
  token("stripe", ["sk_", "rk_"], /[sr]k_(?:live|test)_[a-zA-Z0-9]{24}/y, 2, 76),
  token(
    "github",
    ["ghp", "gho", "ghu", "ghs", "ghr"],
    /gh[pousr]_[A-Za-z0-9_]{36}|ghs_[0-9]{1,20}_[A-Za-z0-9_-]/y,
    2,
    12_100,
  ),
  token("github", ["b_p"], /b_pat_[A-Za-z0-9_]{82}/y, 7, 1),
  token("gitlab", ["glp"], /glpat-[A-Za-z0-9_-]{20}/y, 2, 109),
  token("grafana", ["glc"], /glc_[A-Za-z0-9+/]{32}/y, 2, 371),
  token("grafana", ["gls"], /glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}/y, 2, 1),
  token("1password", ["ops"], /ops_ey[A-Za-z0-9+/=]{100}/y, 2, 1190),
  {
    ...token(
      "database-connection-string",
      scheme,
      /(?<=mongodb(?:\+srv)?|mysqlx?|postgres(?:ql)?):\/\/[^:/\s]{1,100}:[^@/\s]{1,200}@/iy,
      16,
      710,
    ),
    shape: "url",
  },
  token("hashicorp-vault", ["hvs", "hvb", "hvr"], /hv[sbr]\.[A-Za-z0-9_-]{90}/y, 2, 211),
  token("vercel", ["vcp", "vci", "vca", "vcr", "vck"], /vc[piark]_[A-Za-z0-9]{20}/y, 2, 41),
  token("databricks", ["dap"], /dapi[A-Fa-f0-9]{32}/y, 2, 3),
  token("docker", ["ckr"], /ckr_pat_[a-zA-Z0-9_-]{27}/y, 3, 1),
  token("figma", ["gd_"], /gd_[A-Za-z0-9_-]{40}/y, 4, 161),
  token("cloudflare", ["cfk", "cfu", "cfa"], /cf(?:k|ut|at)_[A-Za-z0-9]{48}/y, 2, 1),
  token("tailscale", ["tsk"], /tskey-[a-z]{2,20}-[0-9A-Za-z_]{8,40}-[0-9A-Za-z_]{16}/y, 2, 45),
];

/** What the rules miss of their own kind: group 1, at the end of the pattern, is the secret, and no rule is asked. */
export interface Certain {
  readonly rule: string;
  readonly anchors: readonly Anchor[];
  readonly pattern: RegExp;
}

export const certain: readonly Certain[] = [
  // The gcp rule knows whole files only; in a diff or a notebook the id of the key stays to be found.
  { rule: "gcp", anchors: ["y_i"], pattern: /(?<=private_ke)y_id[\\"'\s:=]{1,64}([0-9a-f]{40})/y },
  // The aws rule wants a word boundary behind the key, so it overlooks keys that end in "/" or "+".
  {
    rule: "aws",
    anchors: ["ecr", "ECR"],
    pattern:
      /(?:ECRET|ecret)_?(?:ACCESS|[Aa]ccess)_?(?:KEY|[Kk]ey)[\\"'\s]{0,64}(?::|=>|=)[\\"'\s]{0,64}([A-Za-z0-9/+=]{39}[/+=])(?![A-Za-z0-9/+=])/y,
  },
];
