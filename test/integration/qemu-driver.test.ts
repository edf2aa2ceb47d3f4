import { driverConformance } from "../../pkg/compute/drivers/testing/conformance.js";
import { PATIENCE_MS, qemuHost } from "../../pkg/compute/drivers/testing/qemu-host.js";

driverConformance("qemu", qemuHost, PATIENCE_MS);
