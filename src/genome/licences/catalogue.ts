/** The licences that texts and names are recognised as, and which of them count as permissive; no code of matching. */

/** Nothing says under which terms the file or repository stands. */
export const unknownLicence = "unknown";

/** Terms are stated, but not (or not only) those of a licence known here: a valid SPDX expression for "read it". */
export const unrecognisedLicence = "LicenseRef-unrecognised";

export interface KnownLicence {
  /** SPDX id; for the GNU family the `-only` one, which a licence text without a notice grants at least. */
  readonly id: string;
  /** Words that only this text (or one built on it) has, as `normalise` gives them: which template to compare with. */
  readonly signature: string;
  /** Names in running text that cannot mean anything else, as `normalise` gives them. */
  readonly names?: readonly string[];
  /** Abbreviations that count only after "license" or "under". The id is one by itself. */
  readonly abbreviations?: readonly string[];
  /** A passage that many copies have and SPDX's text has not. */
  readonly passage?: string;
  /** Where the terms of SPDX's text end: what follows (how to apply them) is often left out. */
  readonly end?: string;
  /** Words, as `normalise` gives them, that show a text to be another licence with the same words. */
  readonly counterSign?: string;
  /** Its text leaves terms to be filled in, so that more words do not make it another licence. */
  readonly hasParameters?: true;
}

const endOfTerms = "end of terms and conditions";
/** The last paragraph of how to apply the GPL, from before version 3. */
const noProprietaryPrograms =
  "This General Public License does not permit incorporating your program into proprietary programs. If your program is \
a subroutine library, you may consider it more useful to permit linking proprietary applications with the library. If \
this is what you want to do, use the GNU Library General Public License instead of this License.";
const creativeCommons = "international public license by exercising the licensed rights";

