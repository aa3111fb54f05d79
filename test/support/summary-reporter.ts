/**
 * A vitest reporter that prints every skipped test by name with its reason, then every failure again in short (a log is
 * read from its end, and vitest's own reporter prints them far above), and closes with the line
 * `N passed, N failed, N skipped`.
 * With TMC_TEST_COUNTS=FILE the three numbers go to FILE instead of the closing line: scripts/test.sh adds its checks.
 */
import { writeFileSync } from "node:fs";
import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node";

export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let passed = 0;
    // A file that cannot be loaded has no tests, and an error outside any test belongs to none: each counts as one failure.
    const failures = unhandledErrors.map((error) => `an error outside any test${reasonOf([error])}`);
    const skipped: string[] = [];
    for (const module of modules) {
      if (module.errors().length > 0) {
        failures.push(`${module.relativeModuleId}${reasonOf(module.errors())}`);
      }
      for (const suite of module.children.allSuites()) {
        if (suiteFailedByItself(suite)) {
          failures.push(`${module.relativeModuleId} > ${suite.fullName}${reasonOf(suite.errors())}`);
        }
      }
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") {
          passed += 1;
        } else if (result.state === "failed") {
          failures.push(`${module.relativeModuleId} > ${short(test.fullName)}${reasonOf(result.errors)}`);
        } else {
          skipped.push(describeSkipped(module, test));
        }
      }
    }
    for (const line of skipped) {
      console.log(`skipped: ${line}`);
    }
    for (const line of failures) {
      console.log(`failed: ${line}`);
    }
    const counts = process.env["TMC_TEST_COUNTS"];
    if (counts === undefined) {
      console.log(`${passed} passed, ${failures.length} failed, ${skipped.length} skipped`);
    } else {
      writeFileSync(counts, `${passed} ${failures.length} ${skipped.length}\n`);
    }
  }
}

/** A `beforeAll` or `afterAll` that threw: the tests inside were skipped, the suite has the error. */
function suiteFailedByItself(suite: TestSuite): boolean {
  return suite.errors().length > 0;
}

/** `path > suite > test`: the reason is part of a title (`describe.skipIf`), or the note of `context.skip(note)`. */
function describeSkipped(module: TestModule, test: TestCase): string {
  const result = test.result();
  const note = result.state === "skipped" && result.note !== undefined ? ` (${result.note})` : "";
  return `${module.relativeModuleId} > ${short(test.fullName)}${note}`;
}

/** Names hold inputs, which may be long. */
function short(name: string): string {
  return name.length <= 240 ? name : `${name.slice(0, 200)}… (${name.length} characters)`;
}

/** The first error: up to 12 lines of its message, and where in this project it was thrown. */
function reasonOf(errors: readonly unknown[]): string {
  const error = errors[0];
  if (typeof error !== "object" || error === null || !("message" in error)) return "";
  const lines = String(error.message).split("\n").slice(0, 12);
  const stack = "stack" in error ? String(error.stack).split("\n") : [];
  const place = stack.find((line) => line.includes("at ") && !line.includes("node_modules"));
  return [...lines, ...(place === undefined ? [] : [place.trim()])].map((line) => `\n    ${line}`).join("");
}
