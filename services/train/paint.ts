import pc from "picocolors";

export type Style = "plain" | "dim" | "good" | "doubtful" | "bad";

/** Adds nothing that takes room on the screen. */
export type Paint = (text: string, style: Style) => string;

export const unpainted: Paint = (text) => text;

export function colours(enabled: boolean): Paint {
  const { dim, green, yellow, red } = pc.createColors(enabled);
  const painters = { plain: String, dim, good: green, doubtful: yellow, bad: red };
  return (text, style) => painters[style](text);
}
