/** Texts that are not saved yet, kept for as long as the window is open. */
export const NEW = `atomiton: 1
id: untitled
name: Untitled
nodes: {}
`;

/** What a new blueprint begins with, or which unsaved one it goes on with; set by whoever leads to it. */
export const draft: { text: string | null; key: string | null } = { text: null, key: null };

export interface Kept {
  /** The id of a kept blueprint, or `new/…` of one that was never saved. */
  readonly key: string;
  readonly name: string;
  readonly text: string;
  /** What it was changed from, and the etag of that; null where it was never saved. */
  readonly saved: string;
  readonly etag: string | null;
  readonly at: number;
  /** Whether anything was changed by hand. */
  readonly touched: boolean;
}

const PREFIX = "draft:";

/** Keep a text; false where there is no room for it. */
export function keep(kept: Kept): boolean {
  try {
    sessionStorage.setItem(PREFIX + kept.key, JSON.stringify(kept));
    return true;
  } catch {
    return false; // full, or forbidden: the text on the screen is still there
  }
}

export function forget(key: string): void {
  sessionStorage.removeItem(PREFIX + key);
}

export function keptOf(key: string): Kept | null {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + key) ?? "null") as Kept | null;
  } catch {
    return null;
  }
}

/** Texts that were never saved, the newest first. */
export function unsaved(): Kept[] {
  const keys = Array.from({ length: sessionStorage.length }, (_, i) => sessionStorage.key(i) ?? "");
  const found = keys.filter((key) => key.startsWith(`${PREFIX}new/`)).map((key) => keptOf(key.slice(PREFIX.length)));
  return found.filter((kept) => kept !== null).sort((a, b) => b.at - a.at);
}
