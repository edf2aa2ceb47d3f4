/** An Ethernet frame of one network on its way between hosts. @source RFC 7348 §5 */
export interface VxlanPacket {
  readonly vni: number;
  readonly frame: Buffer;
}

const vxlanHeaderBytes = 8;
export const maxVni = 0xffffff;

/** @returns undefined when too short or when the flags do not say that there is a network identifier */
export function parseVxlan(bytes: Buffer): VxlanPacket | undefined {
  if (bytes.length < vxlanHeaderBytes || bytes.readUInt8(0) !== 0x08) return undefined;
  return { vni: bytes.readUIntBE(4, 3), frame: bytes.subarray(vxlanHeaderBytes) };
}

export function vxlanHeader(vni: number): Buffer {
  const header = Buffer.alloc(vxlanHeaderBytes);
  header.writeUInt8(0x08, 0);
  header.writeUIntBE(vni, 4, 3);
  return header;
}
