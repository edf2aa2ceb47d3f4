import { FakeDriver } from "../../pkg/compute/drivers/fake/index.js";
import { fakeInventory } from "../../pkg/compute/drivers/fake/inventory.js";
import { driverNames } from "../../pkg/compute/drivers/index.js";
import type { DriverName } from "../../pkg/compute/drivers/index.js";
import { QemuDriver } from "../../pkg/compute/drivers/qemu/index.js";
import { qemuDefaults } from "../../pkg/compute/drivers/qemu/config.js";
import { driverTraits } from "../../pkg/compute/drivers/qemu/traits.js";
import { features } from "./rows.js";
import { judge } from "./support.js";
import type { JudgedDriver, Mark } from "./support.js";

/**
 * Each driver as it is before it is opened; what of its traits depends on the machine is that of a usual one.
 */
const judged: Readonly<Record<DriverName, () => Omit<JudgedDriver, "name">>> = {
  qemu: () => ({
    driver: new QemuDriver({
      ...qemuDefaults,
      stateDir: "/nowhere",
      hypervisorHostname: "host",
      hostIp: "127.0.0.1",
      imageDirs: [],
    }),
    traits: driverTraits(new Set(["sse2", "aes"])),
  }),
  fake: () => ({
    driver: new FakeDriver({ hostname: "host" }),
    traits: fakeInventory("host", {}).traits,
  }),
};

/** All drivers of this build. */
export const drivers = (): readonly JudgedDriver[] =>
  driverNames.map((name) => ({ name, ...judged[name]() }));

const told = ({ mark, why }: Mark): string => (why === "" ? mark : `${mark}: ${why}`);
const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

/** The page for users. @param among  drivers, a column each */
export function page(among: readonly JudgedDriver[]): string {
  const marks = features.map((feature) => among.map((driver) => judge(feature, driver)));
  const sum = (mark: Mark["mark"], at: number): number =>
    marks.filter((each) => each[at]?.mark === mark).length;
  return [
    "# What each driver can",
    "",
    "<!-- Written by scripts/gen-feature-docs.ts from scripts/features/rows.ts and the code. Do not edit. -->",
    "",
    "The rows are those of Nova's feature support matrix, under its names. A mark follows from the code: from the",
    "methods that are served, the capabilities that the driver registers, and the traits that its hosts report.",
    "*complete*: as in Nova. *partial*: what is not is said. *missing*: it is refused, or nothing comes of it.",
    "",
    "`qemu` runs real machines. `fake` only remembers them, for tests: *complete* there means that everything is",
    "recorded and answered as if it had been done.",
    "",
    row(["", ...among.map(({ name }) => `\`${name}\``)]),
    row(["---", ...among.map(() => "---")]),
    ...(["complete", "partial", "missing"] as const).map((mark) =>
      row([mark, ...among.map((_, at) => String(sum(mark, at)))]),
    ),
    "",
    row(["feature", "Nova's row", ...among.map(({ name }) => `\`${name}\``)]),
    row(["---", "---", ...among.map(() => "---")]),
    ...features.map(({ row: id, what }, at) => row([what, `\`${id}\``, ...(marks[at] ?? []).map(told)])),
    "",
  ].join("\n");
}
