import { defineErrors } from "../../kernel/errors.js";

export const ProcessErrors = defineErrors("process", {
  ALREADY_RUNNING: [
    "refused",
    (p: { path: string; pid: number }) => `Process ${p.pid} is already using ${p.path}.`,
  ],
  STOPPING: ["unavailable", (_p: Record<string, never>) => "The process is shutting down."],
  STOP_TIMED_OUT: [
    "deadline",
    (p: { names: string }) => `Still running at the end of the shutdown budget: ${p.names}.`,
  ],
});
