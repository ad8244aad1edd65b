import { Component, type ReactElement, type ReactNode } from "react";
import { keepDraft, tell, useStudio } from "../app/store";

interface Props {
  /** Where one is: going elsewhere tries again. */
  readonly place: string;
  readonly children: ReactNode;
}

interface State {
  readonly error: Error | null;
  readonly place: string;
}

/** Stands for a page that cannot be shown: says why, and lets nothing that was written be lost. */
export class Fallen extends Component<Props, State> {
  override state: State = { error: null, place: this.props.place };

  static getDerivedStateFromError(error: unknown): Partial<State> {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  static getDerivedStateFromProps(props: Props, state: State): Partial<State> | null {
    return props.place === state.place ? null : { place: props.place, error: null };
  }

  override componentDidCatch(): void {
    keepDraft();
  }

  override render(): ReactNode {
    return this.state.error === null ? this.props.children : <Told error={this.state.error} />;
  }
}

function Told({ error }: { readonly error: Error }): ReactElement {
  const text = useStudio((s) => s.model.text);
  return (
    <main className="page">
      <h1>This page cannot be shown</h1>
      <p className="lead" role="alert">{error.message}</p>
      <div className="row-actions">
        <button className="primary" onClick={() => location.reload()}>Try again</button>
        {text !== "" && <button onClick={() => { void navigator.clipboard.writeText(text).then(() => tell("copied"), () => tell("the browser does not let it be copied", "bad")); }}>Copy the text of the blueprint</button>}
        <a className="button" href="#/">All blueprints</a>
      </div>
    </main>
  );
}
