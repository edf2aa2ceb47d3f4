import assert from "node:assert/strict";
import { converterOf, inspectImage, judgeImage } from "./inspect.js";
import {
  gptBytes,
  isoBytes,
  qcow2Bytes,
  vdiBytes,
  vhdBytes,
  vhdxBytes,
  viewOfBytes,
  vmdkBytes,
  vmdkDescriptor,
} from "./testing/headers.js";

const MIB = 1024 ** 2;
const ascii = (text: string): Buffer => Buffer.from(text, "latin1");
const mixed = (base: Buffer, ...parts: readonly (readonly [at: number, bytes: Uint8Array])[]): Buffer => {
  const out = Buffer.alloc(Math.max(base.length, ...parts.map(([at, bytes]) => at + bytes.length)));
  out.set(base);
  for (const [at, bytes] of parts) out.set(bytes, at);
  return out;
};

describe("image inspection", () => {
  const good: readonly (readonly [string, Buffer, format: string, qemu: string | undefined, size: number])[] =
    [
      ["qcow2 v3", qcow2Bytes(), "qcow2", "qcow2", 4 * MIB],
      ["qcow2 v2", qcow2Bytes({ version: 2 }), "qcow2", "qcow2", 4 * MIB],
      [
        "qcow2 with lazy refcounts, zstd and extended L2 entries",
        qcow2Bytes({ incompatible: 0b11001n }),
        "qcow2",
        "qcow2",
        4 * MIB,
      ],
      [
        "qcow2 with a feature table",
        qcow2Bytes({ extensions: [[0x6803f857, "dirty bit"]] }),
        "qcow2",
        "qcow2",
        4 * MIB,
      ],
      ["qcow2 marked corrupt", qcow2Bytes({ incompatible: 2n }), "qcow2", "qcow2", 4 * MIB],
      ["qcow2 with internal snapshots", qcow2Bytes({ snapshots: 1 }), "qcow2", "qcow2", 4 * MIB],
      [
        "qcow2 that only says which format its backing file had",
        qcow2Bytes({ backingSize: 11, extensions: [[0xe2792aca, "raw"]] }),
        "qcow2",
        "qcow2",
        4 * MIB,
      ],
      ["monolithicSparse vmdk", vmdkBytes(vmdkDescriptor()), "vmdk", "vmdk", 4 * MIB],
      [
        "streamOptimized vmdk",
        vmdkBytes(vmdkDescriptor({ createType: "streamOptimized" })),
        "vmdk",
        "vmdk",
        4 * MIB,
      ],
      ["dynamic vdi", vdiBytes(), "vdi", "vdi", 4 * MIB],
      ["static vdi", vdiBytes({ type: 2 }), "vdi", "vdi", 4 * MIB],
      ["dynamic vhd", vhdBytes(3), "vhd", "vpc", 4 * MIB],
      ["fixed vhd, known by its end", vhdBytes(2, "end"), "vhd", "vpc", 4 * MIB],
      ["vhdx", vhdxBytes(), "vhdx", "vhdx", 4 * MIB],
      ["iso", isoBytes(), "iso", undefined, 65_536],
      ["raw disk with GPT", gptBytes(), "raw", undefined, 65_536],
      ["zeros", Buffer.alloc(4096), "raw", undefined, 4096],
      ["an empty file", Buffer.alloc(0), "raw", undefined, 0],
      ["text", ascii("root:x:0:0:root:/root:/bin/bash\n"), "raw", undefined, 32],
    ];
  for (const [name, bytes, format, qemuName, virtualSizeBytes] of good) {
    it(`lets through ${name}`, () => {
      const found = inspectImage(viewOfBytes(bytes));
      assert.deepEqual(
        { ...found, partitions: "", alsoRaw: undefined },
        { format, qemuName, virtualSizeBytes, refusals: [], partitions: "", alsoRaw: undefined },
      );
    });
  }

  it("sees partition tables", () => {
    assert.equal(inspectImage(viewOfBytes(gptBytes())).partitions, "gpt");
    assert.equal(
      inspectImage(viewOfBytes(mixed(Buffer.alloc(1024), [510, Uint8Array.of(0x55, 0xaa)]))).partitions,
      "mbr",
    );
  });

  const hostile: readonly (readonly [string, Buffer, codes: readonly string[]])[] = [
    [
      "qcow2 with a backing file",
      qcow2Bytes({ backingOffset: 1024n, backingSize: 11, backingName: "/etc/passwd" }),
      ["BACKING_FILE"],
    ],
    ["qcow2 with a backing offset but no length", qcow2Bytes({ backingOffset: 1024n }), ["BACKING_FILE"]],
    [
      "qcow2 with a data file",
      qcow2Bytes({ incompatible: 4n, extensions: [[0x44415441, "/etc/passwd"]] }),
      ["DATA_FILE"],
    ],
    [
      "qcow2 with a data file's name alone",
      qcow2Bytes({ extensions: [[0x44415441, "/etc/passwd"]] }),
      ["DATA_FILE"],
    ],
    ["qcow2 with a raw data file", qcow2Bytes({ autoclear: 2n }), ["DATA_FILE"]],
    [
      "qcow2 v2 with a data file's name",
      qcow2Bytes({ version: 2, extensions: [[0x44415441, "/etc/passwd"]] }),
      ["DATA_FILE"],
    ],
    [
      "qcow2 with an unknown incompatible feature",
      qcow2Bytes({ incompatible: 1n << 40n }),
      ["UNKNOWN_FEATURE"],
    ],
    ["qcow2 of a later version", qcow2Bytes({ version: 4 }), ["UNKNOWN_FEATURE"]],
    ["qcow2 with AES", qcow2Bytes({ crypt: 1 }), ["ENCRYPTED"]],
    [
      "qcow2 with LUKS",
      qcow2Bytes({ crypt: 2, extensions: [[0x0537be77, "0123456789abcdef"]] }),
      ["ENCRYPTED"],
    ],
    [
      "qcow2 whose header claims to be huge",
      qcow2Bytes({ headerLength: 65_528 }).subarray(0, 4096),
      ["CORRUPT_HEADER"],
    ],
    ["qcow2 whose header is shorter than its fields", qcow2Bytes({ headerLength: 96 }), ["CORRUPT_HEADER"]],
    ["qcow2 whose header has an odd length", qcow2Bytes({ headerLength: 108 }), ["CORRUPT_HEADER"]],
    [
      "qcow2 whose extension is longer than the first cluster, behind which another could hide",
      mixed(qcow2Bytes({ extensions: [[0x6803f857, "dirty bit"]] }), [116, Uint8Array.of(0, 1, 0, 0)]),
      ["CORRUPT_HEADER"],
    ],
    ["qcow2 cut short", qcow2Bytes().subarray(0, 60), ["CORRUPT_HEADER"]],
    [
      "vmdk descriptor file with a flat extent",
      ascii(vmdkDescriptor({ createType: "monolithicFlat", extent: 'RW 8192 FLAT "/etc/passwd" 0' })),
      ["SUBFORMAT"],
    ],
    ["vmdk descriptor file that claims to be sparse", ascii(vmdkDescriptor()), ["SUBFORMAT"]],
    [
      "vmdk descriptor file without its first line",
      ascii(`\n# hi\nversion=1\n${vmdkDescriptor()}`),
      ["SUBFORMAT"],
    ],
    ["vmdk of ESX", ascii(`COWD${"\0".repeat(2048)}`), ["SUBFORMAT"]],
    [
      "sparse vmdk of another type",
      vmdkBytes(vmdkDescriptor({ createType: "twoGbMaxExtentSparse" })),
      ["SUBFORMAT"],
    ],
    [
      "sparse vmdk with two types",
      vmdkBytes(vmdkDescriptor({ extra: 'createType="monolithicFlat"' })),
      ["SUBFORMAT"],
    ],
    [
      "sparse vmdk with a type behind a NUL",
      vmdkBytes(vmdkDescriptor({ extra: '\0createType="monolithicFlat"' })),
      ["SUBFORMAT"],
    ],
    [
      "sparse vmdk with a flat extent",
      vmdkBytes(vmdkDescriptor({ extent: 'RW 8192 FLAT "/etc/passwd" 0' })),
      ["EXTERNAL_EXTENT"],
    ],
    [
      "sparse vmdk with a second extent",
      vmdkBytes(vmdkDescriptor({ extra: 'RW 8192 FLAT "/etc/passwd" 0' })),
      ["EXTERNAL_EXTENT"],
    ],
    [
      "sparse vmdk without capacity, read as a descriptor file",
      vmdkBytes(vmdkDescriptor(), { capacity: 0n }),
      ["EXTERNAL_EXTENT"],
    ],
    [
      "sparse vmdk with a parent",
      vmdkBytes(vmdkDescriptor({ parentCid: "12345678", extra: 'parentFileNameHint="/etc/passwd"' })),
      ["BACKING_FILE"],
    ],
    [
      "sparse vmdk with a parent's name behind the descriptor",
      vmdkBytes(vmdkDescriptor().padEnd(512, "\0"), { behind: 'parentFileNameHint="/etc/passwd"' }),
      ["BACKING_FILE"],
    ],
    [
      "sparse vmdk whose descriptor is far away",
      vmdkBytes(vmdkDescriptor(), { descriptorSector: 1_000_000n }),
      ["CORRUPT_HEADER"],
    ],
    ["vdi difference", vdiBytes({ type: 4 }), ["BACKING_FILE"]],
    ["vdi with a parent", vdiBytes({ parent: true }), ["BACKING_FILE"]],
    ["vhd difference", vhdBytes(4), ["BACKING_FILE"]],
    ["vhdx difference", vhdxBytes({ hasParent: true }), ["BACKING_FILE"]],
    ["vhdx without size", vhdxBytes({ withoutSize: true }), ["CORRUPT_HEADER"]],
    ["qed", ascii(`QED\0${"\0".repeat(60)}`), ["UNSUPPORTED_FORMAT"]],
    ["luks", ascii("LUKS\xba\xbe\0\x01"), ["ENCRYPTED"]],
    ["ploop", ascii("WithouFreSpacExt"), ["UNSUPPORTED_FORMAT"]],
    ["qcow2 and iso at once", mixed(isoBytes(), [0, qcow2Bytes().subarray(0, 512)]), ["AMBIGUOUS_FORMAT"]],
    [
      "qcow2 and vdi at once",
      mixed(qcow2Bytes(), [64, Uint8Array.of(0x7f, 0x10, 0xda, 0xbe)]),
      ["AMBIGUOUS_FORMAT"],
    ],
  ];
  for (const [name, bytes, codes] of hostile) {
    it(`refuses ${name}`, () => {
      const found = inspectImage(viewOfBytes(bytes)).refusals.map((r) => r.code);
      for (const code of codes)
        assert.ok(found.includes(code as (typeof found)[number]), `${code} is not in [${found.join(", ")}]`);
    });
  }

  it("never throws, whatever the bytes", () => {
    let state = 12_345;
    const random = (): number => (state = (state * 1_103_515_245 + 12_345) & 0x7fffffff) / 0x7fffffff;
    const samples = [
      qcow2Bytes(),
      vmdkBytes(vmdkDescriptor()),
      vdiBytes(),
      vhdBytes(3),
      vhdxBytes().subarray(0, 300_000),
      isoBytes(),
    ];
    for (let round = 0; round < 2_000; round++) {
      const bytes = Buffer.from(samples[round % samples.length] ?? []).subarray(
        0,
        Math.floor(random() * 70_000),
      );
      for (let n = 0; n < 8 && bytes.length > 0; n++)
        bytes[Math.floor(random() * Math.min(bytes.length, 512))] = Math.floor(random() * 256);
      inspectImage(viewOfBytes(bytes));
    }
  });
});

