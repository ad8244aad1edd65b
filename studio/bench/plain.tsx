/** The least that a canvas of this size can cost: nodes and lines of the library as they come, and nothing of ours. */
import { ReactFlow, type Edge, type Node } from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { createRoot } from "react-dom/client";

const asked = new URLSearchParams(location.search);
const count = Number(asked.get("nodes") ?? 1000);
const nodes: Node[] = Array.from({ length: count }, (_, i) => ({
  id: `n${i}`, position: { x: Math.floor(i / 20) * 304, y: (i % 20) * 120 }, data: { label: `n${i}` }, style: { width: 228, height: 88 },
}));
const edges: Edge[] = nodes.slice(20).map((_, i) => ({ id: `e${i}`, source: `n${i}`, target: `n${i + 20}` }));

document.body.style.margin = "0";
const app = document.getElementById("app")!;
app.style.width = "100vw";
app.style.height = "100vh";
const draw = (): void => createRoot(app).render(
  <ReactFlow defaultNodes={nodes} defaultEdges={edges} onlyRenderVisibleElements={asked.has("visible")} minZoom={0.05} defaultViewport={{ x: 60, y: 60, zoom: Number(asked.get("zoom") ?? 0.3) }} />,
);
// What is measured from is a click, as a page of ours is gone to: all is loaded by then.
if (asked.has("wait")) addEventListener("hashchange", draw, { once: true });
else draw();
