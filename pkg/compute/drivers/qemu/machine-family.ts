/** Which of the two PCs a machine type is, such as `pc-q35-7.2`. */
export const machineFamily = (machine: string): "q35" | "pc" => (machine.includes("q35") ? "q35" : "pc");