describe("image judgement", () => {
  const judge = (
    bytes: Buffer,
    diskFormat: string | undefined,
    containerFormat = "bare",
    virtualBytes = 1024 ** 3,
  ): string[] =>
    judgeImage(inspectImage(viewOfBytes(bytes)), { diskFormat, containerFormat }, { virtualBytes }).map(
      (r) => r.code,
    );

  it("wants the content to be what it is declared as", () => {
    assert.deepEqual(judge(qcow2Bytes(), "qcow2"), []);
    assert.deepEqual(judge(qcow2Bytes(), "raw"), ["FORMAT_MISMATCH"]);
    assert.deepEqual(judge(gptBytes(), "qcow2"), ["FORMAT_MISMATCH"]);
    assert.deepEqual(judge(gptBytes(), undefined), ["FORMAT_MISMATCH"]);
    assert.deepEqual(judge(isoBytes(), "iso"), []);
    assert.deepEqual(judge(Buffer.alloc(1024), "iso"), ["FORMAT_MISMATCH"]);
    assert.deepEqual(judge(isoBytes(), "raw"), []);
  });

  it("takes a fixed vhd for what it is called: a vhd, or the raw disk that it begins with", () => {
    const fixed = inspectImage(viewOfBytes(vhdBytes(2, "end")));
    for (const [diskFormat, converter] of [
      ["vhd", "vpc"],
      ["raw", undefined],
    ] as const) {
      assert.deepEqual(judge(vhdBytes(2, "end"), diskFormat), []);
      assert.equal(converterOf(fixed, { diskFormat, containerFormat: "bare" }), converter);
    }
    assert.deepEqual(judge(vhdBytes(2, "end"), "qcow2"), ["FORMAT_MISMATCH"]);
    assert.deepEqual(judge(vhdBytes(3), "raw"), ["FORMAT_MISMATCH"]);
  });

  it("takes kernels, ramdisks and machine images as plain bytes only", () => {
    for (const format of ["aki", "ari", "ami"]) {
      assert.deepEqual(judge(Buffer.from("\x1f\x8b kernel"), format, format), []);
      assert.deepEqual(judge(qcow2Bytes(), format, format), ["FORMAT_MISMATCH"]);
    }
  });

  it("refuses containers and disks beyond the limit", () => {
    assert.deepEqual(judge(Buffer.alloc(512), "raw", "ova"), ["CONTAINER_FORMAT"]);
    assert.deepEqual(judge(qcow2Bytes({ sizeBytes: 2n ** 60n }), "qcow2"), ["TOO_LARGE"]);
    assert.deepEqual(judge(qcow2Bytes({ sizeBytes: 2n ** 64n - 1n }), "qcow2"), ["TOO_LARGE"]);
  });

  it("shows nothing but harmless letters of what the owner wrote", () => {
    const [refusal] = judgeImage(
      inspectImage(viewOfBytes(Buffer.alloc(512))),
      { diskFormat: "<b>\n/etc", containerFormat: "bare" },
      { virtualBytes: 1 },
    ).slice(0, 1);
    assert.match(refusal?.text ?? "", /^it is declared as \?b\?\?\?etc but its content is raw$/);
  });
});
