import { anImage, judgeTable } from "../testing/builders.js";
import filter from "./image-properties.js";

judgeTable(filter, [
  ["passes an image without properties", { supported: [] }, {}, ""],
  ["passes an architecture that is supported", {}, { image: anImage({ hw_architecture: "x86_64" }) }, ""],
  ["knows other names of architectures", {}, { image: anImage({ hw_architecture: "amd64" }) }, ""],
  [
    "refuses another architecture",
    {},
    { image: anImage({ hw_architecture: "aarch64" }) },
    "IMAGE_UNSUPPORTED",
  ],
  [
    "wants one entry to have it all",
    {
      supported: [
        ["x86_64", "qemu", "hvm"],
        ["aarch64", "kvm", "hvm"],
      ],
    },
    { image: anImage({ hw_architecture: "x86_64", img_hv_type: "kvm" }) },
    "IMAGE_UNSUPPORTED",
  ],
  [
    "refuses properties where the host tells nothing",
    { supported: [] },
    { image: anImage({ hw_vm_mode: "hvm" }) },
    "IMAGE_UNSUPPORTED",
  ],
  [
    "takes a default architecture",
    {},
    {},
    "IMAGE_UNSUPPORTED",
    { imagePropertiesDefaultArchitecture: "ppc64le" },
  ],
  ["passes a version in the range", {}, { image: anImage({ img_hv_requested_version: ">=7.0,<8" }) }, ""],
  [
    "refuses a version outside of it",
    {},
    { image: anImage({ img_hv_requested_version: ">=8.0" }) },
    "HYPERVISOR_VERSION",
  ],
  [
    "refuses a range that makes no sense",
    {},
    { image: anImage({ img_hv_requested_version: "new" }) },
    "HYPERVISOR_VERSION",
  ],
  ["passes a server without image", {}, { image: undefined }, ""],
]);
