import type { Sections } from "../../pkg/platform/config/index.js";
import { processSections } from "../../pkg/platform/service/index.js";
import { sections as api } from "../api/config.js";
import { sections as cells } from "../cells/config.js";
import { sections as compute } from "../compute/config.js";
import { sections as conductor } from "../conductor/config.js";
import { sections as console } from "../console/config.js";
import { sections as gateway } from "../gateway/config.js";
import { sections as metadata } from "../metadata/config.js";
import { sections as placement } from "../placement/config.js";
import { sections as scheduler } from "../scheduler/config.js";
import { sections as standalone } from "../standalone/config.js";

const own = {
  api,
  cells,
  compute,
  conductor,
  console,
  gateway,
  metadata,
  placement,
  scheduler,
  standalone,
} as const;

/** The sections of the configuration that each program of a real deployment reads. */
export const programs: Readonly<Record<keyof typeof own, Sections>> = Object.fromEntries(
  Object.entries(own).map(([name, sections]): [string, Sections] => [
    name,
    { ...processSections, ...sections },
  ]),
) as Record<keyof typeof own, Sections>;
