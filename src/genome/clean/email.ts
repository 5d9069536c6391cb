/** E-mail addresses of people, not remotes, package specifiers, file names, decorators or addresses that no one reads. */
import { digits, escapeEnd, letters } from "./edges.ts";
import type { Finder } from "./span.ts";

const printable = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).join("");
const localPart = /[\p{Script=Latin}\p{Nd}._%+-]/u;
const domain =
  /(?:[\p{Script=Latin}\p{Nd}](?:[\p{Script=Latin}\p{Nd}-]{0,61}[\p{Script=Latin}\p{Nd}])?\.){1,8}([A-Za-z]{2,18})(?![\p{L}\p{N}([])/uy;

/** Who answers no mail, and the user of git over SSH. */
const nobody = /^(?:git|hg|svn)$|(?:^|[-._+])(?:no-?reply|do-?not-?reply)(?:$|[-._+])/i;
/** RFC 2606 and 6761; `.test`, `.invalid`, `.localhost` and `.example` are not in the list of top-level domains below. */
const reserved = /(?:^|\.)example\.(?:com|net|org)$|(?:^|\.)noreply\./i;
/** What stands before a dot in code and in versions: `x@self.weight`, `pkg@1.2.beta`, `icon@2x.png`. */
const noHost = /^(?:self|this|cls|v?\d+(?:\.|x\.))/i;
/** Two letters that end file names and are no country. */
const fileEndings = new Set(["js", "ts", "cs", "rb", "kt", "hs", "db", "vb", "jl"]);
/** The generic top-level domains in use for mail; any two letters may be a country. */
const topLevel = new Set(
  (
    "com net org edu gov mil int info biz name pro mobi asia jobs tel travel aero coop museum cat post app dev page blog cloud online site " +
    "tech store shop xyz top club live life world email digital network systems solutions agency studio design space website group global " +
    "company center team today news media social art wiki zone one fyi run codes software tools science academy institute foundation " +
    "energy health care bank ltd inc llc gmbh university college school expert consulting services support works berlin london nyc paris tokyo"
  ).split(" "),
);

export const emails: Finder = {
  anchors: [[`\0\t\n\r ${printable}\u007f`, "@", `\0${letters}${digits}`]],
  find(text, anchor) {
    const at = anchor + 1;
    let start = at;
    while (start > 0 && at - start < 64 && localPart.test(text.charAt(start - 1))) start--;
    start = Math.min(at, escapeEnd(text, start));
    while (start < at && "._%+-".includes(text.charAt(start))) start++;
    if (start === at || text[at - 1] === "." || text[start - 1] === "@") return undefined;
    domain.lastIndex = at + 1;
    const match = domain.exec(text);
    if (match === null) return undefined;
    const ending = match[1]!.toLowerCase();
    if (ending.length === 2 ? fileEndings.has(ending) : !topLevel.has(ending)) return undefined;
    if (noHost.test(match[0]) || reserved.test(match[0]) || nobody.test(text.slice(start, at))) return undefined;
    if (inUrl(text, start)) return undefined;
    return { start, end: domain.lastIndex, label: "email" };
  },
};

/** Whether the address is the user and host of a URL: `ssh://root@host.org`. */
function inUrl(text: string, start: number): boolean {
  const before = text.slice(Math.max(0, start - 256), start);
  return /:(?:\\{0,32}\/){2}[^\s/"'<>()]*$/.test(before);
}
