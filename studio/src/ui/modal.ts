import { useEffect, useRef, type RefObject } from "react";

/** Keep the focus inside of a dialog, close it with Escape, and give the focus back at the end. */
export function useModal<T extends HTMLElement>(onClose: () => void): RefObject<T | null> {
  const ref = useRef<T>(null);
  const close = useRef(onClose);
  useEffect(() => { close.current = onClose; });
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    const dialog = ref.current;
    const inside = (): HTMLElement[] => [...(dialog?.querySelectorAll<HTMLElement>("input, textarea, select, button, [tabindex='0']") ?? [])];
    (inside().find((e) => e.matches("input, textarea, select")) ?? inside()[0])?.focus();
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === "Escape") {
        event.preventDefault();
        close.current();
      } else if (event.key === "Tab") {
        const all = inside();
        const [first, last] = [all[0], all[all.length - 1]];
        if (event.shiftKey && document.activeElement === first) { event.preventDefault(); last?.focus(); }
        else if (!event.shiftKey && document.activeElement === last) { event.preventDefault(); first?.focus(); }
      }
    };
    dialog?.addEventListener("keydown", onKey);
    return () => {
      dialog?.removeEventListener("keydown", onKey);
      before?.focus();
    };
  }, []);
  return ref;
}
