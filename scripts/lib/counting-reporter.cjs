// Mocha's spec reporter that also appends its counts, every test's outcome, every skipped test by name and
// every failure with its error to the file KILONOVA_TEST_COUNTS, a line of JSON per run. At a failure the
// process emits "testFailed" with a function, so that what the test runs can tell it more, line by line,
// while it is still there.
const { appendFileSync } = require("node:fs");
const { reporters } = require("mocha");

module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const skipped = [];
    const tests = [];
    const failed = [];
    const note = (passed) => (test) => tests.push({ file: test.file, title: test.fullTitle(), passed });
    runner.on("pending", (test) => skipped.push(test.fullTitle()));
    runner.on("pass", note(true));
    runner.on("fail", note(false));
    runner.on("fail", (test, error) => {
      const told = [];
      process.emit("testFailed", (line) => told.push(line));
      failed.push({ title: test.fullTitle(), error: String(error?.stack ?? error), told });
    });
    runner.on("end", () => {
      const file = process.env.KILONOVA_TEST_COUNTS;
      if (file)
        appendFileSync(
          file,
          `${JSON.stringify({ passes: this.stats.passes, failures: this.stats.failures, skipped, failed, tests })}\n`,
        );
    });
  }
};
