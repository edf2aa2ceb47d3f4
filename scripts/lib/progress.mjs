/**
 * Shows what a start does and how far it is, before any dependency is installed: on a terminal one line per
 * step with a spinner and the elapsed time, elsewhere one line at the begin of each step.
 */
export function progress(total) {
  const tty = process.stdout.isTTY === true;
  let number = 0;
  return {
    /** Runs one step. `work` gets `note(text)` to show a detail. */
    async step(title, work) {
      number += 1;
      const label = `[${number}/${total}] ${title}`;
      const started = Date.now();
      const seconds = () => ((Date.now() - started) / 1000).toFixed(1);
      let detail = "";
      let frame = 0;
      const draw = () =>
        process.stdout.write(
          `\r\x1b[2K${"|/-\\"[frame++ % 4]} ${label} ${detail} (${seconds()} s)`.slice(
            0,
            (process.stdout.columns || 80) + 5,
          ),
        );
      const timer = tty ? setInterval(draw, 120) : undefined;
      if (!tty) process.stdout.write(`${label}\n`);
      try {
        const result = await work((text) => {
          detail = `- ${text}`;
        });
        if (tty) process.stdout.write(`\r\x1b[2K✔ ${label} (${seconds()} s)\n`);
        return result;
      } catch (error) {
        if (tty) process.stdout.write(`\r\x1b[2K✖ ${label}\n`);
        throw error;
      } finally {
        clearInterval(timer);
      }
    },
  };
}
