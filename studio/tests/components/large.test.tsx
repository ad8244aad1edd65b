// @vitest-environment happy-dom
import { fireEvent, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { PART } from "../../src/app/taking";
import { useStudio } from "../../src/app/store";
import { set } from "../../src/app/state";
import { Inspector } from "../../src/ui/Inspector";
import { LargeNode } from "../../src/ui/LargeNode";
import { onEditorKey } from "../../src/ui/commands";
import { answers, asked, look, open, textNow, told } from "./desk";

const user = userEvent.setup({ delay: null });
const EVIL = "<img src=x onerror=alert(1)>";
const TEXT = `atomiton: 1
id: desk
inputs: {least: {type: integer}}
nodes:
  orders: {uses: data.value, with: {value: [{total: 5}]}}
  one: {uses: own.all, with: {text: hello}}   # kept
  big: {uses: data.filter, with: {items: "\${{ orders }}", where: item.total > 2}}
  last: {uses: data.value, with: {value: "\${{ big.items }}"}}
`;
const ran = (): void => look([
  ["run_requested", null, 0, { inputs: { least: 3 } }], ["attempt_started", "orders", 0, { attempt: 1 }], ["attempt_completed", "orders", 0.1, { attempt: 1, output: [{ total: 5, "unit price": EVIL }] }],
  ["attempt_started", "big", 0.2, { attempt: 1 }], ["attempt_completed", "big", 0.3, { attempt: 1, output: { items: [{ total: 5 }], count: 1 } }],
], { nodes: { big: { status: "completed", attempts: 1, duration_ms: 4, error: null } } });
const large = (path: string): void => {
  set({ selected: new Set([path]), pane: { ...useStudio.getState().pane, large: true } });
  render(<LargeNode path={path} />);
};
const input = (): HTMLElement => screen.getByRole("region", { name: "Input" });
const output = (): HTMLElement => screen.getByRole("region", { name: "Output" });

describe("a node, large", () => {
  it("has what it was given by whom, its form, and what it gave", () => {
    open(TEXT);
    ran();
    large("big");
    const given = within(input()).getByRole("region", { name: "What orders gave" });
    expect(given.textContent).toContain("5");
    expect(within(given).getByText(`"${EVIL}"`)).toBeTruthy();
    expect(document.querySelector("img")).toBeNull();
    expect(within(within(input()).getByRole("region", { name: "What inputs gave" })).getByText("3")).toBeTruthy();
    expect(screen.getByRole("region", { name: "Node big" })).toBeTruthy();
    expect(screen.getByRole("textbox", { name: "where" })).toHaveProperty("value", "item.total > 2");
    expect(within(output()).getByText("completed")).toBeTruthy();
    expect(within(output()).queryByRole("button", { name: "Input" })).toBeNull(); // it stands beside it
    expect(within(output()).getByRole("table")).toBeTruthy();
  });

  it("says, before anything has run, what there will be by its type, and offers to run it", async () => {
    open(TEXT);
    answers.set("POST /runs", { run: "run_9" });
    answers.set("GET /runs/run_9", { run: "run_9", status: "running", nodes: {}, duration_ms: 0, compensation: {}, waits: [] });
    large("last");
    expect(within(within(input()).getByRole("region", { name: "What big gave" })).getByRole("button", { name: "count" })).toBeTruthy();
    expect(within(output()).getByText("It has not run yet.")).toBeTruthy();
    expect(within(output()).getByRole("button", { name: "Run only this" })).toBeTruthy();
    expect(within(input()).getByRole("button", { name: "Run it: big" })).toBeTruthy();
    open(TEXT.replace("inputs: {least: {type: integer}}\n", ""), ["last"]);
    await user.click(within(output()).getByRole("button", { name: "Run to here" }));
    const begun = asked.find((one) => one.method === "POST" && one.path === "/runs");
    expect((begun!.body as { source: string }).source).toContain("last:");
    expect((begun!.body as { source: string }).source).not.toContain("one:");
  });

  it("goes to the node before and behind it, by button and by key, and closes", async () => {
    open(TEXT);
    large("big");
    await user.click(screen.getByRole("button", { name: "Next node: last" }));
    expect([...useStudio.getState().selected]).toEqual(["last"]);
    window.addEventListener("keydown", onEditorKey);
    await user.keyboard("[[");
    expect([...useStudio.getState().selected]).toEqual(["big"]);
    await user.click(within(input()).getByRole("button", { name: "Go to orders" }));
    expect([...useStudio.getState().selected]).toEqual(["orders"]);
    await user.click(screen.getByRole("textbox", { name: "value" }));
    await user.keyboard("{Escape}"); // out of the field
    expect(useStudio.getState().pane.large).toBe(true);
    await user.keyboard("{Delete}"); // not what it does on the canvas
    expect(textNow()).toBe(TEXT);
    await user.keyboard("{Escape}");
    expect(useStudio.getState().pane.large).toBe(false);
    window.removeEventListener("keydown", onEditorKey);
  });

  it("is opened from its form, and not again from there", async () => {
    open(TEXT, ["big"]);
    const { unmount } = render(<Inspector />);
    await user.click(screen.getByRole("button", { name: "Open large" }));
    expect(useStudio.getState().pane.large).toBe(true);
    unmount();
    large("big");
    expect(screen.queryByRole("button", { name: "Open large" })).toBeNull();
  });
});

describe("a part of what came in", () => {
  it("goes, when pressed, to the parameter that is not given yet, or to the field that was worked in, at its cursor", async () => {
    open(TEXT);
    ran();
    large("one");
    const parts = within(input());
    await user.click(parts.getByRole("button", { name: /Unfold what orders/ }));
    await user.click(parts.getByRole("button", { name: "total" }));
    expect(textNow()).toContain('with: {text: hello, number: "${{ orders[0].total }}"}}   # kept');
    expect(told()).toContain("number takes orders[0].total");
    const text = screen.getByRole<HTMLTextAreaElement>("textbox", { name: "text" });
    await user.click(text);
    text.setSelectionRange(0, 0);
    await user.click(parts.getByRole("button", { name: "unit price" }));
    expect(text.value).toBe('${{ orders[0]["unit price"] }}hello');
    expect(textNow()).toContain("# kept");
  });

  it("goes before the quotation mark of a text that needs them", async () => {
    open(TEXT.replace("{value: [{total: 5}]}", '{value: "least "}'));
    ran();
    large("orders");
    await user.click(within(input()).getByRole("button", { name: "least" }));
    expect(told()).toContain("click into the field that it is to go to, or drag it there");
    await user.click(screen.getByRole("textbox", { name: "value" }));
    await user.click(within(input()).getByRole("button", { name: "least" }));
    expect(textNow()).toContain('value: "least ${{ inputs.least }}"');
  });

  it("goes into an expression as it is", async () => {
    open(TEXT);
    ran();
    large("big");
    const where = screen.getByRole<HTMLTextAreaElement>("textbox", { name: "where" });
    await user.clear(where);
    await user.type(where, "item.total > ");
    await user.click(within(input()).getByRole("button", { name: "least" }));
    expect(where.value).toBe("item.total > inputs.least");
  });

  it("is dropped onto a field: a text takes it, a switch gives way to it", () => {
    open(TEXT);
    ran();
    large("one");
    const drop = (on: Element, expression: string): boolean => fireEvent.drop(on, { dataTransfer: { getData: (kind: string) => (kind === PART ? expression : ""), types: [PART] } });
    drop(screen.getByRole("textbox", { name: "text" }), "orders[0].total");
    expect(textNow()).toContain('text: "hello${{ orders[0].total }}"');
    drop(screen.getByRole("switch", { name: "flag" }), "orders[0].total > 2");
    expect(textNow()).toContain('flag: "${{ orders[0].total > 2 }}"');
    drop(screen.getByRole("textbox", { name: "flag" }), ""); // something else that is dragged
    expect(textNow()).toContain('flag: "${{ orders[0].total > 2 }}"');
  });
});
