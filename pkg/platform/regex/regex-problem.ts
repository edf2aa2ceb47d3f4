/** Why a regular expression of RE2's syntax is not taken; the text is for its author. */
export class RegexProblem extends Error {}
