/** SPDX licence expressions: read from untrusted text, brought to one spelling, joined. Not what a licence permits. */
import parse from "spdx-expression-parse";
import spdxIds from "spdx-license-list/simple.js";

export type Expression = parse.Info;

/** Longer ones are no expression anybody wrote by hand; the bound keeps the parser's recursion shallow. */
const maxCharacters = 512;

const canonicalIds = new Map([...spdxIds].map((id) => [id.toLowerCase(), id]));
const operators = new Set(["and", "or", "with"]);

/**
 * Reads an SPDX licence expression (SPDX specification 2.3, annex D): ids in any case, operators in upper or lower case.
 *
 * @returns null where it is not one, names an id that SPDX does not list, or has more than 512 characters
 */
export function parseExpression(text: string): Expression | null {
  if (text.length > maxCharacters) return null;
  const words = text.replace(/[\w.:-]+/g, (word) => {
    const lower = word.toLowerCase();
    return operators.has(lower) ? word.toUpperCase() : (canonicalIds.get(lower) ?? word);
  });
  try {
    return modernised(parse(words));
  } catch {
    return null; // The parser throws on whatever it cannot read; that this is no expression is all there is to know.
  }
}

/** The deprecated ids of the GNU family ("GPL-3.0", "GPL-3.0+") as the ones that say which versions are meant. */
function modernised(expression: Expression): Expression {
  if ("conjunction" in expression) {
    return { ...expression, left: modernised(expression.left), right: modernised(expression.right) };
  }
  const { license, plus, exception } = expression;
  const gnu = /^((?:A|L)?GPL-\d\.\d|GFDL-\d\.\d)(\+)?$/.exec(license);
  if (gnu === null) return expression;
  const modern = `${gnu[1]!}-${plus === true || gnu[2] !== undefined ? "or-later" : "only"}`;
  return exception === undefined ? { license: modern } : { license: modern, exception };
}

/** The expression as text, with brackets only where AND and OR would bind otherwise. */
export function formatExpression(expression: Expression): string {
  if (!("conjunction" in expression)) {
    const { license, plus, exception } = expression;
    return `${license}${plus === true ? "+" : ""}${exception === undefined ? "" : ` WITH ${exception}`}`;
  }
  const side = (child: Expression) => {
    const text = formatExpression(child);
    return expression.conjunction === "and" && "conjunction" in child && child.conjunction === "or"
      ? `(${text})`
      : text;
  };
  return `${side(expression.left)} ${expression.conjunction.toUpperCase()} ${side(expression.right)}`;
}

/** The ids an expression names, each with its exception, sorted by code unit. */
function licencesOf(expression: Expression): readonly string[] {
  const ids =
    "conjunction" in expression
      ? [...licencesOf(expression.left), ...licencesOf(expression.right)]
      : [formatExpression(expression)];
  return [...new Set(ids)].sort();
}

/** Joins canonical expressions, each kept once and in the given order, by AND or OR; null where there are none. */
export function joinExpressions(expressions: readonly string[], operator: "AND" | "OR"): string | null {
  const distinct = [...new Set(expressions)];
  if (distinct.length < 2) return distinct[0] ?? null;
  return distinct.map((each) => (/ (?:AND|OR) /.test(each) ? `(${each})` : each)).join(` ${operator} `);
}

/** The sorted ids a canonical expression names; the text itself where it is none. */
export function idsOf(expression: string): readonly string[] {
  const parsed = parseExpression(expression);
  return parsed === null ? [expression] : licencesOf(parsed);
}

/** Whether two expressions name the same licences, `-or-later` taken for `-only`, as which its text is recognised. */
export function sameLicences(a: string, b: string): boolean {
  const key = (text: string) => [...new Set(idsOf(text).map((id) => id.replace(/-or-later$/, "-only")))].sort().join();
  return key(a) === key(b);
}
