/** A guest's name at its hypervisor: `instance-` and the record's number in at least eight hex digits. */
export const guestName = (number: bigint): string => `instance-${number.toString(16).padStart(8, "0")}`;
