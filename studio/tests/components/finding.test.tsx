// @vitest-environment happy-dom
import { fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { setSlow, useDebug } from "../../src/app/debug";
import { setDialog, useStudio } from "../../src/app/store";
import { Dialogs } from "../../src/ui/Dialogs";
import { Palette } from "../../src/ui/Palette";
import { open, textNow } from "./desk";

const user = userEvent.setup({ delay: null });
const TEXT = "atomiton: 1\nid: desk\nnodes:\n  a: {uses: data.value, with: {value: 1}}\n";

describe("the list of nodes", () => {
  it("finds by title, name and description, the best first, and adds by Enter", async () => {
    open(TEXT);
    render(<Palette />);
    expect(screen.getByRole("heading", { name: "Control" })).toBeTruthy();
    const search = screen.getByRole("searchbox", { name: "Search nodes" });
    await user.type(search, "fil");
    expect(screen.getAllByRole("button", { name: /Filter|File/ })[0]!.textContent).toContain("Filter");
    await user.keyboard("{Enter}");
    expect(textNow()).toContain("uses: data.filter");
    expect(search).toHaveProperty("value", "");
  });
  it("is walked through with arrows, and back into the search", async () => {
    open(TEXT);
    render(<Palette />);
    await user.click(screen.getByRole("searchbox"));
    await user.keyboard("{ArrowDown}");
    expect(document.activeElement!.textContent).toContain("Branch");
    await user.keyboard("{ArrowDown}{ArrowUp}{ArrowUp}");
    expect(document.activeElement).toBe(screen.getByRole("searchbox"));
  });
  it("says what to do where nothing is found, and shows names as they are", async () => {
    open(TEXT);
    render(<Palette />);
    expect(screen.getByText("<img src=x onerror=alert(1)>")).toBeTruthy();
    expect(document.querySelector("img, script")).toBeNull();
    await user.type(screen.getByRole("searchbox"), "zzz");
    expect(screen.getByText(/Nothing is called that/)).toBeTruthy();
  });
});

describe("the list of commands", () => {
  it("finds by words in any order, walks around the ends, and does what is chosen", async () => {
    open(TEXT);
    render(<Dialogs editor />);
    setDialog("commands");
    const search = await screen.findByRole("combobox", { name: "Search commands" });
    await user.type(search, "filter add");
    const found = within(screen.getByRole("listbox", { name: "Commands" })).getAllByRole("option");
    expect(found[0]!.textContent).toContain("Filter");
    expect(found[0]!.getAttribute("aria-selected")).toBe("true");
    await user.keyboard("{ArrowUp}{ArrowDown}{Enter}");
    await waitFor(() => expect(textNow()).toContain("uses: data.filter"));
    expect(screen.queryByRole("dialog")).toBeNull();
  });
  it("does what is chosen before any key that follows", () => {
    open(TEXT, []);
    setDialog("commands", "slow motion");
    render(<Dialogs editor />);
    expect(useDebug.getState().slow).toBeNull();
    fireEvent.keyDown(screen.getByRole("combobox", { name: "Search commands" }), { key: "Enter" });
    expect(useDebug.getState().slow).not.toBeNull(); // nothing was waited for
    expect(screen.queryByRole("dialog")).toBeNull();
    setSlow(null);
  });

  it("closes by Escape without doing anything, and says where nothing is called that", async () => {
    open(TEXT);
    setDialog("commands");
    render(<Dialogs editor />);
    await user.type(screen.getByRole("combobox"), "qqqq");
    expect(screen.getByText("Nothing is called that.")).toBeTruthy();
    await user.keyboard("{Enter}");
    expect(useStudio.getState().dialog).toBe("commands");
    await user.keyboard("{Escape}");
    expect(useStudio.getState().dialog).toBeNull();
    expect(textNow()).toBe(TEXT);
  });
});
