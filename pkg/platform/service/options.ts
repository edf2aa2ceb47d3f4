import { parseArgs } from "node:util";
import type { ConfigOf, Sections } from "../config/index.js";
import { envName, loadConfig } from "../config/index.js";
import { ServiceErrors } from "./errors.js";

/** Environment variables with our prefix that are no options. */
const notOptions = ["KILONOVA_CONFIG", "KILONOVA_HOME", "KILONOVA_TEST_PG", "KILONOVA_TEST_COUNTS"];

/**
 * Reads a program's configuration: the file of `--config` (or KILONOVA_CONFIG), the environment, then `--set
 * section.option=value`.
 * @throws BAD_FLAG, CONFIG_INVALID
 */
export function readConfig<S extends Sections>(
  sections: S,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ConfigOf<S> {
  const flags = parse(args);
  const set = Object.fromEntries(
    (flags.set ?? []).map((text) => {
      const [, section, option, value] = /^(\w+)\.(\w+)=(.*)$/s.exec(text) ?? [];
      if (section === undefined || option === undefined)
        throw ServiceErrors.BAD_FLAG({ problem: `--set ${text}: want <section>.<option>=<value>.` });
      if (sections[section]?.shape[option] === undefined)
        throw ServiceErrors.BAD_FLAG({ problem: `--set ${text}: there is no option ${section}.${option}.` });
      return [envName(section, option), value];
    }),
  );
  return loadConfig(sections, {
    file: flags.config ?? env["KILONOVA_CONFIG"],
    env: { ...env, ...set },
    ignoreEnv: notOptions,
  });
}

function parse(args: readonly string[]): {
  readonly config?: string | undefined;
  readonly set?: readonly string[] | undefined;
} {
  try {
    return parseArgs({
      args: [...args],
      options: { config: { type: "string" }, set: { type: "string", multiple: true } },
    }).values;
  } catch (error) {
    throw ServiceErrors.BAD_FLAG({ problem: (error as Error).message });
  }
}
