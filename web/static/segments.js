// How many parts a text takes, by the rules of core/segments.py: 3GPP TS 23.038, and parts by TS 23.040. The server counts
// again, and its count is the one that holds; a test compares the two.

const BASIC = new Set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà");
const ESCAPED = new Set("\f^{}\\[~]|€");
const PLAIN = { "’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "–": "-", "—": "-", "•": "-", "…": "...", "\u00a0": " ", "\u202f": " " };

const BLANK = "[\\n \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+";
const ENDS = new RegExp(`^${BLANK}|${BLANK}$`, "g");

// What is left of a text when it is sent: line ends as one, no control characters, no blanks at either end, letters composed.
export function clean(text) {
  const lines = text.replace(/\r\n?/g, "\n").replaceAll("\t", " ");
  const seen = lines.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, "");
  const whole = [...seen].map((letter) => (/^[\ud800-\udfff]$/.test(letter) ? "\ufffd" : letter)).join("");
  return whole.normalize("NFC").replace(ENDS, "");
}

// A pair (an escape and its letter, two halves of an emoji) is not torn apart, so a part may stay one short.
function parts(widths, alone, each) {
  const total = widths.reduce((sum, width) => sum + width, 0);
  if (total <= alone) return [1, alone - total];
  let count = 1;
  let used = 0;
  for (const width of widths) {
    if (used + width > each) {
      count += 1;
      used = 0;
    }
    used += width;
  }
  return [count, each - used];
}

export function measure(typed) {
  const letters = [...clean(typed)];
  const costly = letters.find((letter) => !BASIC.has(letter) && !ESCAPED.has(letter));
  const gsm7 = costly === undefined;
  const widths = letters.map((letter) => (gsm7 ? (ESCAPED.has(letter) ? 2 : 1) : letter.length));
  const [segments, room] = parts(widths, gsm7 ? 160 : 70, gsm7 ? 153 : 67);
  return { encoding: gsm7 ? "gsm7" : "ucs2", segments: letters.length ? segments : 0, room, costly: costly ?? "" };
}

export function plain(text) {
  return [...text].map((letter) => PLAIN[letter] ?? letter).join("");
}
