import { nicModels } from "./hardware.js";

/** Standard traits by QEMU's names of CPU features. */
const cpuTraits: Readonly<Record<string, string>> = {
  "3dnow": "3DNOW",
  abm: "ABM",
  aes: "AESNI",
  avx: "AVX",
  avx2: "AVX2",
  avx512bitalg: "AVX512BITALG",
  avx512bw: "AVX512BW",
  avx512cd: "AVX512CD",
  avx512dq: "AVX512DQ",
  avx512er: "AVX512ER",
  avx512f: "AVX512F",
  gfni: "AVX512GFNI",
  avx512ifma: "AVX512IFMA",
  avx512pf: "AVX512PF",
  vaes: "AVX512VAES",
  avx512vbmi: "AVX512VBMI",
  avx512vbmi2: "AVX512VBMI2",
  avx512vl: "AVX512VL",
  avx512vnni: "AVX512VNNI",
  vpclmulqdq: "AVX512VPCLMULQDQ",
  "avx512-vpopcntdq": "AVX512VPOPCNTDQ",
  bmi1: "BMI",
  bmi2: "BMI2",
  pclmulqdq: "CLMUL",
  f16c: "F16C",
  fma: "FMA3",
  fma4: "FMA4",
  mmx: "MMX",
  mpx: "MPX",
  pdpe1gb: "PDPE1GB",
  "sha-ni": "SHA",
  sse: "SSE",
  sse2: "SSE2",
  pni: "SSE3",
  "sse4.1": "SSE41",
  "sse4.2": "SSE42",
  sse4a: "SSE4A",
  ssse3: "SSSE3",
  tbm: "TBM",
  xop: "XOP",
  svm: "SVM",
  vmx: "VMX",
  stibp: "STIBP",
  "md-clear": "INTEL_MD_CLEAR",
  pcid: "INTEL_PCID",
  "spec-ctrl": "INTEL_SPEC_CTRL",
  ssbd: "INTEL_SSBD",
};

/** Those AVX-512 companions exist without AVX-512 too, but their traits speak of the 512-bit forms. */
const needsAvx512 = new Set(["gfni", "vaes", "vpclmulqdq"]);

/** Traits that hold for guests of this driver, given the CPU features they really get. */
export function driverTraits(cpuFeatures: ReadonlySet<string>): readonly string[] {
  const cpu = Object.entries(cpuTraits)
    .filter(
      ([feature]) => cpuFeatures.has(feature) && (!needsAvx512.has(feature) || cpuFeatures.has("avx512f")),
    )
    .map(([, trait]) => `HW_CPU_X86_${trait}`);
  return [
    "COMPUTE_ARCH_X86_64",
    "COMPUTE_FIRMWARE_BIOS",
    "COMPUTE_GRAPHICS_MODEL_NONE",
    ...["AKI", "AMI", "ARI", "QCOW2", "RAW", "VDI", "VHD", "VHDX", "VMDK"].map(
      (format) => `COMPUTE_IMAGE_TYPE_${format}`,
    ),
    "COMPUTE_NET_ATTACH_INTERFACE",
    "COMPUTE_NET_ATTACH_INTERFACE_WITH_TAG",
    ...Object.keys(nicModels).map((model) => `COMPUTE_NET_VIF_MODEL_${model.toUpperCase()}`),
    ...["IDE", "SATA", "SCSI", "USB", "VIRTIO"].map((bus) => `COMPUTE_STORAGE_BUS_${bus}`),
    "COMPUTE_RESCUE_BFV",
    "COMPUTE_VOLUME_ATTACH",
    "COMPUTE_VOLUME_ATTACH_WITH_TAG",
    "COMPUTE_VOLUME_EXTEND",
    "COMPUTE_VOLUME_MULTI_ATTACH",
    ...cpu,
  ].sort();
}
