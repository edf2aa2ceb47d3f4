import { Command } from "commander";
import { dbCommand } from "./db.js";
import { operationCommand } from "./operation.js";

/** `kilonova manage`: what operators do to a cloud. */
export const manageCommand = (): Command =>
  new Command("manage")
    .description("databases of a deployment, and operations of a running cloud")
    .addCommand(dbCommand())
    .addCommand(operationCommand());
