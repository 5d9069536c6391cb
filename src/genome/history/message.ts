/** The bytes of a commit message to text that is worth reading: who signed it and what a terminal would do goes. */

/** Longest subject and body, in UTF-16 units. */
const subjectUnits = 500;
const bodyUnits = 4000;

/** Lines that name people or tools instead of saying what changed, as git's trailers do. */
const trailer = /^(?:[a-z][a-z-]*-by|cc|change-id|git-svn-id): .*$/gim;
// oxlint-disable-next-line no-control-regex -- Control characters are what is looked for.
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** A commit message as text: UTF-8 without what is invalid, LF as line end, no control characters, no trailers. */
export function decodeMessage(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes).replaceAll("\ufffd", "");
  return text.replace(/\r\n?/g, "\n").replace(control, "").replace(trailer, "").trim();
}

/**
 * Parts a message at its first line end. Both parts are bounded, so mask the message before: a cut may halve what a
 * rule would have found.
 */
export function splitMessage(message: string): { subject: string; body: string } {
  const end = message.indexOf("\n");
  const [subject, body] = end < 0 ? [message, ""] : [message.slice(0, end), message.slice(end + 1)];
  return { subject: cut(subject.trim(), subjectUnits), body: cut(body.trim().replace(/\n{3,}/g, "\n\n"), bodyUnits) };
}

function cut(text: string, units: number): string {
  if (text.length <= units) return text;
  const last = text.charCodeAt(units - 1);
  const halvesPair = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, halvesPair ? units - 1 : units);
}
