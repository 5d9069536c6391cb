/** The licence gate of a genome: which licences `--licences` lets through. */
import { UserError } from "../../errors.ts";
import { permissiveLicences } from "./catalogue.ts";
import { formatExpression, parseExpression } from "./expression.ts";
import type { Expression } from "./expression.ts";

/** "unknown": excluded too, but for want of knowledge, which is counted apart. */
export type LicenceVerdict = "allowed" | "excluded" | "unknown";

/**
 * A gate for licences.
 *
 * Of an expression with OR one side has to be allowed, of one with AND both; an exception (WITH) only adds permissions
 * and is passed over; who may choose a later version may also choose the one that is allowed.
 *
 * @param spec "any" allows all, unknown ones too; "permissive" allows `permissiveLicences`; else SPDX ids between commas,
 *   in any case, among which "permissive" stands for its list
 * @returns takes what a gene's `licence` holds, or its `repositoryLicence` where that is "unknown"
 * @throws UserError "usage" for an empty list, or for a name that is no SPDX id
 */
export function licenceGate(spec: string): (licence: string) => LicenceVerdict {
  if (spec.trim().toLowerCase() === "any") return () => "allowed";
  const allowed = new Set(spec.split(",").flatMap((name) => allowedBy(name.trim())));
  const verdicts = new Map<string, LicenceVerdict>();
  return (licence) => {
    let verdict = verdicts.get(licence);
    if (verdict === undefined) {
      const expression = parseExpression(licence);
      verdict = expression === null ? "unknown" : verdictOn(expression, allowed);
      verdicts.set(licence, verdict);
    }
    return verdict;
  };
}

function allowedBy(name: string): readonly string[] {
  if (name.toLowerCase() === "permissive") return permissiveLicences;
  const expression = parseExpression(name);
  if (expression === null || "conjunction" in expression) {
    throw new UserError("usage", `--licences: ${JSON.stringify(name)} is not an SPDX licence id`, {
      hint: 'give "any", "permissive", or ids such as MIT,Apache-2.0',
    });
  }
  return [formatExpression(expression)];
}

function verdictOn(expression: Expression, allowed: ReadonlySet<string>): LicenceVerdict {
  if (!("conjunction" in expression)) {
    const { license } = expression;
    // Another's LicenseRef names terms that only its repository holds.
    if (/^(?:LicenseRef|DocumentRef)-/.test(license)) return allowed.has(license) ? "allowed" : "unknown";
    return allowed.has(license) || allowed.has(license.replace(/-or-later$/, "-only")) ? "allowed" : "excluded";
  }
  const sides = [verdictOn(expression.left, allowed), verdictOn(expression.right, allowed)];
  const decisive = expression.conjunction === "and" ? "excluded" : "allowed";
  if (sides.includes(decisive)) return decisive;
  return sides.includes("unknown") ? "unknown" : sides[0]!;
}
