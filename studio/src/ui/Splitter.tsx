import { useRef, useState, type KeyboardEvent, type PointerEvent, type ReactElement, type RefObject } from "react";

/** How large a part of the page is, where somebody has made it larger or smaller. */
export interface Size {
  /** Null as long as the style sheet says it. */
  readonly pixels: number | null;
  readonly element: RefObject<HTMLElement & HTMLDivElement | null>;
  readonly least: number;
  readonly most: () => number;
  readonly set: (pixels: number | null) => void;
}

/** A size in pixels that this browser remembers by a name. */
export function useSize(name: string, { least, most }: { readonly least: number; readonly most: () => number }): Size {
  const key = `size:${name}`;
  const [pixels, setPixels] = useState<number | null>(() => Number(localStorage.getItem(key)) || null);
  const element = useRef<HTMLElement & HTMLDivElement>(null);
  const set = (wanted: number | null): void => {
    const now = wanted === null ? null : Math.round(Math.max(least, Math.min(most(), wanted)));
    setPixels(now);
    if (now === null) localStorage.removeItem(key);
    else localStorage.setItem(key, String(now));
  };
  return { pixels: pixels === null ? null : Math.max(least, Math.min(most(), pixels)), element, least, most, set };
}

/** Pixels by which one press of an arrow key moves it. */
const STEP = 24;

/** The edge of a part of the page that is drawn, or moved by arrow keys; a double click gives the size back that it came with. */
export function Splitter({ size, label, side }: { readonly size: Size; readonly label: string; readonly side: "top" | "left" }): ReactElement {
  const now = (): number => {
    const box = size.element.current?.getBoundingClientRect();
    return (side === "top" ? box?.height : box?.width) ?? size.least;
  };
  const drag = (event: PointerEvent<HTMLDivElement>): void => {
    if (event.buttons !== 1) return;
    const box = size.element.current!.getBoundingClientRect();
    size.set(side === "top" ? box.bottom - event.clientY : box.right - event.clientX);
  };
  const onKey = (event: KeyboardEvent): void => {
    const more = side === "top" ? "ArrowUp" : "ArrowLeft";
    const less = side === "top" ? "ArrowDown" : "ArrowRight";
    if (event.key !== more && event.key !== less) return;
    event.preventDefault();
    event.stopPropagation();
    size.set(now() + (event.key === more ? STEP : -STEP));
  };
  return (
    <div
      className={`splitter splitter-${side}`} role="separator" aria-orientation={side === "top" ? "horizontal" : "vertical"} aria-label={label} title="Draw to change the size; double click gives it back"
      aria-valuemin={size.least} aria-valuemax={Math.round(size.most())} aria-valuenow={size.pixels ?? size.least} tabIndex={0}
      onPointerDown={(e) => e.currentTarget.setPointerCapture(e.pointerId)} onPointerMove={drag} onDoubleClick={() => size.set(null)} onKeyDown={onKey}
    />
  );
}
