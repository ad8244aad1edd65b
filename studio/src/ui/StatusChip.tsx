import type { ReactElement } from "react";

export function StatusChip({ status }: { readonly status: string }): ReactElement {
  return <span className={`chip chip-${status}`}>{status}</span>;
}
