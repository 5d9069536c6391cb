/** Payment cards, bank accounts and telephone numbers: numbers that carry their own proof, so that tables and logs stay. */
import { digits, followsWord, isDigit, letters } from "./edges.ts";
import type { Finder } from "./span.ts";

const capitals = letters.slice(0, 26);
const notDigits = Array.from({ length: 128 }, (_, i) => String.fromCharCode(i))
  .filter((c) => !digits.includes(c))
  .join("");

/** Issuers and their lengths (ISO/IEC 7812): Visa, Mastercard, American Express, Discover, Diners Club, JCB, UnionPay. */
const issuers =
  /^(?:4\d{15}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|6(?:011|4[4-9]\d|5\d\d)\d{12}|3(?:0[0-5]|[689]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14})$/;
const cardGroups = /(?<![\d.+-][ -]?)(?:\d{13,16}|\d{4}([ -])(?:\d{4}\1\d{4}\1\d{4}|\d{6}\1\d{4,5}))$/;
/** A number of a table: another long one stands beside it, or four hexadecimal digits as in tables of characters. */
const tableBefore = /(?:\d{12}["']?[,;|\t ]["' ]?|\b[\dA-F]{4,5}\s)$/;
const tableAfter = /^(?:["']?[,;|\t ]["' ]?[+-]?\d{12}|\s[\dA-F]{4,5}\b)/;

export const cards: Finder = {
  anchors: [[digits, digits, notDigits]],
  find(text, at) {
    const end = at + 2;
    // Cheap look first: every card ends in four digits, and most numbers end sooner.
    if (!isDigit(text.charCodeAt(at - 1)) || !isDigit(text.charCodeAt(at - 2))) return undefined;
    const match = cardGroups.exec(text.slice(Math.max(0, end - 22), end));
    if (match === null) return undefined;
    const start = end - match[0].length;
    const number = match[0].replaceAll(/[ -]/g, "");
    if (!issuers.test(number) || !passesLuhn(number)) return undefined;
    if (followsWord(text, start) || /^(?:\w|[.-]\d| \d{4})/.test(text.slice(end, end + 5))) return undefined;
    if (tableBefore.test(text.slice(Math.max(0, start - 20), start)) || tableAfter.test(text.slice(end, end + 20)))
      return undefined;
    return { start, end, label: "card" };
  },
};

/** The check digit of payment cards (ISO/IEC 7812-1, annex B). */
function passesLuhn(number: string): boolean {
  let sum = 0;
  for (let i = 0; i < number.length; i++) {
    const value = number.charCodeAt(number.length - 1 - i) - 48;
    sum += i % 2 === 0 ? value : value > 4 ? 2 * value - 9 : 2 * value;
  }
  return sum % 10 === 0;
}

/** Characters of an IBAN by country (SWIFT IBAN registry). */
const ibanLengths = new Map(
  (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 " +
    "FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 " +
    "ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 " +
    "SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
  )
    .split(" ")
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);
const ibanShape = /[A-Z]{2}\d{2}(?:[A-Z0-9]{11,29}|(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,3})?)(?!\w)/y;

export const ibans: Finder = {
  anchors: [[capitals, capitals, digits]],
  find(text, at) {
    const length = ibanLengths.get(text.slice(at, at + 2));
    if (length === undefined || followsWord(text, at)) return undefined;
    ibanShape.lastIndex = at;
    const match = ibanShape.exec(text);
    if (match === null) return undefined;
    const compact = match[0].replaceAll(" ", "");
    if (compact.length !== length) return undefined;
    const moved = `${compact.slice(4)}${compact.slice(0, 4)}`;
    // ISO 7064 MOD 97-10 over the digits, letters counted from A = 10.
    let remainder = 0;
    for (const character of moved) {
      const value = Number.parseInt(character, 36);
      remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
    }
    return remainder === 1 ? { start: at, end: ibanShape.lastIndex, label: "iban" } : undefined;
  },
};

/** Country calling codes (ITU-T E.164): one, two or three digits. */
const callingCode =
  /^(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|2[1-69]\d|3[578]\d|42\d|50\d|59\d|6[7-9]\d|80\d|85\d|88\d|96\d|97\d|99\d)/;
const phoneShape = /\+[1-9]\d{0,3}(?:[ .\-/]?\(\d{1,5}\))?(?:[ .\-/]?\d{1,12})+/y;
const northAmerica = /^1[2-9]\d\d[2-9]\d{6}$/;
/** 555-0100 to 555-0199 are set aside for examples. */
const fictional = /^1\d{3}55501\d\d$/;

export const phones: Finder = {
  anchors: [["+", digits.slice(1), `${digits} (.-`]],
  find(text, at) {
    if (followsWord(text, at) || /[\d+.)\]/%$-]/.test(text.charAt(at - 1))) return undefined;
    phoneShape.lastIndex = at;
    const match = phoneShape.exec(text);
    if (match === null) return undefined;
    const end = phoneShape.lastIndex;
    const number = match[0].replaceAll(/\D/g, "");
    if (number.length < 10 || number.length > 15 || !callingCode.test(number)) return undefined;
    if (number.startsWith("1") && (!northAmerica.test(number) || fictional.test(number))) return undefined;
    const separators = match[0].match(/[ .\-/()]/g) ?? [];
    // One dot makes a decimal fraction, and a line of a diff begins with "+" whatever number follows.
    if (separators.length === 1 && separators[0] === ".") return undefined;
    const startsLine = at === 0 || text[at - 1] === "\n" || text[at - 1] === "\r";
    if (startsLine && separators.length === 0) return undefined;
    if (/^(?:\w|[.,:/-]\d| [+-]?\d)/.test(text.slice(end, end + 3))) return undefined;
    return { start: at, end, label: "phone" };
  },
};
