/** Names of the files that hold one repository each: whatever a repository is called, inside the folder and portable. */
import { createHash } from "node:crypto";

const longest = 120;
/** Names that Windows keeps for devices, with or without an extension. */
const device = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/**
 * Makes the function that names files: `owner/name` becomes `owner--name.txt`, what some file system refuses becomes
 * `_`, and a name that is taken already, also but for its case, gets a part of its hash.
 */
export function createFileNames(): (repository: string) => string {
  const taken = new Set<string>();
  return (repository) => {
    const plain = repository
      .normalize("NFC")
      .replaceAll("/", "--")
      // oxlint-disable-next-line no-control-regex -- control characters are among what file systems refuse
      .replaceAll(/[\u0000-\u001F\u007F-\u009F<>:"\\|?*\p{Cs}]/gu, "_")
      .replace(/^[. -]+/, "_")
      .replace(/[. ]+$/, "_");
    const short = [...plain].slice(0, longest / 4).join("") || "repository";
    const isPlain = plain !== "" && Buffer.byteLength(plain) <= longest && !device.test(plain);
    const hash = createHash("sha256").update(repository).digest("hex");
    let name = isPlain ? plain : `${short}-${hash.slice(0, 8)}`;
    if (device.test(name)) name = `_${name}`;
    for (let i = 8; taken.has(name.toLowerCase()); i++) name = `${short}-${hash.slice(0, 8)}-${i - 6}`;
    taken.add(name.toLowerCase());
    return `${name}.txt`;
  };
}
