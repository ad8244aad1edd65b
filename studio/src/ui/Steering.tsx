import { ArrowUpFromLine, Ban, CirclePause, Footprints, GitFork, Play, Redo, RotateCcw, Turtle, WifiOff } from "lucide-react";
import { useState, type ReactElement } from "react";
import { useDebug } from "../app/debug";
import { ENDED, forkFrom, goOn, retry, slowMotion, steer, stepOnce, useRun, watch } from "../app/run";
import { tell, useStudio } from "../app/store";
import { InputFields, type Given } from "./InputFields";
import { StatusChip } from "./StatusChip";
import { duration } from "./time";

/** How the run fares, and what can be done with it. */
export function Steering(): ReactElement {
  const view = useRun((s) => s.view);
  const run = useRun((s) => s.run)!;
  const connection = useRun((s) => s.connection);
  const debugging = useRun((s) => s.debugging);
  const stopped = useRun((s) => s.stopped);
  const slow = useDebug((s) => s.slow);
  const status = view?.status ?? "queued";
  const ended = ENDED.has(status);
  return (
    <div className="steering">
      {connection === "lost" && <span className="lost" role="status"><WifiOff />reconnecting…</span>}
      {connection === "out" && <span className="lost" role="alert" title="Open the link that `atomiton studio` prints, or one of `atomiton tokens login`; this page goes on by itself"><WifiOff />log in again: open the link that <code>atomiton studio</code> prints</span>}
      <StatusChip status={status} />
      {view !== null && <span className="muted">{duration(view.duration_ms)}</span>}
      {stopped.length > 0 && <span className="muted">next: {stopped.slice(0, 3).join(", ")}</span>}
      {!ended && debugging && <>
        <button title="Go on to the next breakpoint (F8)" onClick={() => void goOn()}><Play />Continue</button>
        <button title="Start one more attempt, also inside of what is next (F11)" onClick={() => void stepOnce()}><Footprints />Step</button>
        <button className="icon" title="Step over: until what is next has ended (F10)" aria-label="Step over" onClick={() => void stepOnce("over")}><Redo /></button>
        <button className="icon" title="Step out: until what is around has ended (Shift+F11)" aria-label="Step out" onClick={() => void stepOnce("out")}><ArrowUpFromLine /></button>
      </>}
      {!ended && <button className="icon" aria-pressed={slow !== null} title="Slow motion: one step at a time, by itself" aria-label="Slow motion" onClick={() => void slowMotion(slow === null ? 700 : null)}><Turtle /></button>}
      {!ended && (!debugging || status === "running") && status !== "paused" && <button onClick={() => void steer("pause")}><CirclePause />Pause</button>}
      {!ended && <button className="danger" onClick={() => void steer("cancel")}><Ban />Cancel</button>}
      {(status === "failed" || status === "cancelled") && <button title="Do again what failed; what was done stays done" onClick={() => { void retry(run).then((made) => { if (made !== null) { tell("tried again, as a new run", "good"); watch(made, view!.blueprint); } }); }}><RotateCcw />Retry</button>}
      {ended && <ForkButton />}
    </div>
  );
}

/** Run again from a node on, with other inputs. */
function ForkButton(): ReactElement | null {
  const selected = useStudio((s) => s.selected);
  const inputs = useStudio((s) => s.model.head.inputs);
  const log = useRun((s) => s.log);
  const [open, setOpen] = useState(false);
  const [values, setValues] = useState<Given>({});
  const [one] = selected;
  const node = one?.split(".")[0];
  if (node === undefined) return null;
  const fork = async (paused: boolean): Promise<void> => {
    if ((await forkFrom(node, values, paused)) === null) return;
    setOpen(false);
    tell(`a new run begins at ${node}`, "good");
  };
  return (
    <div className="popover-anchor">
      <button aria-expanded={open} title="A new run that begins at the selected node" onClick={() => { setOpen(!open); setValues({ ...((log.inputs ?? {}) as Record<string, unknown>) }); }}><GitFork />Run again from {node}</button>
      {open && (
        <div className="popover" role="dialog" aria-label="Run again from here">
          <p className="help">What ran before {node} is kept. Its inputs may be others now.</p>
          <InputFields inputs={inputs} values={values} onChange={setValues} />
          <div className="row-actions"><button className="primary" onClick={() => void fork(false)}>Run</button><button onClick={() => void fork(true)}>Start paused</button></div>
        </div>
      )}
    </div>
  );
}
