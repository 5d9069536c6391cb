/** Hosts where `https://host/owner/name` is a repository, whatever the case of its letters. */
const forges: readonly string[] = [
  "github.com",
  "gitlab.com",
  "codeberg.org",
  "bitbucket.org",
  "gitea.com",
  "git.sr.ht",
];

/** Whether a host, in lower case, is one of them. */
export function isForge(host: string): boolean {
  return forges.includes(host);
}
