/** Code and own name of each language there is. */
export const LANGUAGES: Record<string, string>;
/** The first of the wanted languages (BCP 47 tags) that there is; else English. */
export function choose(wanted: (string | null | undefined)[]): string;
export class Words {
  static of(code: string, own?: Record<string, string>): Promise<Words>;
  readonly code: string;
  readonly dir: "ltr" | "rtl";
  say(key: string, places?: Record<string, string | number>): string;
}
