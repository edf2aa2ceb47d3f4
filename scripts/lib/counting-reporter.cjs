// Mocha's spec reporter that also appends its counts, and every skipped test by name, to the file
// KILONOVA_TEST_COUNTS.
const { appendFileSync } = require("node:fs");
const { reporters } = require("mocha");

module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const skipped = [];
    runner.on("pending", (test) => skipped.push(test.fullTitle()));
    runner.on("end", () => {
      const file = process.env.KILONOVA_TEST_COUNTS;
      if (file)
        appendFileSync(
          file,
          `${JSON.stringify({ passes: this.stats.passes, failures: this.stats.failures, skipped })}\n`,
        );
    });
  }
};
