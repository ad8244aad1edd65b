export const NEW = `atomiton: 1
id: untitled
name: Untitled
nodes: {}
`;

/** What a new blueprint begins with; set by whoever leads to it. */
export const draft: { text: string | null } = { text: null };
