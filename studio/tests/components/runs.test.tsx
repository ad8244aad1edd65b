// @vitest-environment happy-dom
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { set } from "../../src/app/state";
import { useStudio } from "../../src/app/store";
import Queue from "../../src/pages/Queue";
import { RunPanel } from "../../src/ui/RunPanel";
import { Waiting } from "../../src/ui/Waiting";
import { Timeline } from "../../src/ui/Timeline";
import { Value } from "../../src/ui/Value";
import { answers, asked, look, open, told } from "./desk";

const user = userEvent.setup({ delay: null });
const EVIL = "<img src=x onerror=alert(1)>";
const TEXT = `atomiton: 1
id: desk
nodes:
  a: {uses: data.value, with: {value: 1}}
  b: {uses: data.value, with: {value: "\${{ a.totl }}"}}
`;

describe("what a node gave", () => {
  it("is a table where it is rows, with its numbers under each other, and a tree when asked", async () => {
    render(<Value value={[{ name: "Ada", total: 5 }, { name: EVIL, total: 7.5 }]} />);
    expect(screen.getAllByRole("columnheader").map((h) => h.textContent)).toEqual(["#", "name", "total"]);
    expect(screen.getByRole("columnheader", { name: "total" }).className).toBe("number");
    expect(screen.getByRole("cell", { name: EVIL })).toBeTruthy();
    expect(document.querySelector("img")).toBeNull();
    await user.click(screen.getByRole("button", { name: "tree" }));
    expect(screen.queryByRole("table")).toBeNull();
    expect(screen.getAllByText("total")).toHaveLength(2);
    await user.click(screen.getByRole("button", { name: "text" }));
    expect(document.querySelector("pre")!.textContent).toContain('"total": 7.5');
  });

  it("is folded where it is deep, and shown in pages where it is long", async () => {
    render(<Value value={{ deep: { deeper: { deepest: "here" } }, long: Array.from({ length: 250 }, (_, i) => i) }} />);
    expect(screen.queryByText('"here"')).toBeNull();
    await user.click(screen.getByRole("button", { name: /^deeper/ }));
    expect(screen.getByText('"here"')).toBeTruthy();
    expect(screen.getByRole("button", { name: "150 more" })).toBeTruthy();
  });

  it("is an image where it is one, and only then", () => {
    const picture = `iVBORw0KGgo${"A".repeat(80)}`;
    const { unmount } = render(<Value value={{ image: picture }} />);
    expect(screen.getByRole("img", { name: "What the node gave" }).getAttribute("src")).toBe(`data:image/png;base64,${picture}`);
    unmount();
    render(<Value value={`data:image/svg+xml;base64,${"A".repeat(80)}`} />);
    expect(screen.queryByRole("img")).toBeNull();
  });

  it("stands beside what came in; a failure says why, with a way on and what it was given", async () => {
    open(TEXT, ["a"]);
    look([
      ["run_requested", null, 0], ["attempt_started", "a", 0.1, { attempt: 1 }], ["attempt_completed", "a", 0.2, { attempt: 1, output: { total: 5 } }],
      ["attempt_started", "b", 0.3, { attempt: 1 }], ["attempt_failed", "b", 0.4, { attempt: 1, error: { code: "EXPRESSION_ERROR", message: `no field 'totl' ${EVIL}` } }],
    ], { status: "failed", error: { code: "EXPRESSION_ERROR", message: "no field", node: "b" } });
    render(<RunPanel />);
    expect(screen.getByText("5")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Input" })).toBeNull(); // it reads nobody
    set({ selected: new Set(["b"]) });
    const error = await screen.findByRole("alert");
    expect(error.textContent).toContain(`no field 'totl' ${EVIL}`);
    expect(error.textContent).toContain("Look at what the nodes before it gave");
    expect(document.querySelector("img")).toBeNull();
    const given = screen.getByRole("region", { name: "What a gave" });
    expect(given.textContent).toContain("total");
    await user.click(within(given).getByRole("button", { name: "Go to a" }));
    expect([...useStudio.getState().selected]).toEqual(["a"]);
  });

  it("lists problems, each leading to its node", async () => {
    open(TEXT);
    set({ problems: [{ code: "UNKNOWN_FIELD", message: "there is no 'totl'", hint: "did you mean 'total'?", path: "nodes.b.with.value", line: 5 }], pane: { ...useStudio.getState().pane, tab: "problems" } });
    render(<RunPanel />);
    expect(screen.getByRole("tab", { name: /Problems/ }).textContent).toBe("Problems1");
    await user.click(screen.getByRole("button", { name: /there is no 'totl'/ }));
    expect([...useStudio.getState().selected]).toEqual(["b"]);
    expect(screen.getByText("nodes.b.with.value, line 5 · UNKNOWN_FIELD")).toBeTruthy();
    set({ pane: { ...useStudio.getState().pane, tab: "output" } });
  });

  it("can be given more room by the keyboard, which is remembered", async () => {
    open(TEXT);
    const { unmount } = render(<RunPanel />);
    const edge = screen.getByRole("separator", { name: "Height of the run panel" });
    edge.focus();
    await user.keyboard("{ArrowUp}{ArrowUp}");
    const height = Number(edge.getAttribute("aria-valuenow"));
    expect(height).toBeGreaterThanOrEqual(160);
    unmount();
    render(<RunPanel />);
    expect(screen.getByRole("separator").getAttribute("aria-valuenow")).toBe(String(height));
    await user.dblClick(screen.getByRole("separator"));
    expect(localStorage.getItem("size:run")).toBeNull();
  });
});

describe("the timeline", () => {
  it("has a bar for each try, one between them, and round times above", () => {
    open(TEXT);
    look([
      ["run_requested", null, 0], ["attempt_started", "a", 0, { attempt: 1 }], ["attempt_failed", "a", 0.5, { attempt: 1, error: { code: "X", message: "not yet" } }],
      ["attempt_started", "a", 1.5, { attempt: 2 }], ["attempt_completed", "a", 2.1, { attempt: 2, output: 1 }],
    ]);
    const { container } = render(<Timeline />);
    expect(container.querySelectorAll(".bar-failed[title]")).toHaveLength(1);
    expect(container.querySelectorAll(".bar-retry[title]")).toHaveLength(1);
    expect(container.querySelector(".bar-failed[title]")!.getAttribute("title")).toContain("not yet");
    expect([...container.querySelectorAll(".axis i")].map((i) => i.textContent)).toEqual(["0", "500 ms", "1.0 s", "1.5 s", "2.0 s"]);
    expect(container.querySelector(".gantt-time")!.textContent).toBe("2.1 s");
  });
});

describe("an approval", () => {
  const wait = { node: "ask", kind: "approval", title: "Pay it?", description: EVIL, fields: { amount: { type: "number" }, quick: { type: "boolean", default: false } } };
  it("asks for its fields, and sends them with the answer", async () => {
    open(TEXT);
    let done = 0;
    render(<Waiting run="run_1" wait={wait} done={() => { done++; }} />);
    expect(screen.getByRole("heading", { name: "Pay it?" })).toBeTruthy();
    expect(screen.getByText(EVIL)).toBeTruthy();
    await user.type(screen.getByRole("spinbutton", { name: "amount" }), "12");
    await user.click(screen.getByRole("switch", { name: "quick" }));
    await user.type(screen.getByRole("textbox", { name: "Comment" }), "fine");
    await user.click(screen.getByRole("button", { name: "Approve" }));
    await waitFor(() => expect(done).toBe(1));
    expect(asked.at(-1)).toEqual({ method: "POST", path: "/runs/run_1/approve", body: { node: "ask", approved: true, comment: "fine", fields: { amount: 12, quick: true } } });
    expect(told()).toContain("approved");
  });
  it("is denied without what was not said", async () => {
    open(TEXT);
    render(<Waiting run="run_1" wait={wait} />);
    await user.click(screen.getByRole("button", { name: "Deny" }));
    await waitFor(() => expect(told()).toContain("denied"));
    expect(asked.at(-1)?.body).toEqual({ node: "ask", approved: false, comment: "", fields: {} });
  });
});

describe("dead letters", () => {
  it("say why, and are done again one by one or together", async () => {
    open(TEXT);
    const letter = (run: string): object => ({ run, blueprint: "desk", code: "HTTP_STATUS", message: EVIL, ended_at: Date.now() / 1000 - 120, created_at: 0 });
    answers.set("GET /queue/dead", { runs: [letter("run_a"), letter("run_b")], next: null });
    answers.set("GET /queue", { waiting: 1200, delayed: 0, running: 2 });
    answers.set("GET /runs", { runs: [], next: null });
    render(<Queue />);
    expect(await screen.findAllByText(EVIL, { exact: false })).toHaveLength(2);
    expect(document.querySelector("img")).toBeNull();
    expect(screen.getByText("1,200")).toBeTruthy();
    expect(screen.getAllByText("2 min ago")).toHaveLength(2);
    await user.click(screen.getByRole("button", { name: "Replay run_a" }));
    await waitFor(() => expect(told()).toContain("it is done again, as a new run"));
    await user.click(screen.getByRole("button", { name: /Replay these 2/ }));
    await waitFor(() => expect(told()).toContain("2 are done again, as new runs"));
    expect(asked.filter((one) => one.method === "POST" && one.path !== "/validate").map((one) => one.path)).toEqual(["/runs/run_a/replay", "/runs/run_a/replay", "/runs/run_b/replay"].map((path) => expect.stringContaining(path.split("/")[2]!) as string));
  });
});
