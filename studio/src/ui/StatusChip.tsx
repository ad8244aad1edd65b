import type { ReactElement } from "react";

/** How a run can fare, as one asks for it. */
export const STATUSES = ["queued", "running", "waiting", "paused", "completed", "failed", "cancelled"];

export function StatusChip({ status }: { readonly status: string }): ReactElement {
  return <span className={`chip chip-${status}`}>{status}</span>;
}
