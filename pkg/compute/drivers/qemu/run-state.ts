import type { PowerState } from "../../driver.js";
import type { QmpEvent } from "./qmp-client.js";

/** QEMU's own word for what the machine does (`query-status`), plus `unknown` when its monitor is lost. */
export type RunState = string;

/** Nova's power state for QEMU's run state. */
export function powerStateOf(state: RunState): PowerState {
  switch (state) {
    case "running":
      return "RUNNING";
    case "shutdown":
      return "SHUTDOWN";
    case "internal-error":
    case "guest-panicked":
      return "CRASHED";
    case "suspended":
      return "SUSPENDED";
    case "unknown":
      return "NOSTATE";
    // paused, prelaunch, io-error, watchdog, debug, save-vm, restore-vm, inmigrate, postmigrate,
    // finish-migrate, colo
    default:
      return "PAUSED";
  }
}

/** What a monitor's event means for a guest's life. */
export type GuestSignal =
  | { readonly kind: "paused" }
  | { readonly kind: "resumed" }
  | { readonly kind: "reset"; readonly byGuest: boolean }
  /** `exits`: QEMU ends by itself, because of a signal or another monitor's `quit`. */
  | { readonly kind: "shutdown"; readonly byGuest: boolean; readonly exits: boolean }
  | { readonly kind: "panicked" };

/** @returns undefined for events that do not concern the guest's life */
export function signalOf({ event, data }: QmpEvent): GuestSignal | undefined {
  switch (event) {
    case "STOP":
      return { kind: "paused" };
    case "RESUME":
      return { kind: "resumed" };
    case "RESET":
      return { kind: "reset", byGuest: data["guest"] === true };
    case "SHUTDOWN":
      return {
        kind: "shutdown",
        byGuest: data["guest"] === true,
        exits: data["reason"] === "host-signal" || data["reason"] === "host-qmp-quit",
      };
    case "GUEST_PANICKED":
      return { kind: "panicked" };
    default:
      return undefined;
  }
}
