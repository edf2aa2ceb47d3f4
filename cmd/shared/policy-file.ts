import { readFileSync } from "node:fs";
import type { z } from "zod";
import { createPolicy, parseOverrides } from "../../pkg/policy/index.js";
import type { Policy } from "../../pkg/policy/index.js";
import { ConfigErrors } from "../../pkg/platform/config/index.js";
import type { policyConfig } from "./sections.js";

/**
 * The policy with the operator's overrides, read once at the start.
 * @throws CONFIG_INVALID naming the file that cannot be read; BAD_POLICY naming the rule
 */
export const openPolicy = ({ file }: z.output<typeof policyConfig>): Policy =>
  createPolicy(file ? parseOverrides(read(file)) : {});

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw ConfigErrors.CONFIG_INVALID(
      {
        problems: `- policy.file: ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown reason"})`,
      },
      { cause: error },
    );
  }
}
