// Lint rules: typescript-eslint's strict set, the rules of this project, and the import directions of docs/architecture.md.
import tseslint from "typescript-eslint";

const tests = ["**/*.test.ts", "**/testing.ts", "test/**/*.ts", "bench/**/*.ts"];

/**
 * Files of `folder` must not import from the `forbidden` folders (both relative to the repository).
 * Imports are relative, so a pattern matches the folder's name after any number of `../`.
 */
function direction(folder, forbidden, why) {
  return {
    files: [`${folder}/**/*.ts`],
    ignores: tests,
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: forbidden.map((name) => ({
            regex: `^(\\.\\./)+(compiler/|host/|firmware/)?${name}/(?!package-root)`,
            message: `${folder} must not depend on ${name}: ${why}`,
          })),
        },
      ],
    },
  };
}

const outer = ["host", "models", "test", "bench", "scripts"];
const upper = ["cli", "pipeline"];
const downward = "see the table in docs/architecture.md.";

export default tseslint.config(
  {
    ignores: [
      "node_modules/",
      "dist/",
      "build/",
      "coverage/",
      "**/fixtures/**",
      "test/**/programs/**",
      "test/node/unit/**",
      "bench/logic/**",
      "**/*.d.ts",
    ],
  },
  {
    files: ["**/*.{js,ts}"],
    extends: [tseslint.configs.strict],
    rules: {
      "no-restricted-syntax": [
        "error",
        { selector: "ExportDefaultDeclaration", message: "Export by name." },
        {
          selector: "TSAsExpression > TSAsExpression > TSUnknownKeyword",
          message:
            "`as unknown as T` hides a wrong type: describe the value instead, or comment why not and disable this line.",
        },
      ],
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-console": "off",
      "prefer-const": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", ignoreRestSiblings: true }],
      // Visitors answer with something or with nothing.
      "@typescript-eslint/no-invalid-void-type": "off",
      // A class of static members, and a constructor that only stores its parameters, are fine here.
      "@typescript-eslint/no-extraneous-class": "off",
      "@typescript-eslint/no-useless-constructor": "off",
    },
  },
  {
    // Rules that need types, where a promise may be forgotten.
    files: ["{compiler,host,models,test,bench,scripts}/**/*.ts"],
    languageOptions: { parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": [
        "error",
        { allowForKnownSafeCalls: ["describe", "it", "test"] },
      ],
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    // The page runs in browsers and has a project of its own.
    files: ["host/node/web/**/*.{ts,tsx}"],
    extends: [tseslint.configs.strict],
    languageOptions: {
      parserOptions: { project: "./host/node/web/tsconfig.json", tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
    },
  },
  {
    files: ["**/*.config.{js,ts}"],
    rules: { "no-restricted-syntax": "off" },
  },
  {
    // The subset: its number types are declared in core.d.ts, and its rules are the compiler's own diagnostics.
    files: ["firmware/**/*.ts"],
    rules: { "@typescript-eslint/no-inferrable-types": "off" },
  },
  {
    files: tests,
    rules: { "@typescript-eslint/no-non-null-assertion": "off" },
  },
  direction("firmware/std", ["core", "functions", "compiler", ...outer], downward),
  direction("firmware/core", ["functions", "compiler", ...outer], downward),
  direction("firmware/functions", ["compiler", ...outer], downward),
  direction(
    "compiler/diagnostics",
    ["cli", "pipeline", "frontend", "setup", "backend-c", "backend-js", "model", "board", ...outer],
    downward,
  ),
  direction(
    "compiler/ir",
    ["cli", "pipeline", "frontend", "setup", "backend-c", "backend-js", "model", "board", ...outer],
    downward,
  ),
  direction(
    "compiler/frontend",
    [...upper, "setup", "backend-c", "backend-js", "model", "board", ...outer],
    downward,
  ),
  direction(
    "compiler/backend-js",
    [...upper, "frontend", "setup", "backend-c", "model", "board", ...outer],
    downward,
  ),
  direction("compiler/backend-c", [...upper, "frontend", "backend-js", "board", ...outer], downward),
  direction("compiler/setup", [...upper, "frontend", "backend-c", "board", ...outer], downward),
  direction("compiler/model", [...upper, "frontend", "setup", "backend-c", "backend-js", ...outer], downward),
  direction("compiler/board", [...upper, "frontend", "setup", "backend-js", ...outer], downward),
  direction("compiler/function", ["cli", ...outer], downward),
  direction(
    "compiler/update",
    [...upper, "frontend", "setup", "backend-c", "backend-js", "board", "device", ...outer],
    downward,
  ),
  direction(
    "compiler/device",
    [...upper, "frontend", "ir", "setup", "backend-c", "backend-js", "model", "board", "update", ...outer],
    downward,
  ),
  direction("compiler/language-service", outer, downward),
  direction("compiler/pipeline", ["cli", ...outer], downward),
  direction("compiler/cli", ["models", "test", "bench", "scripts"], downward),
  direction("models", ["cli", "pipeline", "frontend", "host", "test", "bench", "scripts"], downward),
  direction("host/runtime", ["cli", "node", "models", "test", "bench", "scripts"], downward),
  direction("host/node", ["cli", "test", "bench", "scripts"], downward),
  direction("host/bus", ["compiler", "node", "models", "test", "bench", "scripts"], downward),
);
