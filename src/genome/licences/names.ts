/** Which files hold a licence, by their path alone. */

/** Code and data that only speak of licences: `license.ts`, `licenses.json`, `LICENSE.go`. */
const notText =
  /\.(?:[cm]?[jt]sx?|jsonc?|json5|py|pyi|ipynb|go|rs|c|h|cc|cpp|hpp|cs|java|kt|swift|rb|php|pl|sh|bash|ps1|bat|ya?ml|toml|xml|css|scss|less|svg|vue|svelte|sql|csv|tsv|lock|spdx|license|dart|lua|r|scala|tmpl|tpl|hbs|in|erb|header)$/i;
const ownName =
  /^(?:un)?licen[cs]es?(?:[-_.][\w.+-]{1,40})?$|^copying(?:[-_.][\w.+-]{1,40})?$|^[\w+]{1,20}[-_]licen[cs]e(?:\.\w{2,8})?$/i;
/** What others' code stands under is no statement about this one. */
const othersCode = /third|3rd|vendor|depend|bundled/i;

/** Whether a file anywhere in a repository is one that states a licence in full, by its name. */
export function isLicenceFile(path: string): boolean {
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  // Asked for every file of a genome, so the two words come first.
  if (!/licen|copying/i.test(name))
    return inReuseFolder(path.slice(0, Math.max(slash, 0))) && /\.(?:txt|md)$/.test(name);
  return ownName.test(name) && !notText.test(name) && !othersCode.test(name);
}

/** The folder in which REUSE (specification 3.3) keeps the text of every licence used, named by its SPDX id. */
function inReuseFolder(folder: string): boolean {
  return folder === "LICENSES" || folder.endsWith("/LICENSES");
}

/** Whether a path is that of a licence file for the whole repository: at its root, or in REUSE's folder there. */
export function isRootLicence(path: string): boolean {
  const slash = path.indexOf("/");
  return (slash < 0 || path.slice(0, slash) === "LICENSES") && path.lastIndexOf("/") === slash && isLicenceFile(path);
}
