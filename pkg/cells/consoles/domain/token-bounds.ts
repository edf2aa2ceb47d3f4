/**
 * Tokens that are good at one time. More than a person uses; whoever makes more loses those that end first.
 */
export const tokenBounds = { perServer: 16, perProject: 256 } as const;