/** Every licence here has its text in spdx-license-list, which a text is compared with. */
export const knownLicences: readonly KnownLicence[] = [
  {
    id: "MIT",
    signature: "shall be included in all copies or substantial portions of the software the software is provided as is",
    passage: "The above copyright notice and this permission notice (including the next paragraph) shall be included",
    names: ["mit license", "mit licensed", "mit expat license", "expat license", "mit style license"],
    abbreviations: ["expat", "mit x11"],
  },
  {
    id: "MIT-0",
    signature: "permission is hereby granted free of charge to any person",
    counterSign: "subject to the following conditions",
    names: ["mit no attribution"],
  },
  {
    id: "X11",
    signature: "in advertising or otherwise to promote the sale use or other dealings",
    names: ["x11 license"],
  },
  { id: "JSON", signature: "the software shall be used for good not evil" },
  {
    id: "ISC",
    signature: "provided that the above copyright notice and this permission notice appear",
    names: ["isc license"],
  },
  {
    id: "0BSD",
    signature: "for any purpose with or without fee is hereby granted",
    names: ["zero clause bsd", "bsd zero clause license"],
  },
  { id: "BSD-1-Clause", signature: "redistributions of source code must retain the above copyright notice" },
  {
    id: "BSD-2-Clause",
    signature: "redistributions in binary form must reproduce the above copyright notice",
    names: ["bsd 2 clause license", "2 clause bsd license", "simplified bsd license", "freebsd license"],
    abbreviations: ["2 clause bsd", "bsd 2", "simplified bsd"],
  },
  { id: "BSD-2-Clause-Patent", signature: "a perpetual worldwide non exclusive no charge royalty free irrevocable" },
  {
    id: "BSD-3-Clause",
    signature: "used to endorse or promote products derived from this software without specific prior",
    names: [
      "bsd 3 clause license",
      "3 clause bsd license",
      "new bsd license",
      "modified bsd license",
      "revised bsd license",
    ],
    passage:
      "The name of the author may not be used to endorse or promote products derived from this software without \
specific prior written permission.",
    abbreviations: ["3 clause bsd", "bsd 3", "new bsd", "modified bsd", "bsd new"],
  },
  { id: "BSD-3-Clause-Clear", signature: "no express or implied licenses to any party s patent rights" },
  { id: "BSD-4-Clause", signature: "all advertising materials mentioning features or use of this software" },
  {
    id: "Apache-2.0",
    signature: "apache license version 2 0 january 2004",
    names: [
      "apache license version 2 0",
      "apache license 2 0",
      "apache license v2 0",
      "apache license v2",
      "apache license 2",
    ],
    abbreviations: ["apache 2", "apache v2", "apache2", "apache2 0", "apache version 2 0"],
    end: endOfTerms,
  },
  {
    id: "MPL-2.0",
    signature: "mozilla public license version 2 0 1 definitions",
    names: ["mozilla public license version 2 0", "mozilla public license v 2 0", "mozilla public license 2 0"],
    abbreviations: ["mpl 2", "mpl2", "mpl v2 0"],
    end: "exhibit a source code form license notice",
  },
  {
    id: "MPL-1.1",
    signature: "mozilla public license version 1 1 1 definitions",
    names: ["mozilla public license version 1 1"],
  },
  { id: "GPL-1.0-only", signature: "gnu general public license version 1 february 1989", end: endOfTerms },
  {
    id: "GPL-2.0-only",
    signature: "gnu general public license version 2 june 1991",
    end: endOfTerms,
    passage: noProprietaryPrograms,
  },
  { id: "GPL-3.0-only", signature: "gnu general public license version 3 29 june 2007", end: endOfTerms },
  { id: "LGPL-2.0-only", signature: "gnu library general public license version 2 june 1991", end: endOfTerms },
  { id: "LGPL-2.1-only", signature: "gnu lesser general public license version 2 1 february 1999", end: endOfTerms },
  {
    id: "LGPL-3.0-only",
    signature: "gnu lesser general public license version 3 29 june 2007",
    // SPDX's text goes on with the whole GPL-3.0, which stands in a file of its own elsewhere.
    end: "gnu general public license version 3 29 june 2007",
  },
  { id: "AGPL-3.0-only", signature: "gnu affero general public license version 3 19 november 2007", end: endOfTerms },
  {
    id: "Unlicense",
    signature: "this is free and unencumbered software released into the public domain",
    names: ["free and unencumbered software released into the public domain", "the unlicense", "unlicense license"],
  },
  {
    id: "CC0-1.0",
    signature: "cc0 1 0 universal",
    names: ["cc0 1 0 universal", "creative commons zero v1 0 universal", "creative commons zero"],
    abbreviations: ["cc0"],
  },
  {
    id: "CC-BY-4.0",
    signature: `creative commons attribution 4 0 ${creativeCommons}`,
    names: ["creative commons attribution 4 0"],
  },
  {
    id: "CC-BY-SA-4.0",
    signature: `creative commons attribution sharealike 4 0 ${creativeCommons}`,
    names: ["creative commons attribution sharealike 4 0", "creative commons attribution share alike 4 0"],
  },
  {
    id: "CC-BY-NC-4.0",
    signature: `creative commons attribution noncommercial 4 0 ${creativeCommons}`,
    names: ["creative commons attribution noncommercial 4 0", "creative commons attribution non commercial 4 0"],
  },
  {
    id: "CC-BY-NC-SA-4.0",
    signature: `creative commons attribution noncommercial sharealike 4 0 ${creativeCommons}`,
    names: ["creative commons attribution noncommercial sharealike 4 0"],
  },
  {
    id: "CC-BY-NC-ND-4.0",
    signature: `creative commons attribution noncommercial noderivatives 4 0 ${creativeCommons}`,
    names: ["creative commons attribution noncommercial noderivatives 4 0"],
  },
  {
    id: "CC-BY-ND-4.0",
    signature: `creative commons attribution noderivatives 4 0 ${creativeCommons}`,
    names: ["creative commons attribution noderivatives 4 0"],
  },
  { id: "CC-BY-3.0", signature: "creative commons legal code attribution 3 0 unported" },
  {
    id: "BSL-1.0",
    signature: "boost software license version 1 0 august 17th 2003",
    names: ["boost software license version 1 0", "boost software license 1 0"],
  },
  {
    id: "EPL-2.0",
    signature: "eclipse public license v 2 0 the accompanying program",
    names: ["eclipse public license v 2 0", "eclipse public license v2 0", "eclipse public license 2 0"],
    end: "exhibit a form of secondary licenses notice",
  },
  {
    id: "EPL-1.0",
    signature: "eclipse public license v 1 0 the accompanying program",
    names: ["eclipse public license v 1 0", "eclipse public license v1 0"],
  },
  { id: "CDDL-1.0", signature: "common development and distribution license cddl version 1 0" },
  { id: "MS-PL", signature: "microsoft public license ms pl", names: ["microsoft public license"] },
  {
    id: "Zlib",
    signature: "altered source versions must be plainly marked as such",
    names: ["zlib license", "zlib libpng license"],
  },
  {
    id: "WTFPL",
    signature: "you just do what the fuck you want to",
    names: ["do what the fuck you want to public license"],
  },
  {
    id: "Artistic-2.0",
    signature: "the artistic license 2 0 copyright c 2000 2006 the perl foundation",
    names: ["artistic license 2 0"],
  },
  {
    id: "PostgreSQL",
    signature:
      "without a written agreement is hereby granted provided that the above copyright notice and this paragraph",
    names: ["postgresql license"],
  },
  {
    id: "HPND",
    signature: "and that both that copyright notice and this permission notice appear in supporting documentation",
  },
  { id: "Python-2.0", signature: "beopen python open source license agreement version 1" },
  {
    id: "PSF-2.0",
    signature: "this license agreement is between the python software foundation psf",
    names: ["python software foundation license", "psf license"],
    abbreviations: ["psf"],
  },
  {
    id: "OFL-1.1",
    signature: "sil open font license version 1 1 26 february 2007",
    names: ["sil open font license version 1 1", "sil open font license 1 1"],
    abbreviations: ["ofl 1 1"],
  },
  {
    id: "EUPL-1.2",
    signature: "this european union public license the eupl applies to the work",
    names: ["european union public license v 1 2", "eupl version 1 2", "eupl v1 2"],
  },
  {
    id: "BUSL-1.1",
    signature: "business source license 1 1",
    names: ["business source license 1 1"],
    end: "covenants of licensor",
    hasParameters: true,
  },
  {
    id: "SSPL-1.0",
    signature: "server side public license version 1 october 16 2018",
    names: ["server side public license v 1", "server side public license version 1"],
  },
  {
    id: "Elastic-2.0",
    signature: "elastic license 2 0 url https www elastic co",
    names: ["elastic license 2 0", "elastic license v2"],
  },
  { id: "Vim", signature: "there are no restrictions on distributing unmodified copies of vim" },
  {
    id: "NCSA",
    signature: "deal with the software without restriction including without limitation the rights to use",
  },
  {
    id: "UPL-1.0",
    signature: "the universal permissive license upl version 1 0",
    names: ["universal permissive license v 1 0"],
  },
  { id: "BlueOak-1.0.0", signature: "blue oak model license version 1 0 0", names: ["blue oak model license"] },
  { id: "Unicode-3.0", signature: "unicode license v3" },
  { id: "CDLA-Permissive-2.0", signature: "community data license agreement permissive version 2 0" },
  { id: "ODbL-1.0", signature: "open data commons open database license odbl" },
];

