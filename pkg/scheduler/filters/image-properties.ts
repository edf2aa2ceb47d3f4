import { z } from "zod";
import { canonicalArchitecture, canonicalVmMode } from "../../model/image-properties.js";
import { hostFilter } from "../domain/rules.js";
import { tells } from "../domain/telling.js";
import { pass, refuse } from "../domain/verdict.js";

/**
 * Refuses hosts that cannot run the image's architecture, hypervisor type and VM mode together, or whose
 * hypervisor has the wrong version.
 * @source nova ImagePropertiesFilter
 */
export default hostFilter("ImagePropertiesFilter", {
  onRebuild: true,
  options: {
    imagePropertiesDefaultArchitecture: z
      .string()
      .default("")
      .describe("Architecture of images that name none; empty for any."),
  },
  tellings: {
    IMAGE_UNSUPPORTED: tells((facts) => `unable to run the image (${namedValues(facts)})`),
    HYPERVISOR_VERSION: tells(
      ({ needed }) => `hypervisor of another version (the image needs ${needed})`,
      ["have"],
    ),
  },
  judge: (host, { image }, { imagePropertiesDefaultArchitecture }) => {
    const property = (name: string): string => image?.properties.get(name) ?? "";
    const architecture = canonicalArchitecture(
      property("hw_architecture") || imagePropertiesDefaultArchitecture,
    );
    const type = property("img_hv_type").toLowerCase();
    const mode = canonicalVmMode(property("hw_vm_mode"));
    if (architecture !== "" || type !== "" || mode !== "") {
      const fits = host.supported.some(
        ([hostArch = "", hostType = "", hostMode = ""]) =>
          (architecture === "" || canonicalArchitecture(hostArch) === architecture) &&
          (type === "" || hostType.toLowerCase() === type) &&
          (mode === "" || canonicalVmMode(hostMode) === mode),
      );
      if (!fits)
        return refuse("IMAGE_UNSUPPORTED", {
          ...(architecture && { architecture }),
          ...(type && { hypervisor_type: type }),
          ...(mode && { vm_mode: mode }),
        });
    }
    const version = property("img_hv_requested_version");
    return version === "" || versionSatisfies(host.hypervisorVersion, version)
      ? pass
      : refuse("HYPERVISOR_VERSION", { needed: version, have: versionText(host.hypervisorVersion) });
  },
});

const namedValues = (facts: Readonly<Record<string, string>>): string =>
  Object.entries(facts)
    .map(([name, value]) => `${name.replace("_", " ")} ${value}`)
    .join(", ");

/** 7002022 is 7.2.22. */
const versionText = (version: number): string =>
  [Math.trunc(version / 1_000_000), Math.trunc(version / 1000) % 1000, version % 1000].join(".");

/** Reads `>=7.0,<9` and the like; every part must hold. */
function versionSatisfies(have: number, wanted: string): boolean {
  return wanted.split(",").every((part) => {
    const match = /^\s*(<=|>=|==|!=|<|>|=)?\s*(\d+)(?:\.(\d+))?(?:\.(\d+))?\s*$/.exec(part);
    if (match === null) return false;
    const number = Number(match[2]) * 1_000_000 + Number(match[3] ?? 0) * 1000 + Number(match[4] ?? 0);
    switch (match[1] ?? "==") {
      case "<":
        return have < number;
      case "<=":
        return have <= number;
      case ">":
        return have > number;
      case ">=":
        return have >= number;
      case "!=":
        return have !== number;
      default:
        return have === number;
    }
  });
}
