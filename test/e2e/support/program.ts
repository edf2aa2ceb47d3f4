import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Where a program lies; undefined where it is not installed. */
export function programOf(name: string): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((dir) => join(dir, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
