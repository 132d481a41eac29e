/** The languages: their codes and their own names. */
export const LANGUAGES: Record<string, string>;
/** The languages that the person has chosen in the browser, best first. */
export function preferred(): (string | undefined)[];
/** The code of the first wanted language (BCP 47 tags) that is offered; else English. */
export function choose(wanted: (string | null | undefined)[]): string;
export class Words {
  static of(code: string, own?: Record<string, string>): Promise<Words>;
  readonly code: string;
  readonly dir: "ltr" | "rtl";
  say(key: string, places?: Record<string, string | number>): string;
}
