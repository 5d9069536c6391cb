/** A hub's page (a README, or a plain list) to the repositories it links. It reads text, never HTML from a server. */

/** Hosts where `https://host/owner/name` is a repository. On any other host a link counts when it ends in `.git`. */
const forges = ["github.com", "gitlab.com", "codeberg.org", "bitbucket.org", "gitea.com", "git.sr.ht"];

/** First path parts that name a page of the forge itself. */
const pages = new Set(
  "about apps collections contact customer-stories enterprise events explore features issues join login marketplace \
new notifications orgs organizations pricing pulls readme search security sessions settings site sponsors stars team \
topics trending user-attachments users".split(/\s+/),
);

const link = /\bhttps?:\/\/[^\s<>()[\]"'`|\\^{}]+|(?<![\w.])git@[\w.-]+:[\w.~/-]+/gi;

/**
 * The repositories that a text links, each once, in order of appearance. Only links to a repository itself count:
 * those to its files, issues, branches or anchors do not.
 *
 * @param hubHost host of the hub, counted as a forge too
 */
export function linkedRepositories(text: string, hubHost?: string): string[] {
  const found = new Map<string, string>();
  for (const [match] of text.matchAll(link)) {
    const trimmed = match.replace(/[.,;:!?*_]+$/, "").replace(/\/$/, "");
    const parts = /^(?:(https?):\/\/([^/@]+)\/|git@([\w.-]+):)(~?[\w.-]+)\/([\w.-]+)$/i.exec(trimmed);
    if (parts === null) continue;
    const [, scheme, webHost, sshHost, owner, last] = parts;
    const host = (webHost ?? sshHost)!.toLowerCase().replace(/^www\./, "");
    const name = last!.replace(/\.git$/, "");
    const isForge = forges.includes(host) || host === hubHost?.toLowerCase();
    if (!isForge && !last!.endsWith(".git")) continue;
    if (pages.has(owner!.toLowerCase()) || /^\.*$/.test(name) || /^\.*$/.test(owner!)) continue;
    const key = `${host}/${owner}/${name}`.toLowerCase();
    if (!found.has(key))
      found.set(key, isForge && scheme !== undefined ? `${scheme}://${host}/${owner}/${name}` : trimmed);
  }
  return [...found.values()];
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
