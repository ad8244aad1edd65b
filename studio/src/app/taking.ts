/** The field that a part of what came in goes to: the one that was last worked in. */
import { create } from "zustand";

export interface Target {
  readonly path: string;
  readonly name: string;
  readonly take: (expression: string) => void;
}

export const useTaking = create<{ readonly target: Target | null }>(() => ({ target: null }));

export function aim(target: Target | null): void {
  useTaking.setState({ target });
}

/** What is dragged carries an expression under this name. */
export const PART = "application/x-atomiton-part";
