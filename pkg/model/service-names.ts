/** The binary under which hosts register, as REST shows it. */
export const COMPUTE_BINARY = "nova-compute";
