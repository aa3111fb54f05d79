/**
 * A vitest reporter that prints every skipped test by name with its reason, and closes with the line
 * `N passed, N failed, N skipped`. It stands after vitest's own reporter, which prints the failures.
 * With TMC_TEST_COUNTS=FILE the three numbers go to FILE instead of the closing line: scripts/test.sh adds its checks.
 */
import { writeFileSync } from "node:fs";
import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node";

export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let passed = 0;
    // A file that cannot be loaded has no tests, and an error outside any test belongs to none: each counts as one failure.
    let failed = unhandledErrors.length;
    const skipped: string[] = [];
    for (const module of modules) {
      if (module.errors().length > 0) {
        failed += 1;
      }
      for (const suite of module.children.allSuites()) {
        failed += suiteFailedByItself(suite) ? 1 : 0;
      }
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") {
          passed += 1;
        } else if (result.state === "failed") {
          failed += 1;
        } else {
          skipped.push(describeSkipped(module, test));
        }
      }
    }
    for (const line of skipped) {
      console.log(`skipped: ${line}`);
    }
    const counts = process.env["TMC_TEST_COUNTS"];
    if (counts === undefined) {
      console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
    } else {
      writeFileSync(counts, `${passed} ${failed} ${skipped.length}\n`);
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
  return `${module.relativeModuleId} > ${test.fullName}${note}`;
}
