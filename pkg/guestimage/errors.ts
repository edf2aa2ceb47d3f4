import { defineErrors } from "../kernel/index.js";

/** Why the guest image could not be built. */
export const GuestImageErrors = defineErrors("guestimage", {
  TOOLS_MISSING: [
    "refused",
    (p: { tools: string; packages: string }) =>
      `missing tools ${p.tools}; install with: apt-get install ${p.packages}`,
  ],
  TOOL_FAILED: ["internal", (p: { tool: string; detail: string }) => `${p.tool} failed: ${p.detail}`],
  PACKAGE_UNAVAILABLE: [
    "unavailable",
    (p: { name: string; detail: string }) => `Debian package ${p.name} cannot be had: ${p.detail}`,
  ],
  ASSETS_MISSING: [
    "internal",
    (p: { from: string }) => `the guest's files (pkg/guestimage/rootfs) were not found above ${p.from}`,
  ],
});
