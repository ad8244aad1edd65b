/** Asking the server what is wrong with the text, a moment after each change. */
import { api, Refused } from "./api";
import { get, set } from "./state";

let timer: ReturnType<typeof setTimeout> | undefined;
let asking: AbortController | undefined;

export function scheduleCheck(after = 350): void {
  clearTimeout(timer);
  timer = setTimeout(() => void check(), after);
}

/** Milliseconds after which a server that could not be asked is asked again. */
const AGAIN = 2000;

async function check(): Promise<void> {
  asking?.abort();
  asking = new AbortController();
  const { text } = get().model;
  try {
    const { problems } = await api.validate(text, asking.signal);
    if (get().model.text === text) set({ problems, checked: text });
  } catch (error) {
    if (!(error instanceof Refused) || get().model.text !== text) return;
    // That the server is away, or knows nobody any more, says nothing of the text.
    if (error.status === 0 || error.status === 401) scheduleCheck(AGAIN);
    else set({ problems: [{ code: error.code, message: error.message }], checked: text });
  }
}
