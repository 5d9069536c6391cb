/** What to type for this program, in messages that say what to do next. */

/** In a checkout the source runs through npm; what is installed from the package runs by its name. */
export const COMMAND = import.meta.url.endsWith(".ts") ? "npm run chrysalis --" : "chrysalis";
