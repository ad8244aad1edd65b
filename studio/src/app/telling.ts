/** What is told to whoever is at work, and begins with something. */
import { Refused } from "./api";
import { set, type Toast, type ToastAction } from "./state";

let toasts = 0;

export function tell(text: string, kind: Toast["kind"] = "info", action?: ToastAction): void {
  const id = ++toasts;
  set((s) => ({ toasts: [...s.toasts.filter((t) => t.text !== text).slice(-3), { id, kind, text, ...(action === undefined ? {} : { action }) }] }));
  setTimeout(() => set((s) => ({ toasts: s.toasts.filter((t) => t.id !== id) })), kind === "bad" || action !== undefined ? 9000 : 4000);
}

export function dismiss(id: number): void {
  set((s) => ({ toasts: s.toasts.filter((t) => t.id !== id) }));
}

/** Do something, and say so where it was refused. */
export async function attempt<T>(doing: Promise<T>): Promise<T | null> {
  try {
    return await doing;
  } catch (error) {
    const [first] = error instanceof Refused ? error.problems : [];
    const message = error instanceof Error ? error.message : String(error);
    tell(first !== undefined && !message.includes(first.message) ? `${message}: ${first.message}` : message, "bad");
    return null;
  }
}
