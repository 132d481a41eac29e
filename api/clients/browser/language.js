/** Words in the person's language: English is loaded at once, each other language when it is needed. */

import en from "./locales/en.js";

const FILES = {
  ar: () => import("./locales/ar.js"),
  de: () => import("./locales/de.js"),
  es: () => import("./locales/es.js"),
};

/** The languages: their codes and their own names. */
export const LANGUAGES = { en: "English", de: "Deutsch", es: "Español", ar: "العربية" };

/** The languages that the person has chosen in the browser, best first; privacy modes and web views may tell none. */
export function preferred() {
  const { languages, language } = globalThis.navigator ?? {};
  return languages?.length ? [...languages] : [language];
}

/** The code of the first wanted language (BCP 47 tags) that is offered; else English. */
export function choose(wanted) {
  const codes = wanted.filter(Boolean).map((tag) => String(tag).toLowerCase().split("-")[0]);
  return codes.find((code) => code in LANGUAGES) ?? "en";
}

/** The words of one language. */
export class Words {
  /** @param {string} code @param {Record<string, string>} words @param {Record<string, string>} own words of the host page */
  constructor(code = "en", words = en, own = {}) {
    this.code = code;
    this.dir = words.dir;
    this.words = { ...en, ...words, ...own };
  }

  /** The words of a language; English if its file cannot be loaded. */
  static async of(code, own = {}) {
    if (!(code in FILES)) return new Words("en", en, own);
    try {
      return new Words(code, (await FILES[code]()).default, own);
    } catch {
      return new Words("en", en, own);
    }
  }

  /** The sentence of a key, with its {places} filled. */
  say(key, places = {}) {
    return (this.words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => String(places[name] ?? whole));
  }

  /** The instruction of a challenge; the service's English if this file does not know the challenge. */
  challenge({ type, instruction }) {
    return this.words[`do.${type}`] ?? instruction;
  }

  /** The sentence of a hint; the service's English if this file does not know its code. */
  hint({ code, text, type }) {
    return this.words[`hint.${code}.${type}`] ?? this.words[`hint.${code}`] ?? text;
  }
}
