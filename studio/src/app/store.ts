/** All that pages and forms read and do, by one name; each idea has a file of its own. */
export { dirty, mayChange, next, read, useStudio, type Pane, type Studio, type Toast } from "./state";
export * from "./breakpoints";
export * from "./changing";
export * from "./clipboard";
export * from "./forms";
export * from "./looking";
export * from "./nodes";
export * from "./opening";
export * from "./placing";
export * from "./saving";
export * from "./telling";
