/** A hub's text (a page such as a README, or a plain list) to the sources it names. It reads text, never HTML from a server. */
import { isForge } from "./forges.ts";
import { isRefName } from "./pins.ts";

/** First path parts that name a page of the forge itself. */
const pages = new Set(
  "about apps collections contact customer-stories enterprise events explore features issues join login marketplace \
new notifications orgs organizations pricing pulls readme search security sessions settings site sponsors stars team \
topics trending user-attachments users".split(/\s+/),
);

const link = /\bhttps?:\/\/[^\s<>()[\]"'`|\\^{}]+|(?<![\w.])git@[\w.-]+:[\w.~/@-]+/gi;

/**
 * The repositories that a text links, each once, in order of appearance. Only links to a repository itself count, also
 * with a pin (`@v1.2`): those to its files, issues, branches or anchors do not.
 *
 * @param hubHost host of the hub, counted as a forge too
 */
export function linkedRepositories(text: string, hubHost?: string): string[] {
  const found = new Map<string, string>();
  for (const [match] of text.matchAll(link)) {
    const trimmed = match.replace(/[.,;:!?*_]+$/, "").replace(/\/$/, "");
    const parts = /^(?:(https?):\/\/([^/@]+)\/|git@([\w.-]+):)(~?[\w.-]+)\/([\w.-]+)(?:@(.+))?$/i.exec(trimmed);
    if (parts === null) continue;
    const [, scheme, webHost, sshHost, owner, last, ref] = parts;
    const host = (webHost ?? sshHost)!.toLowerCase().replace(/^www\./, "");
    const name = last!.replace(/\.git$/, "");
    const onForge = isForge(host) || host === hubHost?.toLowerCase();
    if (!onForge && !last!.endsWith(".git")) continue;
    if (pages.has(owner!.toLowerCase()) || /^\.*$/.test(name) || /^\.*$/.test(owner!)) continue;
    if (ref !== undefined && !isRefName(ref)) continue;
    const key = `${host}/${owner}/${name}`.toLowerCase();
    const pin = ref === undefined ? "" : `@${ref}`;
    if (!found.has(key))
      found.set(key, onForge && scheme !== undefined ? `${scheme}://${host}/${owner}/${name}${pin}` : trimmed);
  }
  return [...found.values()];
}

/**
 * The sources of a plain list: one a line, blank lines and comments after `#` aside, none with white space in it.
 *
 * @param fileName a README, and what ends as markup does, is a page
 * @returns undefined where the text is a page
 */
export function listedSources(text: string, fileName: string): string[] | undefined {
  if (/^readme\b|\.(?:md|markdown|mdx|rst|adoc|org|html?)$/i.test(fileName)) return undefined;
  const lines = text.split(/\r?\n/).map((line) => line.replace(/(?:^|\s)#.*$/, "").trim());
  const sources = lines.filter((line) => line !== "");
  return sources.some((line) => /\s|[<>[\]()|`]/.test(line)) ? undefined : [...new Set(sources)];
}

/** Which of a repository's root files is its page; undefined where there is none. */
export function pickReadme(paths: readonly string[]): string | undefined {
  const extensions = [".md", ".markdown", ".rst", ".txt", ""];
  for (const extension of extensions) {
    const found = paths.find((path) => path.toLowerCase() === `readme${extension}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
