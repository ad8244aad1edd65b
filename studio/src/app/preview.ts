/** What expressions give, as the server evaluates them over the run that is shown, or the latest one. */
import { useEffect, useMemo, useState } from "react";
import { holes } from "../model/expressions";
import { api, type Previewed } from "./api";
import { useRun } from "./run";
import { useStudio } from "./store";

/** Milliseconds for which it is waited whether more is typed. */
const PAUSE = 250;
/** Characters of an expression that are sent. */
const MOST = 10_000;

const latest = new Map<string, { readonly run: Promise<string | null>; readonly at: number }>();

/** The latest run of a kept blueprint; asked for again after a while. */
async function latestRun(id: string): Promise<string | null> {
  const known = latest.get(id);
  if (known !== undefined && Date.now() - known.at < 15_000) return known.run;
  const run = api.runs({ blueprint: id, limit: 1 }).then((page) => page.runs[0]?.run ?? null, () => null);
  latest.set(id, { run, at: Date.now() });
  return run;
}

export interface Asking {
  readonly path: string;
  readonly text: string;
  readonly bare: boolean;
  readonly over?: string | undefined;
}

const GAVE: ReadonlySet<string> = new Set(["completed", "skipped"]);

/** A node that a text refers to, and that has given nothing in the run that is shown: it failed, or it is not its turn yet. */
export function useSilent({ path, text, over = "" }: Asking): string | null {
  const edges = useStudio((s) => s.model.edges);
  const words = useMemo(() => new Set(`${text} ${over}`.match(/\w+/g)), [text, over]);
  return useRun(({ run, at, tallies }) => {
    if (run === null || at !== null) return null;
    const gave = (source: string): boolean => GAVE.has(tallies.get(source)?.status ?? "") || (tallies.get(source)?.completed ?? 0) > 0;
    return edges.find(({ kind, source, target }) => kind === "data" && target === path && words.has(source.split(".").pop()!) && !gave(source))?.source ?? null;
  });
}

/** What a text with expressions gives; null while nothing can be said. */
export function usePreview({ path, text, bare, over }: Asking): Previewed | null {
  const shown = useRun((s) => s.run);
  const version = useRun((s) => s.version);
  const id = useStudio((s) => s.id);
  const [seen, setSeen] = useState<Previewed | null>(null);
  // A bare `else` is the route for everything else, and no expression.
  const asks = text.length <= MOST && (bare ? !["", "else"].includes(text.trim()) : holes(text).length > 0);
  useEffect(() => {
    if (!asks) {
      setSeen(null);
      return;
    }
    const stop = new AbortController();
    const timer = setTimeout(() => {
      void (async () => {
        const run = shown ?? (id === null ? null : await latestRun(id));
        if (stop.signal.aborted) return;
        if (run === null) return setSeen(null);
        try {
          const isWhole = bare && holes(text).length === 0;
          const told = await api.preview({ run, text, node: path, bare: isWhole, ...(over !== undefined && over.length <= MOST ? { over } : {}) }, stop.signal);
          if (!stop.signal.aborted) setSeen(told);
        } catch {
          if (!stop.signal.aborted) setSeen(null); // the run is not there any more, or the server is away
        }
      })();
    }, PAUSE);
    return () => { clearTimeout(timer); stop.abort(); };
  }, [asks, text, bare, over, path, shown, version, id]);
  return asks ? seen : null;
}
