/** Words in the person's language: English at once, others by a file each when they are asked for. */

import en from "./locales/en.js";

const FILES = {
  ar: () => import("./locales/ar.js"),
  de: () => import("./locales/de.js"),
  es: () => import("./locales/es.js"),
};

/** Code and own name of each language there is. */
export const LANGUAGES = { en: "English", de: "Deutsch", es: "Español", ar: "العربية" };

/** The first of the wanted languages (BCP 47 tags) that there is; else English. */
export function choose(wanted) {
  const codes = wanted.filter(Boolean).map((tag) => tag.toLowerCase().split("-")[0]);
  return codes.find((code) => code in LANGUAGES) ?? "en";
}

/** The words of one language. */
export class Words {
  /** @param {string} code @param {Record<string, string>} words @param {Record<string, string>} own the host page's */
  constructor(code = "en", words = en, own = {}) {
    this.code = code;
    this.dir = words.dir;
    this.words = { ...en, ...words, ...own };
  }

  /** The words for a language's code; English where its file cannot be loaded. */
  static async of(code, own = {}) {
    if (!(code in FILES)) return new Words("en", en, own);
    try {
      return new Words(code, (await FILES[code]()).default, own);
    } catch {
      return new Words("en", en, own);
    }
  }

  /** A sentence, its {places} filled. */
  say(key, places = {}) {
    return (this.words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => String(places[name] ?? whole));
  }

  /** What to do; in the service's English where this challenge is newer than this file. */
  challenge({ type, instruction }) {
    return this.words[`do.${type}`] ?? instruction;
  }

  /** A hint by its code, the same way. */
  hint({ code, text, type }) {
    return this.words[`hint.${code}.${type}`] ?? this.words[`hint.${code}`] ?? text;
  }
}
