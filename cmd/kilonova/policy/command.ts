import { readFileSync } from "node:fs";
import { Command } from "commander";
import { methodsByRule } from "../../../pkg/api/index.js";
import { createPolicy, parseOverrides, ruleDefaults } from "../../../pkg/policy/index.js";
import type { RuleName } from "../../../pkg/policy/index.js";
import type { Actor } from "../../../pkg/kernel/index.js";
import { anonymous } from "../../../pkg/kernel/index.js";

const isRule = (name: string): name is RuleName => Object.hasOwn(ruleDefaults, name);

/** `kilonova policy`: what the rules say, without a running cloud. */
export function policyCommand(): Command {
  const command = new Command("policy").description("look at policy rules");
  command
    .command("list")
    .description("all rules with their defaults, and the methods of kilonova.api.v1 that ask them")
    .action(() => {
      const methods = methodsByRule();
      for (const [name, { check }] of Object.entries(ruleDefaults))
        console.log([name, check, (methods.get(name) ?? []).join(" ")].join("\t"));
    });
  command
    .command("check <rule>")
    .description("whether an actor passes a rule")
    .requiredOption("--roles <names>", "roles, separated by commas")
    .option("--project <id>", "the actor's project", "p1")
    .option("--target-project <id>", "the project that owns the resource; default the same")
    .option("--system", "the actor's token is of the system as a whole, not of a project")
    .option("--overrides <file>", "YAML file with overrides")
    .action(
      (
        rule: string,
        options: {
          roles: string;
          project: string;
          targetProject?: string;
          system?: boolean;
          overrides?: string;
        },
      ) => {
        const actor: Actor = {
          ...anonymous,
          kind: "user",
          userId: "u1",
          projectId: options.system ? "" : options.project,
          systemScope: options.system ?? false,
          roles: options.roles.split(","),
        };
        if (!isRule(rule)) {
          console.error(`There is no rule ${rule}; see: kilonova policy list`);
          process.exit(1);
        }
        const policy = createPolicy(
          options.overrides ? parseOverrides(readFileSync(options.overrides, "utf8")) : undefined,
        );
        const passed = policy.allows(actor, rule, { project_id: options.targetProject ?? options.project });
        console.log(passed ? "allowed" : "refused");
        if (!passed) process.exitCode = 1;
      },
    );
  return command;
}
