// @vitest-environment happy-dom
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { set } from "../../src/app/state";
import { useStudio } from "../../src/app/store";
import { Inspector } from "../../src/ui/Inspector";
import { answers, asked, look, open, textNow } from "./desk";

const TEXT = `atomiton: 1
id: desk
nodes:
  orders: {uses: data.value, with: {value: [{total: 5}]}}
  one:
    uses: own.all
    with: {text: hello}   # kept
  big: {uses: data.filter, with: {items: "\${{ orders }}", where: item.total > 2}}
  ask: {wait: {signal: go}}
`;
const user = userEvent.setup({ delay: null });
const field = (name: string): HTMLElement => document.querySelector<HTMLElement>(`[data-field="${name}"]`)!;

describe("the form of a node", () => {
  it("shows the icon that a type of one's own names, all that it says, and what to use instead", async () => {
    open(TEXT, ["one"]);
    const types = new Map(useStudio.getState().types);
    types.set("own.all", { ...types.get("own.all")!, icon: "leaf", details: "Grows.\n\nSlowly.", deprecated: "use own.all@2" });
    set({ types });
    const { container } = render(<Inspector />);
    expect(container.querySelector(".tile .lucide-leaf")).toBeTruthy();
    await user.click(screen.getByRole("tab", { name: "About" }));
    expect(screen.getByText("Slowly.")).toBeTruthy();
    expect(screen.getByText("Deprecated: use own.all@2")).toBeTruthy();
  });

  it("has the right control for each kind of value, and writes only what was changed", async () => {
    open(TEXT, ["one"]);
    render(<Inspector />);
    expect(screen.getByRole("textbox", { name: "text" })).toHaveProperty("value", "hello");
    expect(within(field("text")).getByText("Any words")).toBeTruthy();
    expect(within(field("text")).getByTitle("must be given")).toBeTruthy();
    await user.type(screen.getByRole("spinbutton", { name: "number" }), "4.5");
    await user.click(screen.getByRole("switch", { name: "flag" }));
    await user.selectOptions(screen.getByRole("combobox", { name: "choice" }), "green");
    expect(textNow()).toBe(TEXT.replace("{text: hello}", "{text: hello, number: 4.5, flag: true, choice: green}"));
    await user.click(screen.getByRole("switch", { name: "flag" }));
    expect(textNow()).toContain("flag: false");
    await user.click(within(field("number")).getByRole("button", { name: "clear" }));
    expect(textNow()).not.toContain("number");
    expect(screen.getByRole("spinbutton", { name: "number" })).toHaveProperty("placeholder", "3");
  });

  it("takes data as it is typed once it can be read, and says where it cannot", async () => {
    open(TEXT, ["one"]);
    render(<Inspector />);
    const list = screen.getByRole("textbox", { name: "list" });
    await user.click(list);
    await user.paste("[1, 2");
    expect(within(field("list")).getByText(/./, { selector: ".problem" })).toBeTruthy();
    expect(textNow()).toBe(TEXT);
    await user.paste("]");
    expect(textNow()).toContain("list: [1, 2]");
    expect(field("list").querySelector(".problem")).toBeNull();
  });

  it("puts an expression in the place of a value, and the value back", async () => {
    open(TEXT, ["one"]);
    render(<Inspector />);
    await user.type(screen.getByRole("spinbutton", { name: "number" }), "7");
    const by = screen.getByRole("button", { name: "number as an expression" });
    await user.click(by);
    expect(by.getAttribute("aria-pressed")).toBe("true");
    expect(screen.getByRole("textbox", { name: "number" })).toHaveProperty("value", "${{ }}");
    await user.click(by);
    expect(screen.getByRole("spinbutton", { name: "number" })).toHaveProperty("value", "7");
  });

  it("shows a problem at the field that it is about, and others above", () => {
    open(TEXT, ["one"]);
    set({ problems: [{ code: "X", message: "too short", hint: "write more", path: "nodes.one.with.text" }, { code: "Y", message: "waits for nobody", path: "nodes.one.needs" }] });
    render(<Inspector />);
    expect(within(field("text")).getByRole("alert").textContent).toBe("too short — write more");
    expect(screen.getByText("waits for nobody").closest(".problems")).not.toBeNull();
  });

  it("changes the kind of a wait, the tries, and the id with all that names it", async () => {
    open(TEXT, ["ask"]);
    const { unmount } = render(<Inspector />);
    await user.selectOptions(screen.getByRole("combobox", { name: "For what" }), "approval");
    expect(textNow()).toContain("approval:");
    expect(textNow()).not.toContain("signal: go");
    unmount();
    set({ selected: new Set(["orders"]) });
    render(<Inspector />);
    await user.click(screen.getByRole("tab", { name: "Policies" }));
    await user.type(screen.getByRole("spinbutton", { name: "attempts" }), "3");
    expect(textNow()).toMatch(/orders: .*retry:/s);
    const id = screen.getByRole("textbox", { name: "Id of the node" });
    await user.clear(id);
    await user.type(id, "all{Enter}");
    expect(textNow()).toContain("${{ all }}");
    expect(useStudio.getState().selected.has("all")).toBe(true);
  });
});

describe("an expression", () => {
  it("offers the nodes before it and their fields, taken by Tab", async () => {
    open(TEXT, ["big"]);
    render(<Inspector />);
    const items = screen.getByRole("textbox", { name: "items" });
    await user.clear(items);
    await user.click(items);
    await user.paste("${{ or");
    const offers = await screen.findByRole("listbox", { name: "What can be written here" });
    expect(within(offers).getAllByRole("option").map((o) => o.querySelector("b")!.textContent)).toContain("orders");
    await user.keyboard("{Tab}");
    expect(textNow()).toContain("${{ orders");
    expect(screen.queryByRole("listbox")).toBeNull();
  });

  it("is walked through with arrows and left with Escape", async () => {
    open(TEXT, ["big"]);
    render(<Inspector />);
    const where = screen.getByRole("textbox", { name: "where" });
    await user.clear(where);
    await user.type(where, "i");
    const first = screen.getAllByRole("option").find((o) => o.getAttribute("aria-selected") === "true")!.textContent;
    await user.keyboard("{ArrowDown}");
    expect(screen.getAllByRole("option").find((o) => o.getAttribute("aria-selected") === "true")!.textContent).not.toBe(first);
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("listbox")).toBeNull();
    expect(where).toHaveProperty("value", "i");
  });

  it("shows what it gave over the latest run, as text and nothing else", async () => {
    open(TEXT, ["big"]);
    answers.set("POST /expressions/preview", { ok: true, text: '"<b>x</b>"', kind: "string", size: 10, error: null, offset: null });
    look([["run_requested", null, 0]]);
    render(<Inspector />);
    expect((await within(field("items")).findByText('= "<b>x</b>"')).querySelector("b")).toBeNull();
    expect(asked.find((one) => one.path === "/expressions/preview")?.body).toMatchObject({ run: "run_1", node: "big" });
  });
});
