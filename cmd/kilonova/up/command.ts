import { Command } from "commander";
import { driverNames } from "../../../pkg/compute/index.js";
import { KilonovaError } from "../../../pkg/kernel/index.js";
import { projectRoot } from "../project-root.js";
import type { UpFlags } from "./options.js";
import { readOptions } from "./options.js";
import { up } from "./up.js";

/** `kilonova up`: every service in this process. */
export function upCommand(): Command {
  return new Command("up")
    .description("run the whole cloud in this process; what `npm start` does")
    .option("--driver <name>", `hypervisor driver of the hosts: ${driverNames.join(" or ")}`, "qemu")
    .option("--hosts <n>", "number of hypervisor hosts", "2")
    .option("--port-offset <n>", "shift all ports", "0")
    .option("--fresh", "forget everything first: servers, images, users, passwords")
    .option("--etcd <endpoints>", "coordinate through etcd at these host:port,… instead of in this process")
    .option("--config <file>", "YAML file with options")
    .action(async (flags: UpFlags & { readonly config?: string }) => {
      try {
        await up(readOptions(flags, process.env["KILONOVA_HOME"], projectRoot()), flags.config);
      } catch (error) {
        // One clear sentence for what a user can mend; everything else is in the log.
        console.error(error instanceof KilonovaError && error.kind !== "internal" ? error.message : error);
        process.exit(1);
      }
    });
}
