// @vitest-environment happy-dom
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { useRun } from "../../src/app/run";
import { useStudio } from "../../src/app/store";
import { RunList } from "../../src/ui/RunList";
import { answers, asked, look, open } from "./desk";

const user = userEvent.setup({ delay: null });
const EVIL = "<img src=x onerror=alert(1)>";
const TEXT = "atomiton: 1\nid: desk\nnodes:\n  a: {uses: data.value, with: {value: 1}}\n";
const now = Date.now() / 1000;
const run = (id: string, status: string, more: object = {}): object => ({ run: id, blueprint: "desk", blueprint_hash: "h1", created_at: now - 5, ended_at: status === "running" ? null : now - 4.6, status, reason: null, error_code: null, error_message: null, events: 3, ...more });

describe("the runs of a blueprint", () => {
  it("say how they went, when and how long, and one is chosen with arrows and Enter", async () => {
    open(TEXT);
    answers.set("GET /runs?", { runs: [run("run_3", "running"), run("run_2", "failed", { error_message: EVIL }), run("run_1", "completed")], next: null });
    answers.set("GET /runs/run_2", { run: "run_2", blueprint: "desk", status: "failed", nodes: {}, duration_ms: 0, compensation: {}, waits: [] });
    render(<RunList />);
    const rows = await screen.findAllByRole("button", { name: /running|failed|completed/ });
    expect(rows.map((row) => row.querySelector(".how")!.textContent)).toEqual(["running", "failed after 400 ms", "completed in 400 ms"]);
    expect(screen.getByText(EVIL)).toBeTruthy();
    expect(document.querySelector("img")).toBeNull();
    rows[0]!.focus();
    await user.keyboard("{ArrowDown}{ArrowDown}{ArrowDown}{Home}{ArrowDown}");
    expect(document.activeElement).toBe(rows[1]);
    await user.keyboard("{Enter}");
    expect(useRun.getState().run).toBe("run_2");
    expect(useStudio.getState().pane.run).toBe(true);
    expect(rows[1]!.getAttribute("aria-current")).toBe("true");
    expect(screen.getByRole("link", { name: "The run alone" }).getAttribute("href")).toBe("#/runs/run_2");
  });

  it("are asked for by their state, and say where there is none", async () => {
    open(TEXT);
    answers.set("GET /runs?", { runs: [], next: null });
    render(<RunList />);
    expect(await screen.findByText(/It has not run yet/)).toBeTruthy();
    await user.selectOptions(screen.getByRole("combobox", { name: "Status" }), "failed");
    expect(await screen.findByText("None is failed.")).toBeTruthy();
    expect(asked.some(({ path }) => path.startsWith("/runs?") && path.includes("status=failed") && path.includes("blueprint=desk"))).toBe(true);
  });

  it("are there again when another one begins, and older ones stay that were asked for", async () => {
    open(TEXT);
    const page = Array.from({ length: 50 }, (_, n) => run(`run_${199 - n}`, "completed"));
    answers.set("GET /runs?blueprint=desk&limit=50&before=", { runs: [run("run_149", "completed")], next: null });
    answers.set("GET /runs?", { runs: page, next: "run_150" });
    render(<RunList />);
    await user.click(await screen.findByRole("button", { name: "Older runs" }));
    await waitFor(() => expect(document.querySelectorAll(".one-run")).toHaveLength(51));
    answers.set("GET /runs?", { runs: [run("run_200", "running"), ...page.slice(0, 49)], next: "run_151" });
    look([["run_requested", null, 0]], { status: "running" });
    await waitFor(() => expect(document.querySelectorAll(".one-run .state-running")).toHaveLength(1));
    expect(document.querySelectorAll(".one-run")).toHaveLength(52);
  });
});
