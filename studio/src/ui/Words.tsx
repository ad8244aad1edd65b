import { Fragment, type ReactElement } from "react";

/** A text in which what stands between `backticks` is code. */
export function Words({ text }: { readonly text: string }): ReactElement {
  const parts = text.split("`");
  if (parts.length % 2 === 0) return <>{text}</>;
  return <>{parts.map((part, n) => (n % 2 === 0 ? <Fragment key={n}>{part}</Fragment> : <code key={n}>{part}</code>))}</>;
}
