import type { ReactElement } from "react";

/** A sentence of a schema or a comment: what stands between backticks is code. */
export function Words({ text }: { readonly text: string }): ReactElement {
  return <>{text.split("`").map((part, i, all) => (i % 2 === 1 && i < all.length - 1 ? <code key={i}>{part}</code> : i % 2 === 1 ? `\`${part}` : part))}</>;
}
