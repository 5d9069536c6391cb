/** The environment and the settings that git always gets here, whatever calls it and whatever repository it looks at. */

/** What would make git look at another repository than the one named, read paths otherwise, or write traces. */
const removed =
  /^GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|NAMESPACE|CONFIG|EXTERNAL_DIFF|DIFF_OPTS|PREFIX|IMPLICIT_WORK_TREE|SHALLOW_FILE|REPLACE_REF_BASE|QUARANTINE_PATH|TEMPLATE_DIR|CEILING_DIRECTORIES|(GLOB|NOGLOB|ICASE)_PATHSPECS|TRACE.*|TR2_.*)$/;

const always = {
  GIT_TERMINAL_PROMPT: "0",
  GIT_NO_LAZY_FETCH: "1",
  GIT_NO_REPLACE_OBJECTS: "1",
  // Grafts would give commits other parents than their content says, and with them other dates.
  GIT_GRAFT_FILE: "/dev/null",
  GIT_OPTIONAL_LOCKS: "0",
  LC_ALL: "C",
  LANGUAGE: "",
} as const;

/** Given before every verb: a repository's own configuration can then neither start a program nor bend an answer. */
export const hardening: readonly string[] = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.attributesFile=/dev/null",
  // A cache that git believes unseen, of what commits say of themselves.
  "core.commitGraph=false",
  // A log of refs would keep the address that was fetched from, password included.
  "core.logAllRefUpdates=false",
  "protocol.ext.allow=never",
  "fetch.recurseSubmodules=false",
  "submodule.recurse=false",
  "gc.auto=0",
  "maintenance.auto=false",
  "http.lowSpeedLimit=1000",
  "http.lowSpeedTime=60",
  "advice.detachedHead=false",
  // Git's memory then does not grow with the size of packs and blobs: 75 instead of 420 MB on a pack of 400 MB.
  "core.packedGitWindowSize=16m",
  "core.packedGitLimit=64m",
  "core.deltaBaseCacheLimit=32m",
  "core.bigFileThreshold=16m",
].flatMap((setting) => ["-c", setting]);

/** The environment git gets: the user's own, less what redirects git, plus what keeps it quiet and honest. */
export function gitEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([key]) => !removed.test(key));
  return { ...Object.fromEntries(kept), ...always };
}
