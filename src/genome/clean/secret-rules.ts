/**
 * What each secretlint rule looks for, as data. Rules that weigh what they match are asked, on a window around a trigger: the
 * rule's own pattern without its boundaries, upper bounds and exemptions, so that it lets through whatever the rule reports.
 * Where the pattern is all there is to a rule, it decides here (`certain`).
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

const asked = (rule: string, anchors: readonly Anchor[], pattern: RegExp, before: number, after: number): Trigger => ({
  rule,
  anchors,
  pattern,
  before,
  after,
  shape: "token",
});
/** In JSON a slash may be written `\/`. */
const scheme = ["://", ":\\/", ":\\\\"];

export const triggers: readonly Trigger[] = [
  asked("privatekey", ["-BE"], /-BEGIN ?(?:[A-Z]{2,7} )?PRIVATE KEY/y, 4, 10_100),
  { ...asked("npm", ["_au"], /_authToken=[^$]/y, 0, 1000), shape: "value", file: ".npmrc" },
  { ...asked("npm", ["x-o"], /x-oauth-basic@github.com\\*\//y, 272, 0), shape: "url", file: "package.json" },
  { ...asked("basicauth", scheme, /:(?:\\*\/){2}[-a-zA-Z0-9_]{1,256}:[-a-zA-Z0-9_]{1,256}@/y, 5, 264), shape: "url" },
  asked("slack", ["xox", "xap"], /(?:xox[bpaor]|xapp)-[a-zA-Z0-9]/y, 1, 1000),
  {
    ...asked("slack", [["Kk", "Ss", "."]], /ks\.slack\.com\\*\/services\\*\/T[a-zA-Z0-9]/iy, 27, 140),
    shape: "url",
  },
  // The rule wants 69 characters in all, so a shorter window than its bounds suffices, where it cannot backtrack far.
  asked("sendgrid", ["SG."], /SG\.(?=.{66})\w{1,63}\.\w/y, 2, 65),
  asked("github", ["ghs"], /ghs_[0-9]{1,20}_[A-Za-z0-9_-]/y, 2, 12_100),
  {
    ...asked(
      "database-connection-string",
      scheme,
      /(?<=mongodb(?:\+srv)?|mysqlx?|postgres(?:ql)?):(?:\\*\/){2}[^:/\s]{1,100}:[^@/\s]{1,200}@/iy,
      16,
      710,
    ),
    shape: "url",
  },
];

/** A pattern that decides by itself: its group 1 at its end, or where it has none the whole match, is a part of a secret. */
export interface Certain {
  readonly rule: string;
  readonly anchors: readonly Anchor[];
  readonly pattern: RegExp;
}

/** Between a name and its value: quotes and white space, plain or escaped for JSON, HTML or a URL, and one sign. */
const quotes = String.raw`(?:["'\s]|\\+(?:[nrt"'\s]|u002[27])|%2[027]|\\*&(?:quot|#3[49]|#x2[27]);){0,999}`;
const assigned = String.raw`${quotes}(?::|=>|=|%3[AaDd]|\\+u003[AaDd])${quotes}`;

const certainly = (rule: string, anchors: readonly Anchor[], pattern: RegExp): Certain => ({ rule, anchors, pattern });

/**
 * The rules that make no exemptions but for what stands beside the token: a letter of any script in front, or a character too
 * many behind. In running text, in names and in minified code both occur beside real tokens, so these patterns are the
 * rules' own without their boundaries and upper bounds; the mask grows to the ends of the token. Behind them what other rules
 * miss of their own kind.
 */
export const certain: readonly Certain[] = [
  // Names in snake case run on; tokens as they are issued hold no "_".
  certainly("npm", ["npm"], /npm_(?:[A-Za-z0-9]{36}|\w{36}(?!\w))/y),
  certainly("openai", ["T3B"], /(?<=sk-[A-Za-z0-9_-]{20,86})T3BlbkFJ[A-Za-z0-9_-]{20}/y),
  certainly("anthropic", ["-ap"], /(?<=sk-ant)-api0\d-[A-Za-z0-9_-]{90}/y),
  certainly("groq", ["gsk"], /gsk_[a-zA-Z0-9]{52}/y),
  // Names of classes have as many letters, so the length is kept.
  certainly("huggingface", ["hf_"], /hf_[a-zA-Z]{34}(?![a-zA-Z])/y),
  certainly("linear", ["lin"], /lin_api_[a-zA-Z0-9_]{32}/y),
  certainly("notion", ["ntn"], /ntn_[0-9]{11}[A-Za-z0-9]{35}/y),
  certainly("shopify", ["shp"], /shp(?:pa|ca|at|ss)_[a-zA-Z0-9]{32}/y),
  certainly("stripe", ["sk_", "rk_"], /[sr]k_(?:live|test)_[a-zA-Z0-9]{24}/y),
  certainly("github", ["ghp", "gho", "ghu", "ghs", "ghr"], /gh[pousr]_(?:[A-Za-z0-9]{36}|\w{36}(?!\w))/y),
  certainly("github", ["b_p"], /(?<=githu)b_pat_\w{82}/y),
  certainly("gitlab", ["glp"], /glpat-[A-Za-z0-9_-]{20}/y),
  certainly("grafana", ["glc"], /glc_(?:[A-Za-z0-9+]|\\{0,32}\/){32}/y),
  certainly("grafana", ["gls"], /glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}/y),
  certainly("1password", ["ops"], /ops_ey(?:[A-Za-z0-9+=]|\\{0,32}\/){100}/y),
  certainly("hashicorp-vault", ["hvs", "hvb", "hvr"], /hv[sbr]\.[A-Za-z0-9_-]{90}/y),
  certainly("vercel", ["vcp", "vci", "vca", "vcr", "vck"], /vc[piark]_[A-Za-z0-9]{20}/y),
  certainly("databricks", ["dap"], /dapi[A-Fa-f0-9]{32}/y),
  certainly("docker", ["ckr"], /(?<=d)ckr_pat_[a-zA-Z0-9_-]{27}/y),
  certainly("figma", ["gd_"], /(?<=fi)gd_[A-Za-z0-9_-]{40}/y),
  certainly("cloudflare", ["cfk", "cfu", "cfa"], /cf(?:k|ut|at)_[A-Za-z0-9]{40}[0-9a-f]{8}/y),
  certainly("tailscale", ["tsk"], /tskey-[a-z]{2,20}-[0-9A-Za-z_]{8,40}-[0-9A-Za-z_]{16}/y),
  // Beside letters, and with a "-" where the rule has none.
  certainly("slack", ["xox", "xap"], /(?:xox[bpaor]|xapp)-(?:\d-)?[A-Z0-9]{8,40}-[A-Za-z0-9-]{16}/y),
  certainly("sendgrid", ["SG."], /SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}/y),
  certainly("github", ["ghs"], /ghs_[0-9]{1,20}_eyJ[A-Za-z0-9_-]{16}/y),
  // Lower-case letters and "_" may stand beside it; capitals make it a piece of a longer code, such as that of a protein.
  certainly(
    "aws",
    ["A3T", "AKI", "AGP", "AID", "ARO", "AIP", "ANP", "ANV", "ASI"],
    /(?:(?<![A-Z0-9])|(?<=(?:%|u00)[0-7][\dA-F]))(?:A3T[A-Z0-9]|AKIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|ASIA)(?!IOSFODNN7EXAMPLE)[A-Z0-9]{16}(?![A-Z0-9])/y,
  ),
  // The rule wants a word boundary behind the key, so it overlooks those that end in "/" or "+", or go on.
  certainly(
    "aws",
    ["ecr", "ECR"],
    new RegExp(
      String.raw`(?:ECRET|ecret)_?(?:ACCESS|[Aa]ccess)_?(?:KEY|[Kk]ey)${assigned}(?!wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY)((?:[A-Za-z0-9+=]|\\{0,32}/){40})`,
      "y",
    ),
  ),
  certainly(
    "aws",
    ["cco", "CCO"],
    new RegExp(String.raw`(?:CCOUNT|ccount)_?(?:ID|[Ii]d)?${assigned}(\d{4}-?\d{4}-?\d{4})(?!\d)`, "y"),
  ),
  // The gcp rule knows whole files only; in a diff or a notebook the id of the key stays to be found.
  certainly("gcp", ["y_i"], new RegExp(`(?<=private_ke)y_id${assigned}([0-9a-f]{40})`, "y")),
];
