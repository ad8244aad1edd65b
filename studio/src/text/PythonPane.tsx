import { python } from "@codemirror/lang-python";
import { foldGutter, syntaxHighlighting } from "@codemirror/language";
import { search, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, keymap, lineNumbers } from "@codemirror/view";
import { Check, Copy } from "lucide-react";
import { useEffect, useRef, useState, type ReactElement } from "react";
import { api, Refused } from "../app/api";
import { tell, useStudio } from "../app/store";
import { difference } from "../model/text";
import { colours, look } from "./look";

/** The code of the blueprint that is on the screen, as the server writes it; why there is none. */
function useCode(): { code: string; why: string } {
  const text = useStudio((s) => s.model.text);
  const [made, setMade] = useState({ code: "", why: "" });
  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(() => {
      api.python(text, stop.signal).then(
        (code) => setMade({ code, why: "" }),
        (error: unknown) => {
          if (stop.signal.aborted) return;
          const [first] = error instanceof Refused ? error.problems : [];
          const why = first?.message ?? (error instanceof Error ? error.message : String(error));
          setMade((old) => ({ ...old, why }));
        },
      );
    }, 250);
    return () => { clearTimeout(timer); stop.abort(); };
  }, [text]);
  return made;
}

/** The blueprint as the Python function that builds it; to be read and copied. */
export default function PythonPane(): ReactElement {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const { code, why } = useCode();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    const root = host.current!.shadowRoot ?? host.current!.attachShadow({ mode: "open" });
    view.current = new EditorView({
      root,
      parent: root as unknown as HTMLElement,
      state: EditorState.create({
        extensions: [
          lineNumbers(), foldGutter(), drawSelection(), search({ top: true }), python(), syntaxHighlighting(colours), look,
          EditorState.readOnly.of(true), EditorState.tabSize.of(4), keymap.of(searchKeymap),
          EditorView.contentAttributes.of({ "aria-label": "The blueprint as Python", "aria-readonly": "true", tabindex: "0" }),
        ],
      }),
    });
    return () => view.current?.destroy();
  }, []);
  useEffect(() => {
    const now = view.current;
    if (now === null) return;
    now.dispatch({ changes: difference(now.state.doc.toString(), code).map((c) => ({ ...c })) });
  }, [code]);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(code);
      setCopied(true);
      setTimeout(() => setCopied(false), 2000);
    } catch {
      tell("the browser does not let this page copy: select the code, and copy it", "bad");
    }
  };
  return (
    <>
      <div className="pane-bar">
        {why === "" ? <span className="muted">Builds the same blueprint</span> : <span className="problem" role="alert">not up to date: {why}</span>}
        <span className="grow" />
        <button onClick={() => void copy()} disabled={code === ""}>{copied ? <Check /> : <Copy />}{copied ? "Copied" : "Copy"}</button>
      </div>
      <div className="text-host" ref={host} />
    </>
  );
}
