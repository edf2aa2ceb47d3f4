/**
 * The modules a guest on our machines needs, by file name without `.ko`. What the kernel has built in is
 * simply not found among its module files. Dependencies are added by `loadOrder`.
 */
export const wantedModules = [
  "virtio_pci",
  "virtio_mmio",
  "virtio_blk",
  "virtio_net",
  "virtio_balloon",
  "virtio-rng",
  "virtio_console",
  "virtio_scsi",
  "sd_mod",
  "sr_mod",
  "ata_piix",
  "ata_generic",
  "ahci",
  "e1000",
  "e1000e",
  "button",
  "evdev",
  "isofs",
  "vfat",
  "nls_ascii",
  "nls_cp437",
  "nls_utf8",
  "ext4",
] as const;

/**
 * The kernel treats `-` and `_` in module names as the same character; files and `depends=` lines mix them.
 */
export const moduleKey = (name: string): string => name.replaceAll("-", "_");

/**
 * Reads the `depends=` entry of a module's `.modinfo` section. @param image the whole .ko file, not
 * compressed
 */
export function moduleDependencies(image: Buffer): readonly string[] {
  const start = image.indexOf("\0depends=", 0, "latin1");
  const from = start >= 0 ? start + 1 : image.indexOf("depends=", 0, "latin1");
  if (from < 0) return [];
  const end = image.indexOf(0, from);
  return image
    .toString("latin1", from + "depends=".length, end < 0 ? undefined : end)
    .split(",")
    .filter((name) => name !== "");
}

/**
 * Orders modules so that each comes after all it depends on.
 * @param dependenciesOf  undefined for a module that does not exist (built in): it is left out
 */
export function loadOrder(
  wanted: readonly string[],
  dependenciesOf: (name: string) => readonly string[] | undefined,
): readonly string[] {
  const order: string[] = [];
  const seen = new Set<string>();
  const visit = (name: string): void => {
    const key = moduleKey(name);
    if (seen.has(key)) return;
    seen.add(key);
    const dependencies = dependenciesOf(key);
    if (dependencies === undefined) return;
    for (const dependency of dependencies) visit(dependency);
    order.push(key);
  };
  for (const name of wanted) visit(name);
  return order;
}
