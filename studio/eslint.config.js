import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: ["node_modules", "shots", "test-results", "playwright-report"] },
  js.configs.recommended,
  ...ts.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { "react-hooks": hooks },
    rules: {
      ...hooks.configs.recommended.rules,
      "react-hooks/set-state-in-effect": "off",
      "react-hooks/refs": "off",
      "@typescript-eslint/no-non-null-assertion": "off", // an index was checked right before
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-unsafe-assignment": "off", // JSON is any; what is taken from it has a type
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/no-unnecessary-condition": "off", // what comes from a server may be anything
      "no-restricted-syntax": ["error", { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "what is shown is text, never markup" }],
    },
  },
  {
    // The model knows neither React nor the network.
    files: ["src/model/**"],
    rules: { "no-restricted-imports": ["error", { patterns: ["react*", "@xyflow/*", "zustand", "../app/*", "../ui/*"] }], "no-restricted-globals": ["error", "fetch", "window", "document", "localStorage"] },
  },
  { files: ["*.js"], ...ts.configs.disableTypeChecked },
  { files: ["tests/**"], rules: { "@typescript-eslint/no-unsafe-assignment": "off" } }, // matchers give any
  { files: ["browser/**"], rules: { "no-empty-pattern": "off", "react-hooks/rules-of-hooks": "off" } },
);