/**
 * What `--licences permissive` keeps: licences that let anyone use, change and pass on the work, also for money, and
 * ask for no more than that notices are kept. Those for software are a part of the Blue Oak Council's permissive list
 * (version 15, ratings model to bronze) without the ones that ask for a credit in advertising (BSD-4-Clause); beside
 * them CC-BY-4.0, which asks the same of texts and data, its data counterpart CDLA-Permissive-2.0, and Unicode-3.0,
 * the successor of a listed one. Share-alike, non-commercial and field-of-use terms are not in it; neither is WTFPL,
 * which disclaims no warranty and which that list rates below bronze.
 */
export const permissiveLicences: readonly string[] = [
  "0BSD",
  "Apache-2.0",
  "Artistic-2.0",
  "BlueOak-1.0.0",
  "BSD-1-Clause",
  "BSD-2-Clause",
  "BSD-2-Clause-Patent",
  "BSD-3-Clause",
  "BSD-3-Clause-Clear",
  "BSL-1.0",
  "CC-BY-4.0",
  "CC0-1.0",
  "CDLA-Permissive-2.0",
  "ISC",
  "MIT",
  "MIT-0",
  "NCSA",
  "PostgreSQL",
  "PSF-2.0",
  "Python-2.0",
  "Unicode-3.0",
  "Unlicense",
  "UPL-1.0",
  "X11",
  "Zlib",
];
