import type { Answer, Question } from "../../../shared/record/hub-api.ts";

/** What each worker makes of it; nothing where the hub was asked too often. */
export async function askHub(url: string, question: Question): Promise<readonly Answer[]> {
  const response = await fetch(new URL("/api/ask", url), { method: "POST", body: JSON.stringify(question) });
  const text = await response.text();
  if (response.status === 429) return [];
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Answer);
}

/** Asks held-out examples, so many at a time, until told that it is over; how many the head answered. */
export async function askOn(
  url: string,
  atATime: number,
  isOver: () => boolean,
  onAnswered: (count: number) => void = () => {},
): Promise<number> {
  let [asked, answered] = [0, 0];
  const one = async () => {
    while (!isOver()) {
      const answers = await askHub(url, { example: asked++ }).catch(() => []);
      const [head] = answers.filter(({ beliefs }) => beliefs !== undefined).slice(-1);
      if (head !== undefined) onAnswered(++answered);
      else await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await Promise.all(Array.from({ length: atATime }, one));
  return answered;
}
