import { Command } from "commander";
import { upCommand } from "./up/command.js";
import { manageCommand } from "./manage/command.js";
import { policyCommand } from "./policy/command.js";
import { statusCommand } from "./status/command.js";

const program = new Command("kilonova")
  .description("Kilonova: OpenStack Compute as durable operations on gRPC services.")
  .version("0.1.0")
  .showHelpAfterError();
for (const command of [upCommand(), statusCommand(), manageCommand(), policyCommand()])
  program.addCommand(command);
await program.parseAsync(process.argv);
